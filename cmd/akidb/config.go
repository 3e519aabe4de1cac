package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/config"
)

func configCommand() *cobra.Command {
	cmd := group("config", "Look at the configuration")
	cmd.AddCommand(configCheckCommand(), configShowCommand())
	return cmd
}

func configShowCommand() *cobra.Command {
	var file, output string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every value of the configuration and where it comes from",
		Long: `Show lists what serve would use: the built-in defaults, the file, the environment and
what ALTER SYSTEM has kept in the data directory. Secrets are masked.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ, err := environment()
			if err != nil {
				return usageError{err}
			}
			values, err := config.Show(file, environ)
			if err != nil {
				return usageError{err}
			}
			c := client{output: output}
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(values)
			}
			rows := make([][]any, len(values))
			for i, v := range values {
				rows[i] = []any{v.Key, v.Value, v.Source}
			}
			return c.table(cmd.OutOrStdout(), []string{"key", "value", "source"}, rows)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "TOML `file` with the configuration")
	addOutput(cmd, &output)
	return cmd
}

func configCheckCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, file and environment, without starting anything",
		Long: `Check reads the configuration file and the environment as serve does and says what is wrong
with them. It reaches neither the network nor the data directory.

Exit codes: 0 it is right, 2 it is not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err == nil {
				err = c.Validate()
			}
			if err != nil {
				return usageError{err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), "ok")
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "TOML `file` with the configuration")
	return cmd
}
