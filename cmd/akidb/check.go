package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/node"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Check the data directory of a stopped server: rows, indexes, catalog and vector indexes must agree",
		Long: `Check reads everything in the data directory of a stopped server and compares rows,
vectors, index entries, counts, sequences, the catalog and the vector indexes' checkpoints with each other.

Exit codes: 0 all agree, 3 there are problems, 1 the check could not be made (a server is running, no such directory).`,
		Args: oneDir,
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := node.Check(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, line := range report.Summary {
				fmt.Fprintln(out, line)
			}
			for _, p := range report.Problems {
				fmt.Fprintln(out, "problem: "+p)
			}
			if n := len(report.Problems); n > 0 {
				return problemsError{fmt.Errorf("%s: %d problems", args[0], n)}
			}
			fmt.Fprintln(out, "ok")
			return nil
		},
	}
}

func oneDir(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}
