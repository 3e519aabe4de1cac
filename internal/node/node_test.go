package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/akidb/akidb/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines are a server's output; ready is closed when it says that it is ready.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
	once  sync.Once
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Contains(p, []byte("database system is ready to accept connections")) {
		l.once.Do(func() { close(l.ready) })
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a server of a test.
type running struct {
	out  *lines
	log  *lines
	stop context.CancelCauseFunc
	done chan error
}

func testConfig(dir string) config.Config {
	c := config.Default()
	c.DataDir, c.Listen, c.HTTPListen, c.MinFreeDisk = dir, "127.0.0.1:0", "off", 0
	c.Store.CacheBytes, c.Store.MemTableBytes, c.Store.BallastBytes = 8<<20, 4<<20, 1<<20
	return c
}

func start(t *testing.T, c config.Config) *running {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	r := &running{out: &lines{ready: make(chan struct{})}, log: &lines{ready: make(chan struct{})}, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- Run(ctx, c, slog.New(slog.NewTextHandler(r.log, nil)), r.out, "test") }()
	select {
	case <-r.out.ready:
	case err := <-r.done:
		t.Fatalf("the server ended: %v\n%s", err, r.log)
	}
	return r
}

func (r *running) end(t *testing.T, cause error) {
	t.Helper()
	r.stop(cause)
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
}

func TestAServerSaysHowToConnectAndThatItIsReady(t *testing.T) {
	r := start(t, testConfig(t.TempDir()))
	r.end(t, nil)
	text := strings.Split(r.out.String(), "\n")
	if !strings.HasPrefix(text[0], "connect with: psql -h 127.0.0.1 -p ") || text[1] != "database system is ready to accept connections" ||
		text[2] != "database system is shut down" {
		t.Errorf("output:\n%s", r.out)
	}
	for _, want := range []string{"database system is ready to accept connections", "received smart shutdown request"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("log without %q:\n%s", want, r.log)
		}
	}
}

func TestADataDirectoryHasOneServer(t *testing.T) {
	dir := t.TempDir()
	r := start(t, testConfig(dir))
	spill := filepath.Join(tempDir(dir), "spill")
	if err := os.WriteFile(spill, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), testConfig(dir), slog.New(slog.DiscardHandler), io.Discard, "test")
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != os.Getpid() || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second server: %v", err)
	}
	if _, err := os.Stat(spill); err != nil {
		t.Errorf("the second server removed a file of the first: %v", err)
	}
	if _, err := Check(t.Context(), CheckOptions{Config: testConfig(dir)}); !errors.As(err, &inUse) {
		t.Errorf("check beside a server: %v", err)
	}
	r.end(t, ErrFast)
	report, err := Check(t.Context(), CheckOptions{Config: testConfig(dir)})
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("check after it: %v %v", report, err)
	}
	start(t, testConfig(dir)).end(t, nil)
}

func TestAPortInUseIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, key := range []string{"listen", "http_listen"} {
		c := testConfig(t.TempDir())
		if key == "listen" {
			c.Listen = l.Addr().String()
		} else {
			c.HTTPListen = l.Addr().String()
		}
		err := Run(t.Context(), c, slog.New(slog.DiscardHandler), io.Discard, "test")
		if err == nil || !strings.Contains(err.Error(), "Address already in use") || !strings.Contains(err.Error(), fmt.Sprintf("%q", key)) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestCheckWantsADataDirectory(t *testing.T) {
	if _, err := Check(t.Context(), CheckOptions{Config: testConfig(t.TempDir())}); err == nil || !strings.Contains(err.Error(), "is not a data directory") {
		t.Errorf("got %v", err)
	}
}

func TestTheHTTPPortShowsHealthAndMetrics(t *testing.T) {
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
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string][]string{
		"/healthz": {`"status":"ok"`},
		"/readyz":  {`"status":"ready"`},
		"/metrics": {"akidb_connections 0", `akidb_ram_bytes{component="block_cache"}`, `akidb_disk_bytes{component="wal"}`, "akidb_read_only 0",
			"akidb_wal_fsync_duration_seconds_count", `akidb_tier_collections{tier="hot"} 0`, "go_goroutines"},
	} {
		res, err := client.Get("http://" + c.HTTPListen + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if res.StatusCode != http.StatusOK || !strings.Contains(string(body), w) {
				t.Errorf("%s: %s, without %q", path, res.Status, w)
			}
		}
	}
}
