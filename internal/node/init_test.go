package node

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// dsn is the address of a server's PostgreSQL port.
func (r *running) dsn(user, database string) string {
	fields := strings.Fields(r.out.String()) // connect with: psql -h HOST -p PORT …
	return "postgres://" + user + "@" + fields[4] + ":" + fields[6] + "/" + database + "?sslmode=disable"
}

func TestTheFirstStartMakesTheRoleTheDatabaseAndRunsTheScriptsOnce(t *testing.T) {
	c, scripts := testConfig(t.TempDir()), t.TempDir()
	c.Auth.User, c.Auth.Password, c.Database, c.InitScripts = "Ann", "secret", "shop", scripts
	writeScript(t, filepath.Join(scripts, "1.sql"), "CREATE TABLE t (a int); INSERT INTO t VALUES (1);")
	writeScript(t, filepath.Join(scripts, "2.sql.gz"), "INSERT INTO t VALUES (2)")
	writeScript(t, filepath.Join(scripts, "3.sh"), "false")
	for range 2 {
		r := start(t, c)
		conn, err := pgx.Connect(t.Context(), r.dsn("Ann", "shop"))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = conn.QueryRow(t.Context(), "SELECT current_database() || ' ' || current_user || ' ' || (SELECT sum(a) FROM t)").Scan(&got)
		if err = errors.Join(err, conn.Close(context.Background())); err != nil || got != "shop Ann 3" {
			t.Errorf("got %q %v", got, err)
		}
		r.end(t, nil)
	}
}

func TestAScriptThatFailsEndsTheFirstStart(t *testing.T) {
	c, scripts := testConfig(t.TempDir()), t.TempDir()
	c.InitScripts = scripts
	writeScript(t, filepath.Join(scripts, "1.sql"), "SELECT 1;\nSELECT nothing;")
	err := Run(t.Context(), c, slog.New(slog.DiscardHandler), io.Discard, "test")
	if err == nil || !strings.Contains(err.Error(), "1.sql") || !strings.Contains(err.Error(), `column "nothing" does not exist`) {
		t.Errorf("got %v", err)
	}
}

func writeScript(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	var w io.WriteCloser = f
	if strings.HasSuffix(name, ".gz") {
		w = gzip.NewWriter(f)
	}
	_, err = io.WriteString(w, text)
	if w != f {
		err = errors.Join(err, w.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
