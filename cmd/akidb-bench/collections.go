package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench"
)

func collectionsCommand() *cobra.Command {
	var plan bench.CollectionsPlan
	var out string
	command := &cobra.Command{
		Use:   "collections",
		Short: "Make thousands of collections in one server: time, memory, goroutines, restart",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var log bytes.Buffer
			plan.Out = io.MultiWriter(command.OutOrStdout(), &log)
			if err := bench.Collections(command.Context(), plan); err != nil || out == "" {
				return err
			}
			page := fmt.Sprintf("# Many collections in one server\n\nMade by `make bench-collections`. Machine: %s.\n\n```\n%s```\n", bench.ThisMachine(), log.String())
			return os.WriteFile(filepath.Join(out, "collections.md"), []byte(page), 0o644)
		},
	}
	f := command.Flags()
	f.StringVar(&plan.Binary, "server", "bin/akidb", "akidb `binary`")
	f.IntVar(&plan.Collections, "collections", 10000, "how many")
	f.IntVar(&plan.Rows, "rows", 10, "rows of each")
	f.IntVar(&plan.Dim, "dim", 128, "dimension of the vectors")
	f.StringVar(&plan.Method, "index", "hnsw", "hnsw, ivfflat or none")
	f.IntVar(&plan.Clients, "clients", 2, "clients that make collections at the same time")
	f.StringVar(&plan.Tier, "tier", "", "warm or cold: move all of them there")
	f.StringVar(&plan.Profile, "profile", "", "`file` for a CPU profile of 20 s of the making")
	f.StringVar(&out, "out", "", "folder for the page collections.md")
	return command
}
