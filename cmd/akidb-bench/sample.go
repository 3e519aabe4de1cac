package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/dataset"
)

// sampleCommand makes the file that internal/dataset embeds; `go generate ./internal/dataset` calls it.
func sampleCommand() *cobra.Command {
	var dir, out string
	command := &cobra.Command{
		Use:    "sample",
		Short:  "Pack the small sample that is embedded in this binary",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(command *cobra.Command, _ []string) error {
			packed, err := dataset.MakeSample(command.Context(), dir)
			if err != nil {
				return err
			}
			return os.WriteFile(out, packed, 0o644)
		},
	}
	command.Flags().StringVar(&dir, "dir", "datasets", "folder with the packages as fetched")
	command.Flags().StringVar(&out, "out", "sample.bin.gz", "file to write")
	return command
}
