package main

import (
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/node"
)

// containerVariable is set by the container image: there PostgreSQL's variables
// (POSTGRES_PASSWORD and the like) are meant for this server.
const containerVariable = "AKIDB_CONTAINER"

// serveFlags are the flags of serve.
type serveFlags struct {
	file, dataDir, listen, httpListen, logFormat string
	parameters                                   []string
}

func serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serve(cmd, flags) },
	}
	d := config.Default()
	f := cmd.Flags()
	f.StringVar(&flags.file, "config", "", "TOML `file` with the configuration")
	f.StringVar(&flags.dataDir, "data-dir", d.DataDir, "`directory` of the data")
	f.StringVar(&flags.listen, "listen", d.Listen, "`address` of the PostgreSQL port")
	f.StringVar(&flags.httpListen, "http-listen", d.HTTPListen, "`address` of the HTTP port, or off")
	f.StringVar(&flags.logFormat, "log-format", d.Log.Format, "text or json")
	f.StringArrayVarP(&flags.parameters, "set", "c", nil, "default of a session setting, `name=value`, as PostgreSQL's option -c")
	return cmd
}

// postgresCommand is what tools made for PostgreSQL's container image call.
func postgresCommand() *cobra.Command {
	cmd := serveCommand()
	cmd.Use, cmd.Hidden = "postgres", true
	return cmd
}

func serve(cmd *cobra.Command, flags serveFlags) error {
	load := func() (config.Config, error) { return flags.load(cmd) }
	c, err := load()
	if err != nil {
		return usageError{err}
	}
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	log, level := logger(c.Log)
	return node.RunProcess(cmd.Context(), c, node.Process{Log: log, Level: level, Out: os.Stdout, Version: version, Load: load, Reload: hangup})
}

// load reads the configuration: the file, the environment, what ALTER SYSTEM has
// kept, and the flags over all of them.
func (flags serveFlags) load(cmd *cobra.Command) (config.Config, error) {
	c, err := loadConfig(flags.file)
	if err != nil {
		return c, err
	}
	if cmd.Flags().Changed("data-dir") {
		c.DataDir = flags.dataDir
	}
	system, err := config.ReadSystem(c.DataDir)
	if err != nil {
		return c, err
	}
	if err := c.ApplySystem(system); err != nil {
		return c, err
	}
	for flag, set := range map[string]func(){
		"listen":      func() { c.Listen = flags.listen },
		"http-listen": func() { c.HTTPListen = flags.httpListen },
		"log-format":  func() { c.Log.Format = flags.logFormat },
	} {
		if cmd.Flags().Changed(flag) {
			set()
		}
	}
	for _, p := range flags.parameters {
		if err := c.ApplyParameter(p); err != nil {
			return c, err
		}
	}
	return c, nil
}

// loadConfig reads the file and the environment.
func loadConfig(file string) (config.Config, error) {
	environ, err := environment()
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(file, environ)
}

// environment is the environment as the configuration reads it.
func environment() ([]string, error) {
	if in, _ := strconv.ParseBool(os.Getenv(containerVariable)); in {
		return config.WithPostgres(os.Environ())
	}
	return os.Environ(), nil
}

// logger makes the log, and the level by which it can be changed.
func logger(c config.Log) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level.Set(slog.LevelInfo) // Validate has refused other words
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts)), level
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts)), level
}
