package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/bench"
	"github.com/akidb/akidb/internal/dataset"
)

// targetFlags choose what is measured.
type targetFlags struct {
	startServer string
	dsns        []string
}

func (f *targetFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.startServer, "start-server", "", "akidb `binary` to start and measure")
	command.Flags().StringArrayVar(&f.dsns, "dsn", nil, "running server to measure, as `NAME=URL`; may be repeated")
}

// each runs fn on every target, one after the other.
func (f *targetFlags) each(command *cobra.Command, fn func(bench.Target) error) error {
	if f.startServer == "" && len(f.dsns) == 0 {
		return errors.New("nothing to measure: give --start-server or --dsn")
	}
	if f.startServer != "" {
		server, err := bench.StartServer(command.Context(), f.startServer)
		if err != nil {
			return err
		}
		err = fn(bench.Target{Name: "AkiDB", DSN: server.DSN(), Server: server})
		if err = errors.Join(err, server.Stop()); err != nil {
			return err
		}
	}
	for _, dsn := range f.dsns {
		name, url, ok := strings.Cut(dsn, "=")
		if !ok {
			return fmt.Errorf("--dsn %q is not NAME=URL", dsn)
		}
		if err := fn(bench.Target{Name: name, DSN: url}); err != nil {
			return err
		}
	}
	return nil
}

func searchCommand() *cobra.Command {
	var targets targetFlags
	var dir, out string
	var names []string
	var compare []string
	plan := bench.Plan{}
	command := &cobra.Command{
		Use:   "search",
		Short: "Measure recall, QPS, latency, load, build, filters, commits and restart over the wire",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			plan.Log = func(line string) { fmt.Fprintln(command.OutOrStdout(), line) }
			var results []*bench.Result
			for _, path := range compare {
				r, err := bench.ReadResult(path)
				if err != nil {
					return err
				}
				results = append(results, r)
			}
			for _, name := range names {
				set, err := dataset.Open(dir, name)
				if err != nil {
					return err
				}
				if err := targets.each(command, func(t bench.Target) error {
					r, err := bench.SearchSet(command.Context(), t, set, plan)
					if err == nil {
						results = append(results, r)
					}
					return err
				}); err != nil {
					return err
				}
			}
			if out == "" {
				return nil
			}
			return bench.WriteReport(out, results)
		},
	}
	targets.add(command)
	f := command.Flags()
	f.StringVar(&dir, "dir", "datasets", "folder with the sets")
	f.StringSliceVar(&names, "sets", dataset.Names, "sets to measure")
	f.IntSliceVar(&plan.Efs, "ef", []int{10, 20, 40, 80, 120, 200, 400}, "hnsw.ef_search values")
	f.IntSliceVar(&plan.Clients, "clients", []int{1, 2}, "numbers of clients")
	f.DurationVar(&plan.Span, "span", 3*time.Second, "time of each measured point")
	f.IntVar(&plan.FilterEf, "filter-ef", 95, "hnsw.ef_search of filtered searches")
	f.StringSliceVar(&compare, "compare", nil, "earlier results (JSON) to show beside")
	f.StringVar(&out, "out", "", "folder for the report: search.md, pictures and JSON")
	return command
}

func wireCommand() *cobra.Command {
	var targets targetFlags
	var counts []int
	var span time.Duration
	command := &cobra.Command{
		Use:   "wire",
		Short: "Measure round trips without search",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return targets.each(command, func(t bench.Target) error {
				return bench.Wire(command.Context(), t, counts, span, command.OutOrStdout())
			})
		},
	}
	targets.add(command)
	command.Flags().IntSliceVar(&counts, "clients", []int{1, 8}, "numbers of clients")
	command.Flags().DurationVar(&span, "span", 3*time.Second, "time of each measured point")
	return command
}

func demoCommand() *cobra.Command {
	var binary string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Start a server, load 5,000 words with their vectors, search, and stop",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return bench.Demo(command.Context(), binary, command.OutOrStdout())
		},
	}
	command.Flags().StringVar(&binary, "server", "bin/akidb", "akidb `binary`")
	return command
}
