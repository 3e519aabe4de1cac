package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/migrate"
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring data of earlier versions into a running server",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(migrateV1Command())
	return cmd
}

func migrateV1Command() *cobra.Command {
	var o migrate.Options
	cmd := &cobra.Command{
		Use:   "v1-to-v2 --from DIR|s3://BUCKET/PREFIX --dsn URL",
		Short: "Copy version 1's snapshots into tables of a running server",
		Long: `Copies the newest snapshot of each of version 1's collections into a table
(id uuid primary key, external_id text, embedding vector(n), metadata jsonb, inserted_at timestamptz),
compares count and checksum of every row with the file, and builds an hnsw index.

A run that was interrupted goes on where it stopped when it is called again; called after the end it
compares once more. Version 1's files are only read. Keys for s3:// come from AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION, or the machine's role.

Exit codes: 0 all agrees, 3 something does not, 1 it could not be done.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.From == "" {
				return usageError{errors.New("--from is needed: a folder or s3://bucket/prefix")}
			}
			if o.DSN == "" {
				o.DSN = os.Getenv("AKIDB_DSN")
			}
			if o.DSN == "" {
				o.DSN = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
			}
			o.Out, o.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			err := migrate.Run(cmd.Context(), o)
			var problems *migrate.ProblemsError
			if errors.As(err, &problems) {
				return problemsError{err}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "`place` of version 1's snapshots: a folder, or s3://bucket/prefix")
	f.StringVar(&o.DSN, "dsn", "", "`URL` of the server (default AKIDB_DSN, or the server on this machine)")
	f.BoolVar(&o.DryRun, "dry-run", false, "read and check everything, write nothing")
	f.StringToStringVar(&o.Tables, "table", nil, "name of a collection's table, `COLLECTION=NAME`; can be given several times")
	f.StringVar(&o.Metric, "index", "cosine", "metric of the hnsw index: cosine, l2, ip or none")
	f.IntVar(&o.BatchRows, "batch-rows", 5000, "rows in one transaction")
	f.StringVar(&o.Bucket.Endpoint, "s3-endpoint", "", "`URL` of an object store other than AWS")
	f.StringVar(&o.Bucket.Region, "s3-region", "", "region of the bucket")
	return cmd
}
