package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func shown(t testing.TB, c *pgx.Conn, setting string) string {
	t.Helper()
	var v string
	if err := c.QueryRow(t.Context(), "SHOW "+setting).Scan(&v); err != nil {
		t.Fatalf("SHOW %s: %v", setting, err)
	}
	return v
}

func must(t testing.TB, c *pgx.Conn, text string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// refused runs a statement that must fail with a code and a message.
func refused(t testing.TB, c *pgx.Conn, text, code, message string) {
	t.Helper()
	_, err := c.Exec(t.Context(), text)
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != code || e.Message != message {
		t.Errorf("%s: %v, want %s %s", text, err, code, message)
	}
}

func TestAlterSystemIsKeptAndCountsWhenTheConfigurationIsLoadedAgain(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	c := p.connect(t)
	other := p.connect(t)
	must(t, other, "SET hnsw.ef_search = 77")
	must(t, c, "ALTER SYSTEM SET hnsw.ef_search = 99")
	must(t, c, "ALTER SYSTEM SET work_mem TO '8MB'")
	must(t, c, "ALTER SYSTEM SET max_connections = 100")
	if got := shown(t, c, "hnsw.ef_search"); got != "40" {
		t.Errorf("before it is loaded: %s", got)
	}
	must(t, c, "SELECT pg_reload_conf()")
	if a, b, d := shown(t, c, "hnsw.ef_search"), shown(t, c, "work_mem"), shown(t, other, "hnsw.ef_search"); a != "99" || b != "8MB" || d != "77" {
		t.Errorf("after it: %s %s, a session with its own value: %s", a, b, d)
	}
	must(t, other, "RESET hnsw.ef_search")
	if got := shown(t, other, "hnsw.ef_search"); got != "99" {
		t.Errorf("after RESET: %s", got)
	}
	if want := `parameter \"max_connections\" cannot be changed without restarting the server`; !strings.Contains(p.output.String(), want) {
		t.Errorf("the log does not say: %s\n%s", want, p.output)
	}
	refused(t, c, "ALTER SYSTEM SET hnsw.ef_search = 0", "22023", `0 is outside the valid range for parameter "hnsw.ef_search" (1 .. 1000)`)
	refused(t, c, "ALTER SYSTEM SET nothing = 0", "42704", `unrecognized configuration parameter "nothing"`)
	refused(t, c, "ALTER SYSTEM SET server_version = '17'", "55P02", `parameter "server_version" cannot be changed`)
	refused(t, c, "SET tiering.enabled = off", "55P02", `parameter "tiering.enabled" cannot be changed now`)
	refused(t, c, "SET max_connections = 5", "55P02", `parameter "max_connections" cannot be changed without restarting the server`)
	must(t, c, "BEGIN")
	refused(t, c, "ALTER SYSTEM SET work_mem = '9MB'", "25001", "ALTER SYSTEM cannot run inside a transaction block")
	must(t, c, "ROLLBACK")
	must(t, c, "CREATE ROLE clerk")
	must(t, c, "SET ROLE clerk")
	refused(t, c, "ALTER SYSTEM SET work_mem = '9MB'", "42501", `permission denied to set parameter "work_mem"`)
	refused(t, c, "SELECT pg_reload_conf()", "42501", "permission denied for function pg_reload_conf")
	must(t, c, "RESET ROLE")
	p.kill()
	<-p.exited
	p.exited <- nil

	p = launch(t, dir)
	c = p.connect(t)
	if a, b, d := shown(t, c, "hnsw.ef_search"), shown(t, c, "work_mem"), shown(t, c, "max_connections"); a != "99" || b != "8MB" || d != "100" {
		t.Errorf("after a restart: %s %s %s", a, b, d)
	}
	must(t, c, "ALTER SYSTEM RESET hnsw.ef_search")
	must(t, c, "SELECT pg_reload_conf()")
	if a, b := shown(t, c, "hnsw.ef_search"), shown(t, c, "work_mem"); a != "40" || b != "8MB" {
		t.Errorf("after RESET of one: %s %s", a, b)
	}
	must(t, c, "ALTER SYSTEM RESET ALL")
	must(t, c, "SELECT pg_reload_conf()")
	if got := shown(t, c, "work_mem"); got != "4MB" {
		t.Errorf("after RESET ALL: %s", got)
	}
}

func TestRolesAndDatabasesHaveSettingsOfTheirOwn(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	must(t, c, "ALTER DATABASE postgres SET hnsw.ef_search = 50")
	must(t, c, "ALTER DATABASE postgres SET work_mem = '5MB'")
	must(t, c, "ALTER ROLE postgres SET hnsw.ef_search = 60")
	later := p.connect(t)
	if a, b := shown(t, later, "hnsw.ef_search"), shown(t, later, "work_mem"); a != "60" || b != "5MB" {
		t.Errorf("%s %s", a, b)
	}
	must(t, c, "ALTER ROLE postgres RESET hnsw.ef_search")
	if got := shown(t, p.connect(t), "hnsw.ef_search"); got != "50" {
		t.Errorf("after RESET: %s", got)
	}
}

func TestSIGHUPTakesOverWhatARunningServerCan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "akidb.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[settings]\nwork_mem = \"6MB\"\n[auth]\npassword = \"one\"\n")
	p := launch(t, t.TempDir(), "--config", file)
	c := p.connect(t)
	hangup := func(log string) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, log, func() bool { return strings.Contains(p.output.String(), log) })
	}
	write("[settings]\nwork_mem = \"7MB\"\n[auth]\npassword = \"two\"\nloopback = \"scram-sha-256\"\n[store]\nballast_bytes = 1000\n[log]\nlevel = \"debug\"\n")
	hangup(`parameter \"store.ballast_bytes\" cannot be changed without restarting the server`)
	if got := shown(t, c, "work_mem"); got != "7MB" {
		t.Errorf("work_mem: %s", got)
	}
	if got := shown(t, c, "log_min_messages"); got != "debug" {
		t.Errorf("log_min_messages: %s", got)
	}
	for password, works := range map[string]bool{"one": false, "two": true} {
		config, err := pgx.ParseConfig(p.url())
		if err != nil {
			t.Fatal(err)
		}
		config.Password = password
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if (err == nil) != works {
			t.Errorf("password %s: %v", password, err)
		}
		if err == nil {
			_ = conn.Close(t.Context())
		}
	}
	write("[settings]\nwork_mem = \"8MB\"\nnonsense = \"1\"\n")
	hangup("the configuration was not loaded: the old one stays")
	if got := shown(t, c, "work_mem"); got != "7MB" {
		t.Errorf("after a configuration that is wrong: %s", got)
	}
}

// certificate writes a self-signed certificate with a serial number of its own.
func certificate(t testing.TB, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"server.crt": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewCertificatesAreTakenOverOnBothPorts(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir, 1)
	t.Setenv("AKIDB_TLS_CERT", filepath.Join(dir, "server.crt"))
	t.Setenv("AKIDB_TLS_KEY", filepath.Join(dir, "server.key"))
	t.Setenv("AKIDB_HTTP_TLS", "true")
	r := launchREST(t)
	if !strings.HasPrefix(r.url, "https://") {
		t.Fatalf("the HTTP port is at %s", r.url)
	}
	serials := func() (wire, rest int64) {
		config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=require", r.host, r.port))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		wire = conn.PgConn().Conn().(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
		_ = conn.Close(t.Context())
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
		res, err := client.Get(r.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return wire, res.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if wire, rest := serials(); wire != 1 || rest != 1 {
		t.Errorf("at the start: %d %d", wire, rest)
	}
	certificate(t, dir, 2)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the new certificate", func() bool { wire, rest := serials(); return wire == 2 && rest == 2 })
}

func TestSlowStatementsAreLoggedWithoutTheirParameters(t *testing.T) {
	p := launch(t, t.TempDir(), "--log-format", "json")
	c := p.connect(t)
	slow := func() []map[string]any {
		var out []map[string]any
		for line := range strings.Lines(p.output.String()) {
			var m map[string]any
			if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == "slow statement" {
				out = append(out, m)
			}
		}
		return out
	}
	var n int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM generate_series(1, 10) WHERE $1 <> 'x'", "secret").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if got := slow(); len(got) > 0 {
		t.Fatalf("logged without being asked: %v", got)
	}
	must(t, c, "SET log_min_duration_statement = 0")
	if err := c.QueryRow(t.Context(), "SELECT count(*) /* "+strings.Repeat("é", 3000)+" */ FROM generate_series(1, 10) WHERE $1 <> 'x'", "secret").Scan(&n); err != nil {
		t.Fatal(err)
	}
	until(t, "a slow statement", func() bool { return len(slow()) == 1 })
	m := slow()[0]
	query, _ := m["query"].(string)
	if len(query) > 2100 || m["user"] != "postgres" || m["tag"] != "SELECT 1" || m["session"] == nil || m["statement"] == nil || m["query_bytes"] == nil {
		t.Errorf("logged: %v", m)
	}
	if strings.Contains(p.output.String(), "secret") {
		t.Error("a parameter is in the log")
	}
	must(t, c, "SET log_parameter_max_length = 3")
	if err := c.QueryRow(t.Context(), "SELECT 1 WHERE $1 <> 'x'", "secret").Scan(&n); err != nil {
		t.Fatal(err)
	}
	until(t, "a parameter", func() bool { return strings.Contains(p.output.String(), `"$1":"sec…"`) })
	must(t, c, "SET log_min_duration_statement = '1min'")
	before := len(slow())
	must(t, c, "SELECT 1")
	if len(slow()) != before {
		t.Error("a fast statement is logged as a slow one")
	}
}

func TestPgStatActivityShowsEverySessionAsItIs(t *testing.T) {
	p := launch(t, t.TempDir())
	c, other := p.connect(t), p.connect(t)
	must(t, other, "SET application_name = 'loader'")
	must(t, other, "BEGIN")
	must(t, other, "SELECT 42")
	var user, app, state, query, addr, wait string
	var port int
	var xact, started bool
	err := c.QueryRow(t.Context(), `SELECT usename, application_name, state, query, split_part(client_addr::text, '/', 1), client_port, xact_start IS NOT NULL, backend_start <= now(), wait_event
		FROM pg_stat_activity WHERE pid <> pg_backend_pid()`).Scan(&user, &app, &state, &query, &addr, &port, &xact, &started, &wait)
	if err != nil || user != "postgres" || app != "loader" || state != "idle in transaction" || query != "SELECT 42" || addr != "127.0.0.1" || port < 1024 || !xact || !started || wait != "ClientRead" {
		t.Errorf("%s %s %s %s %s %d %v %v %s %v", user, app, state, query, addr, port, xact, started, wait, err)
	}
	refused(t, other, "SELECT 1/0", "22012", "division by zero")
	if err := c.QueryRow(t.Context(), "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()").Scan(&state); err != nil || state != "idle in transaction (aborted)" {
		t.Errorf("after an error: %s %v", state, err)
	}
	must(t, other, "ROLLBACK")
	refused(t, other, "SELECT 1/0", "22012", "division by zero")
	if err := c.QueryRow(t.Context(), "SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()").Scan(&state); err != nil || state != "idle" {
		t.Errorf("after an error outside a block: %s %v", state, err)
	}
	must(t, c, "CREATE ROLE clerk LOGIN")
	must(t, c, "SET ROLE clerk")
	if err := c.QueryRow(t.Context(), "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()").Scan(&query); err != nil || query != "<insufficient privilege>" {
		t.Errorf("another role sees %s %v", query, err)
	}
}

func TestTheTieringPolicyIsChangedByAlterSystem(t *testing.T) {
	p := launch(t, t.TempDir())
	c := p.connect(t)
	must(t, c, "CREATE TABLE items (id int PRIMARY KEY, v vector(2))")
	must(t, c, "INSERT INTO items SELECT g, ARRAY[g, 1]::real[]::vector FROM generate_series(1, 100) g")
	must(t, c, "CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
	refused(t, c, "ALTER SYSTEM SET tiering.hot_tier_ttl = 'soon'", "22023", `invalid value for parameter "tiering.hot_tier_ttl": "soon"`)
	must(t, c, "ALTER SYSTEM SET tiering.hot_tier_ttl = '100 ms'")
	must(t, c, "ALTER SYSTEM SET tiering.worker_interval = '50 ms'")
	must(t, c, "SELECT pg_reload_conf()")
	if got := shown(t, c, "tiering.hot_tier_ttl"); got != "100 ms" {
		t.Errorf("tiering.hot_tier_ttl: %s", got)
	}
	tier := func() (name string) {
		if err := c.QueryRow(t.Context(), "SELECT tier FROM akidb.collection_tiers WHERE name = 'items'").Scan(&name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	until(t, "a collection without accesses leaves the memory", func() bool { return tier() != "hot" })
	must(t, c, "ALTER SYSTEM SET tiering.hot_tier_ttl_hours = 5")
	must(t, c, "ALTER SYSTEM SET tiering.enabled = off")
	must(t, c, "SELECT pg_reload_conf()")
	if a, b := shown(t, c, "tiering.hot_tier_ttl"), shown(t, c, "tiering.enabled"); b != "off" {
		t.Errorf("tiering.hot_tier_ttl %q, tiering.enabled %s", a, b)
	}
}

func TestTheBuildOfAnIndexShowsItsProgress(t *testing.T) {
	p := launch(t, t.TempDir())
	c, builder := p.connect(t), p.connect(t)
	must(t, c, "CREATE TABLE big (id int PRIMARY KEY, v vector(64))")
	must(t, c, "INSERT INTO big SELECT g, (SELECT array_agg(sin(g * i)::real) FROM generate_series(1, 64) i)::vector FROM generate_series(1, 20000) g")
	built := make(chan error, 1)
	go func() {
		_, err := builder.Exec(context.Background(), "CREATE INDEX ON big USING hnsw (v vector_l2_ops)")
		built <- err
	}()
	phases, most := map[string]bool{}, int64(0)
	for {
		select {
		case err := <-built:
			if err != nil {
				t.Fatal(err)
			}
			if !phases["loading tuples"] || most == 0 || most > 20000 {
				t.Errorf("phases %v, at most %d tuples", phases, most)
			}
			var n int
			if err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_progress_create_index").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d builds after the end, %v", n, err)
			}
			return
		default:
		}
		var phase, table string
		var done, total int64
		var pid uint32
		err := c.QueryRow(t.Context(), "SELECT phase, relid::regclass::text, tuples_done, tuples_total, pid FROM pg_stat_progress_create_index").Scan(&phase, &table, &done, &total, &pid)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if table != "big" || pid != builder.PgConn().PID() {
			t.Errorf("%s of pid %d, not big of %d", table, pid, builder.PgConn().PID())
		}
		if phases[phase] = true; total > 0 && done > total {
			t.Errorf("%s: %d of %d", phase, done, total)
		}
		most = max(most, done)
	}
}
