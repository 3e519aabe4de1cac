package bench

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/akidb/akidb/internal/dataset"
)

// operatorOf is the distance operator of a set's metric, operatorsOf the class of
// operators that an index for it has.
func operatorOf(set *dataset.Set) string {
	if set.Metric == dataset.L2 {
		return "<->"
	}
	return "<=>"
}

func operatorsOf(set *dataset.Set) string {
	if set.Metric == dataset.L2 {
		return "vector_l2_ops"
	}
	return "vector_cosine_ops"
}

// loadCollection makes a table of the first rows of a set, with a key and an HNSW index.
func loadCollection(ctx context.Context, conn *pgx.Conn, table string, set *dataset.Set, rows int) error {
	if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE TABLE %s (id bigint PRIMARY KEY, embedding vector(%d))", table, set.Dim)); err != nil {
		return err
	}
	stream := newCopyStream(2, rows, func(buf []byte, i int) []byte {
		return appendVectorField(appendInt8Field(buf, int64(i)), set.Base(i))
	})
	if _, err := conn.PgConn().CopyFrom(ctx, stream, "COPY "+table+" (id, embedding) FROM STDIN (FORMAT binary)"); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, fmt.Sprintf("CREATE INDEX %[1]s_embedding ON %[1]s USING hnsw (embedding %[2]s)", table, operatorsOf(set)))
	return err
}
