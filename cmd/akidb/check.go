package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/node"
)

func checkCommand() *cobra.Command {
	output, file, deep := "", "", false
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Check the data directory of a stopped server: rows, indexes, catalog and vector indexes must agree",
		Long: `Check reads everything in the data directory of a stopped server and compares rows,
vectors, index entries, counts, sequences, the catalog and the vector indexes' checkpoints with each other.
Of cold collections it looks whether every object that the catalog names is in the object store, which is
configured as for serve (--config, environment); with --deep it reads all of them, and those of snapshots.

Exit codes: 0 all agree, 3 there are problems, 1 the check could not be made (a server is running, no such directory).`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return usageError{err}
			}
			c.DataDir = args[0]
			report, err := node.Check(cmd.Context(), node.CheckOptions{Config: c, Deep: deep})
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if output == "json" {
				if err := json.NewEncoder(out).Encode(map[string]any{"ok": len(report.Problems) == 0, "summary": report.Summary, "problems": report.Problems}); err != nil {
					return err
				}
			} else {
				printReport(out, report)
			}
			if n := len(report.Problems); n > 0 {
				return problemsError{fmt.Errorf("%s: %d problems", args[0], n)}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "TOML `file` with the server's configuration")
	cmd.Flags().BoolVar(&deep, "deep", false, "read every object of cold collections and snapshots and compare its checksums")
	addOutput(cmd, &output)
	return cmd
}

func printReport(out io.Writer, report node.Report) {
	for _, line := range report.Summary {
		fmt.Fprintln(out, line)
	}
	for _, p := range report.Problems {
		fmt.Fprintln(out, "problem: "+p)
	}
	if len(report.Problems) == 0 {
		fmt.Fprintln(out, "ok")
	}
}
