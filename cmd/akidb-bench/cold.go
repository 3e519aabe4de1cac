package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench"
)

func coldCommand() *cobra.Command {
	var plan bench.ColdPlan
	var out string
	command := &cobra.Command{
		Use:   "cold",
		Short: "Measure searches from the object store, beside LanceDB",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			plan.Log = func(line string) { fmt.Fprintln(command.OutOrStdout(), line) }
			results, err := bench.Cold(command.Context(), plan)
			if err != nil || out == "" {
				return err
			}
			return bench.WriteColdReport(out, results)
		},
	}
	f := command.Flags()
	f.StringVar(&plan.Dir, "dir", "datasets", "folder with the sets")
	f.StringSliceVar(&plan.Sets, "sets", []string{"emb512", "mnist784"}, "sets to search")
	f.StringSliceVar(&plan.Systems, "systems", []string{"akidb", "lance-rq", "lance-pq"}, "what to measure")
	f.StringVar(&plan.Binary, "server", "bin/akidb", "akidb `binary`")
	f.StringVar(&plan.Lance, "lance", "integration/lancedb", "folder with LanceDB (make lancedb)")
	f.IntVar(&plan.LanceProbes, "lance-probes", 0, "nprobes of LanceDB; 0 looks for the least with the recall")
	f.IntVar(&plan.LanceRefine, "lance-refine", 4, "refine factor of LanceDB, with --lance-probes")
	f.IntVar(&plan.Runs, "runs", 10, "fresh processes")
	f.IntVar(&plan.Queries, "queries", 100, "queries of each")
	f.DurationSliceVar(&plan.Latencies, "latency", []time.Duration{0, 20 * time.Millisecond}, "times to add to each request, by turns")
	f.Float64Var(&plan.Recall, "recall", 0.95, "recall@10 that settings are chosen for")
	f.StringVar(&out, "out", "", "folder for the report: cold.md and cold.json")
	return command
}
