package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench/tiersim"
	"github.com/akidb/akidb/tiering/state"
)

// tieringSimCommand has the flags of a simulation. With any flag of the policy, that
// policy alone is simulated, beside the default.
func tieringSimCommand() *cobra.Command {
	plan := tiersim.DefaultPlan()
	own := tiersim.Variant{Name: "yours", Policy: state.DefaultPolicy()}
	var names []string
	var coldAccess string
	policyFlags := []string{"hot-ttl", "warm-ttl", "threshold", "window", "max-hot-memory", "max-warm-disk", "cold-access"}
	command := &cobra.Command{
		Use:   "tiering-sim",
		Short: "Simulate weeks of tiering in seconds: tiers over time, RAM, disk, bucket, money",
		Long: "Simulates the accesses of thousands of collections under several policies, with the server's own code for\n" +
			"policies and moves. The same seed gives the same figures. With a flag of the policy it compares that policy with the default.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			plan.Profiles = nil
			for _, name := range names {
				p, found := tiersim.Find(name)
				if !found {
					return fmt.Errorf("no profile %q", name)
				}
				plan.Profiles = append(plan.Profiles, p)
			}
			var err error
			if own.Policy.ColdAccess, err = state.ParseColdAccess(coldAccess); err != nil {
				return fmt.Errorf("--cold-access: %w", err)
			}
			for _, flag := range policyFlags {
				if command.Flags().Changed(flag) {
					plan.Variants = []tiersim.Variant{own, tiersim.DefaultVariants()[0]}
				}
			}
			start := time.Now()
			if err := tiersim.Simulate(plan, command.OutOrStdout()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d days of %d collections, simulated in %.1f s\n", plan.Days, plan.Collections, time.Since(start).Seconds())
			return err
		},
	}
	f := command.Flags()
	f.StringSliceVar(&names, "profiles", []string{"rag-chatbot", "batch-analytics", "e-commerce"}, "kinds of use")
	f.IntVar(&plan.Collections, "collections", plan.Collections, "number of collections")
	f.IntVar(&plan.Days, "days", plan.Days, "simulated time; figures are of its second half")
	f.DurationVar(&plan.Step, "interval", plan.Step, "time between two cycles of the worker")
	f.Uint64Var(&plan.Seed, "seed", plan.Seed, "of the random accesses")
	f.BoolVar(&plan.Daily, "daily", false, "show the first policy day by day")
	f.StringVar(&plan.Docs, "docs", "", "`folder` of the tuning guide, whose tables and pictures are written anew")
	f.Int64Var(&plan.Model.Dim, "dim", plan.Model.Dim, "dimension of the vectors")
	f.Int64Var(&plan.Model.RowBytes, "row-bytes", plan.Model.RowBytes, "bytes of a row's other columns")
	f.Int64Var(&plan.Model.MoveBytesPerSecond, "move-bytes-per-second", plan.Model.MoveBytesPerSecond, "speed of a move")
	f.IntVar(&plan.Model.Movers, "movers", plan.Model.Movers, "moves at once")
	f.Float64Var(&plan.Prices.RAM, "price-ram", plan.Prices.RAM, "$ a GB of memory in 30 days")
	f.Float64Var(&plan.Prices.Disk, "price-disk", plan.Prices.Disk, "$ a GB of SSD in 30 days")
	f.Float64Var(&plan.Prices.Object, "price-object", plan.Prices.Object, "$ a GB in the bucket in 30 days")
	f.Float64Var(&plan.Prices.Get, "price-get", plan.Prices.Get, "$ per 1,000 GET requests")
	f.Float64Var(&plan.Prices.Put, "price-put", plan.Prices.Put, "$ per 1,000 PUT requests")
	f.DurationVar(&own.Policy.HotTTL, "hot-ttl", own.Policy.HotTTL, "hot_tier_ttl")
	f.DurationVar(&own.Policy.WarmTTL, "warm-ttl", own.Policy.WarmTTL, "warm_tier_ttl")
	f.Int64Var(&own.Policy.Threshold, "threshold", own.Policy.Threshold, "hot_promotion_threshold")
	f.DurationVar(&own.Policy.Window, "window", own.Policy.Window, "access_window")
	f.Int64Var(&own.Policy.MaxHotMemory, "max-hot-memory", 0, "bytes; 0 is no limit")
	f.Int64Var(&own.Policy.MaxWarmDisk, "max-warm-disk", 0, "bytes; 0 is no limit")
	f.StringVar(&coldAccess, "cold-access", "serve", "serve, restore or direct")
	return command
}
