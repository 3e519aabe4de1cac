package main

import (
	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/node"
)

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Look at the object store of cold collections",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(storeCheckCommand())
	return cmd
}

func storeCheckCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Try the configured object store: write, replace, read, list and delete a small object",
		Long: `Check takes the object store from the same configuration as serve, file and environment, and tries
with a small object of its own whatever the server needs of a store. A server may be running.

Exit codes: 0 it works, 1 it does not, 2 the configuration is wrong.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err == nil {
				err = c.Validate()
			}
			if err != nil {
				return usageError{err}
			}
			log, _ := logger(c.Log)
			return node.CheckStore(cmd.Context(), c, log, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "TOML `file` with the configuration")
	return cmd
}
