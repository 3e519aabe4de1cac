package akidb

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"
)

func readAll(r io.Reader) []byte {
	b, err := io.ReadAll(r)
	if err != nil {
		return []byte(err.Error())
	}
	return b
}

func TestAServerInAContainerTakesSQL(t *testing.T) {
	c := connect(t, server(t).DSN())
	exec1(t, c, `CREATE TABLE items (id bigserial PRIMARY KEY, title text, embedding vector(3));
		CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops)`)
	rows := [][]any{{"red", "[1,0,0]"}, {"green", "[0,1,0]"}, {"yellow", "[1,1,0]"}}
	for _, r := range rows {
		exec1(t, c, "INSERT INTO items (title, embedding) VALUES ($1, $2)", r...)
	}
	if got := one[string](t, c, "SELECT title FROM items ORDER BY embedding <=> $1 LIMIT 1", "[1,0.9,0]"); got != "yellow" {
		t.Errorf("nearest: %s", got)
	}
}

func TestTheHTTPPortShowsHealthAndMetrics(t *testing.T) {
	s := server(t)
	for path, want := range map[string]string{"/healthz": `"status":"ok"`, "/readyz": "ready", "/metrics": "akidb_connections"} {
		res, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body := string(readAll(res.Body))
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %s, without %s (%v)", path, res.Status, want, err)
		}
	}
}

// The quickest of a few starts counts, and none on a machine that is busy with other things.
func TestAServerIsReadyWithinASecondOfItsContainersStart(t *testing.T) {
	best := time.Hour
	for range 3 {
		s := server(t, testcontainers.WithAdditionalWaitStrategy(wait.ForLog(`level=INFO msg="database system is ready`)))
		best = min(best, readyAfter(t, s))
		if err := testcontainers.TerminateContainer(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("ready after %v", best)
	if best > time.Second {
		if load := busy(); load > 2 {
			t.Skipf("ready after %v, but the machine has %.1f programs running for each processor", best, load)
		}
		t.Errorf("ready after %v", best)
	}
}

// busy is how many programs want each processor, of late; 0 where that is not known.
func busy() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load / float64(runtime.NumCPU())
}

// readyAfter is the time from the container's start to the time in the log's line.
func readyAfter(t *testing.T, s *Container) time.Duration {
	t.Helper()
	state, err := s.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	started, err := time.Parse(time.RFC3339Nano, state.StartedAt)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(logs(s)) {
		if _, rest, ok := strings.Cut(line, "time="); ok && strings.Contains(line, "ready to accept connections") {
			text, _, _ := strings.Cut(rest, " ")
			ready, err := time.Parse("2006-01-02T15:04:05.000Z07:00", text)
			if err != nil {
				t.Fatal(err)
			}
			return ready.Sub(started)
		}
	}
	t.Fatalf("no line with a time in\n%s", logs(s))
	return 0
}

func TestUserPasswordDatabaseSettingsAndScriptsCanBeChosen(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "z.sql"), filepath.Join(dir, "a.sql")
	for file, text := range map[string]string{
		first:  "CREATE TABLE t (a int); -- the first\nINSERT INTO t VALUES (1), (2);",
		second: "INSERT INTO t SELECT a + 10 FROM t;",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := server(t, WithUser("ann"), WithPassword("p@ss/word"), WithDatabase("shop"), WithSetting("hnsw.ef_search", "99"), WithInitScripts(first, second))
	c := connect(t, s.DSN())
	if got := one[string](t, c, "SELECT current_user || ' ' || current_database() || ' ' || current_setting('hnsw.ef_search')"); got != "ann shop 99" {
		t.Errorf("got %s", got)
	}
	if got := one[int64](t, c, "SELECT sum(a) FROM t"); got != 26 {
		t.Errorf("the scripts' rows add up to %d", got)
	}
	if _, err := pgx.Connect(t.Context(), strings.Replace(s.DSN(), "p%40ss%2Fword", "wrong", 1)); err == nil || !strings.Contains(err.Error(), "28P01") {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestRowsOutliveStopKillAndStart(t *testing.T) {
	s := server(t)
	c := connect(t, s.DSN())
	exec1(t, c, "CREATE TABLE t (a int)")
	timeout := 10 * time.Second
	for i, stop := range []func() error{
		func() error { return s.Stop(t.Context(), &timeout) },
		func() error { kill := time.Duration(0); return s.Stop(t.Context(), &kill) },
	} {
		exec1(t, c, "INSERT INTO t VALUES ($1)", i)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		c = connect(t, s.DSN())
		if got := one[int64](t, c, "SELECT count(*) FROM t"); got != int64(i+1) {
			t.Errorf("%d rows after stop %d", got, i)
		}
	}
}

func TestTheImageIsSmallNotRootAndSaysHowItIsRun(t *testing.T) {
	name := image(t)
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = provider.Close() }() // its connections only
	details, err := provider.Client().ImageInspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	c := details.Config
	if details.Size > 60<<20 {
		t.Errorf("%d bytes", details.Size)
	}
	if c.User != "10001:10001" || c.StopSignal != "SIGTERM" || len(c.Volumes) != 1 || len(c.ExposedPorts) != 2 || c.Healthcheck == nil {
		t.Errorf("got %+v", c)
	}
}

// testcontainers' own module gives the command "postgres -c fsync=off" and waits for the log line twice.
func TestThePostgresModuleOfTestcontainersWorksWithTheImage(t *testing.T) {
	script := filepath.Join(t.TempDir(), "init.sql")
	if err := os.WriteFile(script, []byte("CREATE EXTENSION vector; CREATE TABLE t (v vector(2)); INSERT INTO t VALUES ('[1,2]')"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := postgres.Run(t.Context(), image(t), postgres.WithDatabase("test"), postgres.WithUsername("user"), postgres.WithPassword("password"),
		postgres.WithInitScripts(script), postgres.BasicWaitStrategies())
	testcontainers.CleanupContainer(t, p)
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := p.ConnectionString(t.Context(), "sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, dsn)
	if got := one[string](t, c, "SELECT v::text FROM t"); got != "[1,2]" {
		t.Errorf("got %s", got)
	}
	if got := one[string](t, c, "SHOW synchronous_commit"); got != "off" {
		t.Errorf("with -c fsync=off synchronous_commit is %s", got)
	}
}

func TestACheckOfHealthFailsBeforeTheServerIsThere(t *testing.T) {
	s := server(t)
	code, out, err := s.Exec(t.Context(), []string{"/akidb", "health"})
	if err != nil || code != 0 {
		t.Errorf("health of a server that runs: %d %s %v", code, readAll(out), err)
	}
	code, out, err = s.Exec(t.Context(), []string{"/akidb", "health", "--url", "http://127.0.0.1:1"})
	if err != nil || code != 1 {
		t.Errorf("health of a server that does not run: %d %s %v", code, readAll(out), err)
	}
}
