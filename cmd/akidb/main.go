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

	"github.com/akidb/akidb/internal/node"
)

// version is set by the build.
var version = "dev"

// Exit codes: 1 for a failure, 2 for a command line or configuration that is
// wrong, 3 when check has found problems.
const (
	exitFailure  = 1
	exitUsage    = 2
	exitProblems = 3
)

// usageError is an error of the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// problemsError says that check has found problems.
type problemsError struct{ error }

func main() {
	ctx, stop := context.WithCancelCause(context.Background())
	go handleSignals(stop)
	err := root().ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "akidb: "+err.Error())
	}
	os.Exit(exitCode(err))
}

// handleSignals ends the context: SIGTERM lets running statements end, SIGINT
// does not wait for them; the second signal ends the process as it is.
func handleSignals(stop context.CancelCauseFunc) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if s := <-signals; s == os.Interrupt {
		stop(node.ErrFast)
	} else {
		stop(nil)
	}
	<-signals
	os.Exit(exitFailure)
}

func exitCode(err error) int {
	var usage usageError
	var problems problemsError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &problems):
		return exitProblems
	default:
		return exitFailure
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
	cmd.AddCommand(serveCommand(), postgresCommand(), checkCommand(), configCommand(), healthCommand(), tierCommand(), snapshotCommand(), versionCommand(), migrateCommand(), storeCommand())
	return cmd
}
