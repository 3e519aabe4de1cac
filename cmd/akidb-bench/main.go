// Command akidb-bench fetches the data sets, measures AkiDB and PostgreSQL with pgvector over the wire, and runs the demo.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1) // cobra has printed the error
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "akidb-bench",
		Short:         "Data sets, measurements and the demo of AkiDB",
		SilenceUsage:  true,
		SilenceErrors: false,
	}
	root.AddCommand(datasetsCommand(), sampleCommand(), searchCommand(), wireCommand(), restCommand(), demoCommand(), tieringSimCommand(), coldCommand(), tiersCommand(), collectionsCommand())
	return root
}
