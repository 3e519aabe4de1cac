package migrate

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// recordError is a row that the server cannot take as it is.
type recordError struct{ error }

func (e recordError) Unwrap() error { return e.error }

// copying is the copy of one collection.
type copying struct {
	*migration
	snapshot
	table   string
	sum     *sum // of the file's rows so far
	copied  int64
	batch   strings.Builder
	inBatch int

	verified bool
	started  time.Time
	reported time.Time
	skipped  int64
}

// begin finds out how far an earlier run has come, or makes the table.
func (c *copying) begin(ctx context.Context) error {
	n, err := c.target.note(ctx, c.CollectionID)
	if err != nil {
		return err
	}
	if n == nil {
		return c.target.create(ctx, c.snapshot, c.table)
	}
	if n.snapshot != c.SnapshotID {
		return fmt.Errorf("it was begun from snapshot %s, and the newest is %s now: drop the table %s and the collection's row in %s to begin anew",
			n.snapshot, c.SnapshotID, quote(n.table), notesTable)
	}
	if c.table != n.table {
		if _, given := c.Tables[c.CollectionID]; given {
			return fmt.Errorf("it was begun into the table %s, not %s", quote(n.table), quote(c.table))
		}
	}
	c.table, c.copied, c.skipped, c.verified = n.table, n.rows, n.rows, n.verified != nil
	if c.copied > 0 && !c.verified {
		fmt.Fprintf(c.Out, "%s: goes on after %d rows\n", c.CollectionID, c.copied)
	}
	return nil
}

// row takes a record of the file; those of an earlier run count for the sum only.
func (c *copying) row(ctx context.Context, r *record) error {
	if err := c.sum.add(r); err != nil {
		return fmt.Errorf("%s, record %d: %w", c.data, c.sum.rows+1, err)
	}
	c.report(false)
	if c.DryRun || c.sum.rows <= c.copied {
		return nil
	}
	appendCopy(&c.batch, r)
	c.inBatch++
	if c.inBatch < c.BatchRows {
		return nil
	}
	return c.flush(ctx)
}

func (c *copying) flush(ctx context.Context) error {
	if c.inBatch == 0 {
		return nil
	}
	if err := c.target.copyRows(ctx, c.CollectionID, c.table, c.batch.String(), c.sum.rows); err != nil {
		return fmt.Errorf("rows %d to %d: %w", c.copied+1, c.sum.rows, err)
	}
	c.copied, c.inBatch = c.sum.rows, 0
	c.batch.Reset()
	return nil
}

// verify compares the table with the file and notes that it agrees.
func (c *copying) verify(ctx context.Context) error {
	c.report(true)
	there, err := c.target.sum(ctx, c.table)
	if err != nil {
		return err
	}
	if there.rows != c.sum.rows || there.String() != c.sum.String() {
		hint := ""
		if c.verified {
			hint = "; it agreed before: were rows changed since?"
		}
		c.problem("table %s holds %d rows with checksum %s, the file %s %d with %s%s", quote(c.table), there.rows, there, c.data, c.sum.rows, c.sum, hint)
		return nil
	}
	if err := c.target.index(ctx, c.table, c.Metric); err != nil {
		return err
	}
	_, err = c.target.conn.Exec(ctx, "UPDATE "+notesTable+" SET verified_at = now(), checksum = $2 WHERE collection_id = $1", c.CollectionID, c.sum.String())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%s: %d rows in table %s agree with the file, checksum %s\n", c.CollectionID, c.sum.rows, quote(c.table), c.sum)
	return nil
}

// reportEvery is the time between two lines of progress.
const reportEvery = 2 * time.Second

func (c *copying) report(last bool) {
	if c.Progress == nil || !last && c.sum.rows%1000 != 0 {
		return
	}
	now := time.Now()
	if !last && now.Sub(c.reported) < reportEvery {
		return
	}
	c.reported = now
	share := 100.0
	if c.VectorCount > 0 {
		share = 100 * float64(c.sum.rows) / float64(c.VectorCount)
	}
	fmt.Fprintf(c.Progress, "%s: %d of %d rows (%.0f %%), %.0f rows/s\n", c.CollectionID, c.sum.rows, c.VectorCount, share,
		float64(c.sum.rows-min(c.skipped, c.sum.rows))/max(now.Sub(c.started).Seconds(), 1e-3))
}

// appendCopy writes a record as a line of COPY's text form.
func appendCopy(b *strings.Builder, r *record) {
	b.WriteString(r.DocID.String())
	b.WriteByte('\t')
	if r.ExternalID != nil {
		_, _ = copyEscape.WriteString(b, *r.ExternalID) // a Builder takes all
	} else {
		b.WriteString(`\N`)
	}
	b.WriteString("\t[")
	var number [32]byte
	for i, f := range r.Vector {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(strconv.AppendFloat(number[:0], float64(f), 'g', -1, 32))
	}
	b.WriteString("]\t")
	if r.hasMetadata() {
		_, _ = copyEscape.WriteString(b, string(r.Metadata)) // as above
	} else {
		b.WriteString(`\N`)
	}
	b.WriteByte('\t')
	if r.InsertedAt != nil {
		b.WriteString(micros(*r.InsertedAt).UTC().Format("2006-01-02 15:04:05.999999Z"))
	} else {
		b.WriteString(`\N`)
	}
	b.WriteByte('\n')
}

var copyEscape = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
