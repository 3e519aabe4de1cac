package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The statements under testdata/same are given to AkiDB and to PostgreSQL with
// pgvector, in order, one connection each; both must answer the same: columns,
// types, rows, command tag, or SQLSTATE, message, detail and hint. Statements end with a semicolon
// at the end of a line. A comment line before a statement may say
//
//	-- differs: why       both run it, the answers are not compared
//	-- code: why          of an error only the SQLSTATE is compared
//	-- unordered          the rows' order is not compared
const sameDir = "testdata/same"

// sameStatement is one statement of a file.
type sameStatement struct {
	line      int
	sql       string
	differs   bool
	codeOnly  bool
	unordered bool
}

func TestTheSameStatementsAnswerAsPostgreSQLWithPgvector(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sameDir, "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no statements under %s: %v", sameDir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			ours := launch(t, t.TempDir())
			theirs := startOracle(t)
			a, b := plainConnect(t, ours.url()), plainConnect(t, theirs)
			for _, s := range readStatements(t, file) {
				got, want := ask(t, a, s), ask(t, b, s)
				if !s.differs && got != want {
					t.Errorf("%s:%d: %s\n  AkiDB:\n%s\n  PostgreSQL:\n%s", filepath.Base(file), s.line, s.sql, indent(got), indent(want))
				}
			}
		})
	}
}

func indent(s string) string {
	if len(s) > 2000 {
		s = s[:2000] + " …"
	}
	return "    " + strings.ReplaceAll(s, "\n", "\n    ")
}

// readStatements cuts a file into statements.
func readStatements(t *testing.T, path string) []sameStatement {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []sameStatement
	cur := sameStatement{}
	for n, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		if cur.sql == "" {
			switch {
			case trimmed == "":
				continue
			case strings.HasPrefix(trimmed, "-- differs:"):
				cur.differs = true
				continue
			case strings.HasPrefix(trimmed, "-- code:"):
				cur.codeOnly = true
				continue
			case trimmed == "-- unordered":
				cur.unordered = true
				continue
			case strings.HasPrefix(trimmed, "--"):
				continue
			}
			cur.line = n + 1
		} else {
			cur.sql += "\n"
		}
		cur.sql += line
		if strings.HasSuffix(trimmed, ";") {
			out = append(out, cur)
			cur = sameStatement{}
		}
	}
	if cur.sql != "" {
		t.Fatalf("%s: the last statement does not end with a semicolon", path)
	}
	return out
}

func plainConnect(t *testing.T, url string) *pgconn.PgConn {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // the server may have gone
	return c
}

// typeNames caches names of types that have no fixed oid, by connection.
var typeNames sync.Map

type typeKey struct {
	conn *pgconn.PgConn
	oid  uint32
}

// typeName is a type as both servers call it.
func typeName(t *testing.T, c *pgconn.PgConn, oid uint32) string {
	if oid < 16384 {
		return fmt.Sprint(oid)
	}
	key := typeKey{c, oid}
	if name, ok := typeNames.Load(key); ok {
		return name.(string)
	}
	results, err := c.Exec(t.Context(), fmt.Sprintf("SELECT typname FROM pg_type WHERE oid = %d", oid)).ReadAll()
	name := "?"
	if err == nil && len(results) == 1 && len(results[0].Rows) == 1 {
		name = string(results[0].Rows[0][0])
	}
	typeNames.Store(key, name)
	return name
}

// ask runs a statement and writes down the answer.
func ask(t *testing.T, c *pgconn.PgConn, s sameStatement) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	results, err := c.Exec(ctx, s.sql).ReadAll()
	var b strings.Builder
	if err != nil {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", s.sql, err)
		}
		if s.codeOnly {
			return "ERROR " + e.Code
		}
		fmt.Fprintf(&b, "ERROR %s %s", e.Code, e.Message)
		if e.Detail != "" {
			fmt.Fprintf(&b, "\nDETAIL %s", e.Detail)
		}
		if e.ConstraintName != "" {
			fmt.Fprintf(&b, "\nCONSTRAINT %s", e.ConstraintName)
		}
		return b.String()
	}
	for _, r := range results {
		if len(r.FieldDescriptions) > 0 {
			columns := make([]string, len(r.FieldDescriptions))
			for i, f := range r.FieldDescriptions {
				columns[i] = fmt.Sprintf("%s:%s:%d", f.Name, typeName(t, c, f.DataTypeOID), f.TypeModifier)
			}
			fmt.Fprintf(&b, "[%s]\n", strings.Join(columns, " "))
		}
		lines := make([]string, len(r.Rows))
		for i, row := range r.Rows {
			cells := make([]string, len(row))
			for j, cell := range row {
				if cell == nil {
					cells[j] = "NULL"
				} else {
					cells[j] = string(cell)
				}
			}
			lines[i] = strings.Join(cells, "|")
		}
		if s.unordered {
			slices.Sort(lines)
		}
		for _, l := range lines {
			fmt.Fprintln(&b, l)
		}
		fmt.Fprintln(&b, r.CommandTag)
	}
	return b.String()
}

// startOracle starts PostgreSQL with pgvector and returns its address.
func startOracle(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("oracle/node_modules/@electric-sql/pglite"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL for comparison is not installed")
		}
		t.Skip("PostgreSQL for comparison is not installed: run make oracle")
	}
	cmd := exec.Command("node", "serve.mjs")
	cmd.Dir = "oracle"
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // it ends with its input
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if port, ok := strings.CutPrefix(lines.Text(), "port "); ok {
			go func() {
				for lines.Scan() { // whatever it prints later
				}
			}()
			return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"
		}
	}
	t.Fatal("PostgreSQL for comparison did not start")
	return ""
}
