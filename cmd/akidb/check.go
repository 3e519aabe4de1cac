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
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := node.Check(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			for _, line := range report.Summary {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			for _, p := range report.Problems {
				fmt.Fprintln(cmd.OutOrStdout(), "problem: "+p)
			}
			if n := len(report.Problems); n > 0 {
				return fmt.Errorf("%s: %d problems", args[0], n)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "ok")
			return nil
		},
	}
}
