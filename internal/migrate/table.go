package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// notesTable is where the server keeps how far each table's copy has come. It can
// be dropped when the migration is over.
const notesTable = "akidb_migration_v1"

const createNotes = `CREATE TABLE IF NOT EXISTS ` + notesTable + ` (
	collection_id text PRIMARY KEY, snapshot_id text NOT NULL, table_name text NOT NULL,
	rows_copied bigint NOT NULL, verified_at timestamptz, checksum text)`

// note is a row of it.
type note struct {
	snapshot, table string
	rows            int64
	verified        *time.Time
}

// target is the connection into the server.
type target struct{ conn *pgx.Conn }

func dial(ctx context.Context, dsn string) (*target, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "akidb migrate"
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["datestyle"] = "ISO"
	config.RuntimeParams["extra_float_digits"] = "3"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &target{conn}, nil
}

func (t *target) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return t.conn.Close(ctx)
}

// lockKey is what two migrations into one server exclude each other by.
const lockKey = 0x616b6964625f7631 // "akidb_v1"

func (t *target) prepare(ctx context.Context) error {
	var locked bool
	if err := t.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockKey)).Scan(&locked); err != nil {
		return err
	}
	if !locked {
		return errors.New("another migration is running on this server")
	}
	_, err := t.conn.Exec(ctx, createNotes)
	return err
}

// note reads how far the copy of a collection has come; nil: it has not begun.
func (t *target) note(ctx context.Context, collection string) (*note, error) {
	var n note
	err := t.conn.QueryRow(ctx, "SELECT snapshot_id, table_name, rows_copied, verified_at FROM "+notesTable+" WHERE collection_id = $1", collection).
		Scan(&n.snapshot, &n.table, &n.rows, &n.verified)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &n, err
}

// create makes the table and its note in one transaction.
func (t *target) create(ctx context.Context, s snapshot, table string) error {
	return t.inTransaction(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s (id uuid PRIMARY KEY, external_id text, embedding vector(%d),
			metadata jsonb, inserted_at timestamptz)`, quote(table), s.Dimension))
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "42P07" {
			return fmt.Errorf("the table %s is there and was not made by a migration: choose another name with --table %s=NAME", quote(table), s.CollectionID)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO "+notesTable+" VALUES ($1, $2, $3, 0, NULL, NULL)", s.CollectionID, s.SnapshotID, table)
		return err
	})
}

// copyRows adds rows, given in COPY's text form, and notes that rows are there now.
func (t *target) copyRows(ctx context.Context, collection, table, text string, rows int64) error {
	return t.inTransaction(ctx, func(tx pgx.Tx) error {
		_, err := tx.Conn().PgConn().CopyFrom(ctx, strings.NewReader(text),
			"COPY "+quote(table)+" (id, external_id, embedding, metadata, inserted_at) FROM STDIN")
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE "+notesTable+" SET rows_copied = $2 WHERE collection_id = $1", collection, rows)
		return err
	})
}

func (t *target) inTransaction(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, t.conn, fn)
}

// operatorClasses of the index that a table gets, by the metric asked for.
var operatorClasses = map[string]string{"cosine": "vector_cosine_ops", "l2": "vector_l2_ops", "ip": "vector_ip_ops", "none": ""}

// index builds the vector index if it is not there.
func (t *target) index(ctx context.Context, table, metric string) error {
	class := operatorClasses[metric]
	if class == "" {
		return nil
	}
	_, err := t.conn.Exec(ctx, fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON %s USING hnsw (embedding %s)",
		quote(table+"_embedding_idx"), quote(table), class))
	return err
}

// sum reads a table back and adds its rows up. A row that cannot be read as a
// record is an error: it was not copied.
func (t *target) sum(ctx context.Context, table string) (*sum, error) {
	total := newSum()
	rows := t.conn.PgConn().Exec(ctx, "SELECT id, external_id, embedding, metadata, inserted_at FROM "+quote(table))
	for rows.NextResult() {
		r := rows.ResultReader()
		var rec record
		for r.NextRow() {
			err := rec.scan(r.Values())
			if err == nil {
				err = total.add(&rec)
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("table %s: %w", quote(table), err), rows.Close())
			}
		}
	}
	return total, rows.Close()
}

// scan reads a row in text form.
func (r *record) scan(values [][]byte) (err error) {
	*r = record{Vector: r.Vector[:0], Metadata: values[3]}
	if r.DocID, err = uuid.ParseBytes(values[0]); err != nil {
		return err
	}
	if values[1] != nil {
		text := string(values[1])
		r.ExternalID = &text
	}
	if err := r.Vector.UnmarshalJSON(values[2]); err != nil {
		return err
	}
	if values[4] != nil {
		at, err := time.Parse("2006-01-02 15:04:05.999999Z07", string(values[4]))
		if err != nil {
			return err
		}
		r.InsertedAt = &at
	}
	return nil
}

// quote quotes an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// tableName is the name of a collection's table unless another was given: the
// collection's, or c_ and a UUID's digits.
func tableName(collection string) string {
	if id, err := uuid.Parse(collection); err == nil {
		return "c_" + strings.ReplaceAll(id.String(), "-", "_")
	}
	return collection
}
