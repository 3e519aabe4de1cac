// Command akidb is the server and its tools. It is a thin shell: internal/config
// reads the configuration, internal/node runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

// Exit codes: 1 for a failure, 2 for a command line or configuration that is wrong.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usageError is an error of the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "akidb: "+err.Error())
		stop()
		var usage usageError
		if errors.As(err, &usage) {
			os.Exit(exitUsage) //nolint:gocritic // stop was called
		}
		os.Exit(exitFailure)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "akidb",
		Short:         "A vector server that speaks PostgreSQL's protocol",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.AddCommand(serveCommand(), checkCommand())
	return cmd
}
