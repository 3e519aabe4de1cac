package node

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Tables and indexes of several schemas may have one name; each has its own figures.
func TestMetricsTellIndexesOfSeveralSchemasApart(t *testing.T) {
	c := testConfig(t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port
	if err != nil {
		t.Fatal(err)
	}
	c.HTTPListen = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := start(t, c)
	defer r.end(t, nil)
	ctx := context.Background()
	fields := strings.Fields(r.out.String()) // connect with: psql -h HOST -p PORT …
	conn, err := pgx.Connect(ctx, "postgres://postgres@"+fields[4]+":"+fields[6]+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `CREATE TABLE t (v vector(2)); CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
		CREATE SCHEMA other; CREATE TABLE other.t (v vector(2)); CREATE INDEX i ON other.t USING hnsw (v vector_l2_ops)`); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + c.HTTPListen + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it is read
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`akidb_index_vectors{index="public.i"} 0`, `akidb_index_vectors{index="other.i"} 0`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s, without %q", res.Status, want)
		}
	}
}
