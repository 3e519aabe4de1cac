package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench"
)

func tiersCommand() *cobra.Command {
	var plan bench.TierPlan
	var out string
	command := &cobra.Command{
		Use:   "tiers",
		Short: "Measure moves, snapshots and searches in each tier beside their limits and goals",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			plan.Log = func(line string) { fmt.Fprintln(command.OutOrStdout(), line) }
			figures, err := bench.Tiers(command.Context(), plan)
			if err != nil || out == "" {
				return err
			}
			return bench.WriteTierReport(out, plan.Set, figures)
		},
	}
	f := command.Flags()
	f.StringVar(&plan.Dir, "dir", "datasets", "folder with the sets")
	f.StringVar(&plan.Set, "set", "emb512", "set to load")
	f.StringVar(&plan.Binary, "server", "bin/akidb", "akidb `binary`")
	f.IntVar(&plan.Small, "small", 10000, "rows of the collections that are moved")
	f.IntVar(&plan.Large, "large", 100000, "rows of the collection that is searched")
	f.IntVar(&plan.Repeats, "repeats", 5, "how often each move is measured")
	f.StringSliceVar(&plan.Only, "only", nil, "snapshots, hot-warm, warm-cold, large; all if not given")
	f.StringVar(&out, "out", "", "folder for the report: tiers.md, tiers.svg and tiers.json")
	return command
}
