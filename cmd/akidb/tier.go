package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

// progressInterval is how often a move under way is asked for.
const progressInterval = 200 * time.Millisecond

func tierCommand() *cobra.Command {
	cmd := group("tier", "Say where collections lie, and move them")
	c := addClient(cmd)
	get := &cobra.Command{
		Use: "get [COLLECTION]", Short: "List where collections lie", Args: cobra.MaximumNArgs(1), ValidArgsFunction: c.completeCollections,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := "SELECT name, tier, pinned, last_accessed_at, access_count, rows, ram_bytes, disk_bytes, object_bytes, transition, last_error FROM akidb.collection_tiers"
			if len(args) == 0 {
				return c.query(cmd, text+" ORDER BY name")
			}
			return c.query(cmd, text+" WHERE name = $1::regclass::text", args[0])
		},
	}
	plan := &cobra.Command{
		Use: "plan", Short: "Say what the policy would move now", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.query(cmd, "SELECT * FROM akidb.plan_tiering()") },
	}
	cmd.AddCommand(get, tierSetCommand(c), pinCommand(c, "pin", "Keep a collection from being demoted by itself"),
		pinCommand(c, "unpin", "Let a collection be demoted again"), plan)
	return cmd
}

func pinCommand(c *client, verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " COLLECTION", Short: short, Args: exactly(1), ValidArgsFunction: c.completeCollections,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd, verb+"ned "+args[0], func(ctx context.Context, conn *pgx.Conn) (string, error) {
				name, err := relation(ctx, conn, args[0])
				return "ALTER COLLECTION " + name + " " + strings.ToUpper(verb), err
			})
		},
	}
}

func tierSetCommand(c *client) *cobra.Command {
	wait := false
	cmd := &cobra.Command{
		Use: "set COLLECTION hot|warm|cold", Short: "Move a collection to a tier", Args: exactly(2), ValidArgsFunction: c.completeCollections,
		RunE: func(cmd *cobra.Command, args []string) error {
			tier := strings.ToLower(args[1])
			if tier != "hot" && tier != "warm" && tier != "cold" {
				return usageError{fmt.Errorf("%q is none of hot, warm, cold", args[1])}
			}
			if wait {
				return c.moveAndWatch(cmd, args[0], tier)
			}
			return c.do(cmd, args[0]+" moves to "+tier, func(ctx context.Context, conn *pgx.Conn) (string, error) {
				name, err := relation(ctx, conn, args[0])
				return "ALTER COLLECTION " + name + " SET TIER " + tier, err
			})
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "return when the collection is there, and show how far it is")
	return cmd
}

// moveAndWatch moves a collection on one connection and shows its progress from another.
func (c *client) moveAndWatch(cmd *cobra.Command, collection, tier string) error {
	return c.with(cmd, func(ctx context.Context, conn *pgx.Conn) error {
		name, err := relation(ctx, conn, collection)
		if err != nil {
			return err
		}
		watcher, err := c.connect(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = watcher.Close(context.Background()) }() // it has only looked
		moved := make(chan error, 1)
		go func() {
			_, err := conn.Exec(ctx, "ALTER COLLECTION "+name+" SET TIER "+tier+" WAIT")
			moved <- err
		}()
		bar := progress{out: cmd.ErrOrStderr(), tty: terminal(cmd.ErrOrStderr())}
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		for {
			select {
			case err := <-moved:
				bar.end()
				if err != nil {
					return err
				}
				return c.say(cmd.OutOrStdout(), collection+" is "+tier)
			case <-tick.C:
				var transition, done *string
				row := watcher.QueryRow(ctx, "SELECT transition, progress::text FROM akidb.collection_tiers WHERE name = $1", name)
				if row.Scan(&transition, &done) == nil && transition != nil { // what cannot be shown is not shown
					bar.show(*transition, done)
				}
			}
		}
	})
}

// progress shows how far something is: in one line of a terminal, or as lines
// that say something new.
type progress struct {
	out  io.Writer
	tty  bool
	last string
}

const barWidth = 30

func (p *progress) show(what string, done *string) {
	line := what
	if done != nil {
		line += " " + *done
		share := 0.0
		if _, err := fmt.Sscan(strings.TrimSuffix(*done, "%"), &share); err == nil && p.tty {
			if share > 1 {
				share /= 100
			}
			full := min(int(share*barWidth), barWidth)
			line = fmt.Sprintf("%s [%s%s] %3.0f %%", what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), share*100)
		}
	}
	if line == p.last {
		return
	}
	p.last = line
	if p.tty {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		return
	}
	fmt.Fprintln(p.out, line)
}

// end leaves the terminal's line empty.
func (p *progress) end() {
	if p.tty && p.last != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
