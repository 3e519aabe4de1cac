package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Options of a migration.
type Options struct {
	// From is a folder or s3://bucket/prefix.
	From   string
	Bucket Bucket
	// DSN is the server; not needed for a dry run.
	DSN string
	// DryRun reads and checks everything and writes nothing.
	DryRun bool
	// Tables names the tables of collections that shall not have their own name.
	Tables map[string]string
	// Metric of the index that each table gets: cosine, l2, ip or none.
	Metric string
	// BatchRows are copied in one transaction.
	BatchRows int
	// Out is told what is done, Progress how far it is.
	Out, Progress io.Writer
}

// defaultBatchRows keeps a batch of wide vectors at some tens of megabytes.
const defaultBatchRows = 5000

// ProblemsError says what does not agree; the data is where it was.
type ProblemsError struct{ Problems []string }

func (e *ProblemsError) Error() string {
	return strconv.Itoa(len(e.Problems)) + " problems; nothing of version 1's files was changed"
}

// Run migrates all collections that it finds, or says what it would do.
func Run(ctx context.Context, o Options) (err error) {
	if o.Metric == "" {
		o.Metric = "cosine"
	}
	if _, ok := operatorClasses[o.Metric]; !ok {
		return fmt.Errorf("index %q is none of cosine, l2, ip, none", o.Metric)
	}
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
	}
	f, err := openFiles(o.From, o.Bucket)
	if err != nil {
		return err
	}
	found, problems, err := newest(ctx, f)
	if err != nil {
		return err
	}
	if len(found) == 0 && len(problems) == 0 {
		return fmt.Errorf("%s holds no snapshots of version 1: no file ends in %s", o.From, metaSuffix)
	}
	m := &migration{Options: o, files: f, problems: problems}
	if !o.DryRun {
		if m.target, err = dial(ctx, o.DSN); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, m.target.close()) }()
		if err := m.target.prepare(ctx); err != nil {
			return err
		}
	}
	for _, s := range found {
		if err := m.collection(ctx, s); err != nil {
			return fmt.Errorf("collection %s: %w", s.CollectionID, err)
		}
	}
	return m.end(len(found))
}

// migration is a run of it.
type migration struct {
	Options
	files    files
	target   *target // nil in a dry run
	problems []string
}

func (m *migration) end(collections int) error {
	for _, p := range m.problems {
		fmt.Fprintln(m.Out, "problem: "+p)
	}
	if len(m.problems) > 0 {
		return &ProblemsError{m.problems}
	}
	what := "migrated and verified"
	if m.DryRun {
		what = "can be migrated"
	}
	fmt.Fprintf(m.Out, "ok: %d collections %s\n", collections, what)
	return nil
}

func (m *migration) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

func (m *migration) table(collection string) string {
	if name, ok := m.Tables[collection]; ok {
		return name
	}
	return tableName(collection)
}

// collection copies one collection and compares it with its file.
func (m *migration) collection(ctx context.Context, s snapshot) error {
	c := &copying{migration: m, snapshot: s, table: m.table(s.CollectionID), sum: newSum(), started: time.Now()}
	if !m.DryRun {
		if err := c.begin(ctx); err != nil {
			return err
		}
	}
	var data recordError
	err := s.each(ctx, m.files, func(r *record) error { return c.row(ctx, r) })
	switch {
	case err != nil && m.DryRun && ctx.Err() == nil:
		m.problem("%v", err) // a dry run goes on to the next collection
		return nil
	case errors.As(err, &data):
		m.problem("%v", err)
		return nil
	case err != nil:
		return err
	}
	if c.sum.rows != s.VectorCount {
		m.problem("%s holds %d records, its meta.json says %d", s.data, c.sum.rows, s.VectorCount)
	}
	if m.DryRun {
		fmt.Fprintf(m.Out, "%s: %d rows of %d dimensions, snapshot %s of %s, %d bytes, into table %s\n", s.CollectionID, c.sum.rows,
			s.Dimension, s.SnapshotID, s.CreatedAt.UTC().Format(time.RFC3339), s.size, quote(c.table))
		return nil
	}
	if err := c.flush(ctx); err != nil {
		return err
	}
	return c.verify(ctx)
}
