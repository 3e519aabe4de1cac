package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/node"
)

func serveCommand() *cobra.Command {
	var file, dataDir, listen, httpListen, logFormat string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(file, os.Environ())
			if err != nil {
				return usageError{err}
			}
			for flag, set := range map[string]func(){
				"data-dir":    func() { c.DataDir = dataDir },
				"listen":      func() { c.Listen = listen },
				"http-listen": func() { c.HTTPListen = httpListen },
				"log-format":  func() { c.Log.Format = logFormat },
			} {
				if cmd.Flags().Changed(flag) {
					set()
				}
			}
			if err := c.Validate(); err != nil {
				return usageError{err}
			}
			return node.Run(cmd.Context(), c, logger(c.Log), os.Stdout, version)
		},
	}
	d := config.Default()
	f := cmd.Flags()
	f.StringVar(&file, "config", "", "TOML `file` with the configuration")
	f.StringVar(&dataDir, "data-dir", d.DataDir, "`directory` of the data")
	f.StringVar(&listen, "listen", d.Listen, "`address` of the PostgreSQL port")
	f.StringVar(&httpListen, "http-listen", d.HTTPListen, "`address` of the HTTP port, or off")
	f.StringVar(&logFormat, "log-format", d.Log.Format, "text or json")
	return cmd
}

func logger(c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // Validate has refused other words
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}
