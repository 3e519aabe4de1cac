package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
)

func snapshotCommand() *cobra.Command {
	cmd := group("snapshot", "Make, list, restore and drop snapshots")
	c := addClient(cmd)
	create := &cobra.Command{
		Use: "create NAME COLLECTION", Short: "Make a snapshot of a collection in the object store", Args: exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd, "snapshot "+args[0]+" of "+args[1]+" made", func(ctx context.Context, conn *pgx.Conn) (string, error) {
				name, err := relation(ctx, conn, args[1])
				return "CREATE SNAPSHOT " + identifier(args[0]) + " OF " + name, err
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List the snapshots", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.query(cmd, "SHOW SNAPSHOTS") },
	}
	as := ""
	restore := &cobra.Command{
		Use: "restore NAME --as COLLECTION", Short: "Restore a snapshot as a new collection", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd, "snapshot "+args[0]+" restored as "+as, func(ctx context.Context, conn *pgx.Conn) (string, error) {
				name, err := relation(ctx, conn, as)
				return "RESTORE SNAPSHOT " + identifier(args[0]) + " AS " + name, err
			})
		},
	}
	restore.Flags().StringVar(&as, "as", "", "`name` of the collection to make")
	_ = restore.MarkFlagRequired("as") // the flag is there
	drop := &cobra.Command{
		Use: "drop NAME", Short: "Drop a snapshot", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd, "snapshot "+args[0]+" dropped", func(context.Context, *pgx.Conn) (string, error) {
				return "DROP SNAPSHOT " + identifier(args[0]), nil
			})
		},
	}
	cmd.AddCommand(create, list, restore, drop)
	return cmd
}
