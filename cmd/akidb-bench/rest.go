package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench"
	"github.com/akidb/akidb/internal/dataset"
)

func restCommand() *cobra.Command {
	var binary, dir, name string
	var efs, counts []int
	var span time.Duration
	command := &cobra.Command{
		Use:   "rest",
		Short: "Measure searches over REST beside the same searches over the wire",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			set := dataset.Sample()
			if name != "" {
				var err error
				if set, err = dataset.Open(dir, name); err != nil {
					return err
				}
			}
			server, err := bench.StartServer(command.Context(), binary)
			if err != nil {
				return err
			}
			err = bench.REST(command.Context(), server, set, efs, counts, span, command.OutOrStdout())
			return errors.Join(err, server.Stop())
		},
	}
	f := command.Flags()
	f.StringVar(&binary, "start-server", "bin/akidb", "akidb `binary` to start and measure")
	f.StringVar(&dir, "dir", "datasets", "folder with the sets")
	f.StringVar(&name, "set", "", "set to measure; 5,000 words unless told otherwise")
	f.IntSliceVar(&efs, "ef", []int{40, 80}, "values of ef")
	f.IntSliceVar(&counts, "clients", []int{1, 4}, "numbers of clients")
	f.DurationVar(&span, "span", 3*time.Second, "time of each measured point")
	return command
}
