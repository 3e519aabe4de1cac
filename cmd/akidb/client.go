package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// client is how a command reaches a running server and shows what it says.
type client struct {
	dsn    string
	output string
}

// addClient gives a command and its subcommands the flags of a client.
func addClient(cmd *cobra.Command) *client {
	c := &client{}
	cmd.PersistentFlags().StringVar(&c.dsn, "dsn", "", "connection `string` of the server; PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and the like otherwise")
	addOutput(cmd, &c.output)
	return c
}

func addOutput(cmd *cobra.Command, to *string) {
	cmd.PersistentFlags().StringVarP(to, "output", "o", "text", "`form` of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// localServer is where a server is that nobody has named: the one of this machine.
var localServer = []struct{ variable, parameter string }{
	{"PGHOST", "host=127.0.0.1"}, {"PGUSER", "user=postgres"}, {"PGDATABASE", "dbname=postgres"},
}

func (c *client) connect(ctx context.Context) (*pgx.Conn, error) {
	dsn := c.dsn
	if dsn == "" {
		var parts []string
		for _, p := range localServer {
			if os.Getenv(p.variable) == "" && os.Getenv("PGSERVICE") == "" {
				parts = append(parts, p.parameter)
			}
		}
		dsn = strings.Join(parts, " ")
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, usageError{err}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "akidb"
	}
	return pgx.ConnectConfig(ctx, config)
}

// with connects, runs fn, and disconnects.
func (c *client) with(cmd *cobra.Command, fn func(ctx context.Context, conn *pgx.Conn) error) error {
	ctx := cmd.Context()
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, conn), conn.Close(context.Background()))
}

// do runs statements that return nothing, and shows what they did.
func (c *client) do(cmd *cobra.Command, done string, statement func(ctx context.Context, conn *pgx.Conn) (string, error)) error {
	return c.with(cmd, func(ctx context.Context, conn *pgx.Conn) error {
		text, err := statement(ctx, conn)
		if err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, text); err != nil {
			return err
		}
		return c.say(cmd.OutOrStdout(), done)
	})
}

// say shows that a command is done.
func (c *client) say(out io.Writer, text string) error {
	if c.output == "json" {
		return json.NewEncoder(out).Encode(map[string]string{"result": text})
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// relation is a collection's name as SQL takes it: schema.table, or a table in the search path.
func relation(ctx context.Context, conn *pgx.Conn, name string) (string, error) {
	var quoted *string
	err := conn.QueryRow(ctx, "SELECT to_regclass($1)::text", name).Scan(&quoted)
	if err == nil && quoted != nil {
		return *quoted, nil
	}
	return written(name), err // the statement says that it does not exist, or makes it
}

// written is a name as SQL reads it: folded to lower case but for what stands in double quotes.
func written(name string) string {
	var parts pgx.Identifier
	for name != "" {
		part, quoted := name, false
		if rest, ok := strings.CutPrefix(name, `"`); ok {
			if end := strings.IndexByte(rest, '"'); end >= 0 {
				part, name, quoted = rest[:end], rest[end+1:], true
			}
		}
		if !quoted {
			part, name, _ = strings.Cut(name, ".")
			part = strings.ToLower(part)
		}
		name = strings.TrimPrefix(name, ".")
		parts = append(parts, part)
	}
	return parts.Sanitize()
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// query runs a query and shows its rows: as a table, or as JSON objects.
func (c *client) query(cmd *cobra.Command, text string, args ...any) error {
	return c.with(cmd, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		names := fieldNames(rows)
		list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
		if err != nil {
			return err
		}
		return c.table(cmd.OutOrStdout(), names, list)
	})
}

func fieldNames(rows pgx.Rows) []string {
	var names []string
	for _, f := range rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

func (c *client) table(out io.Writer, names []string, list [][]any) error {
	if c.output == "json" {
		objects := make([]map[string]any, len(list))
		for i, row := range list {
			objects[i] = map[string]any{}
			for j, v := range row {
				objects[i][names[j]] = v
			}
		}
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(objects)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(names, "\t"))
	for _, row := range list {
		cells := make([]string, len(row))
		for i, v := range row {
			if cells[i] = "-"; v != nil {
				cells[i] = fmt.Sprint(v)
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// terminal says whether somebody looks at the output.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// completeCollections offers the collections of the server that the flags name.
func (c *client) completeCollections(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	err := c.with(cmd, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT name FROM akidb.collection_tiers ORDER BY name")
		if err != nil {
			return err
		}
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// group is a command that is only the sum of others.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

// exactly takes a number of arguments, or is a wrong command line.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
