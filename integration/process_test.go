package integration

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var serverBinary = sync.OnceValues(func() (string, error) {
	if b := os.Getenv("AKIDB_BIN"); b != "" {
		return b, nil
	}
	dir, err := os.MkdirTemp("", "akidb-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "akidb")
	out, err := exec.Command("go", "build", "-o", path, "github.com/akidb/akidb/cmd/akidb").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := serverBinary(); err == nil && os.Getenv("AKIDB_BIN") == "" {
		_ = os.RemoveAll(filepath.Dir(b)) // a temporary folder
	}
	os.Exit(code)
}

// process is a server process.
type process struct {
	dir    string
	flags  []string // beyond those of every server
	host   string
	port   string
	cmd    *exec.Cmd
	output *output
	exited chan error
}

// output keeps what a process prints and tells when a line has come.
type output struct {
	mu    sync.Mutex
	lines []string
}

func (o *output) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

const readyLine = "database system is ready to accept connections"

// launch starts a server on a data directory and waits until it says that it is ready.
func launch(t testing.TB, dir string, flags ...string) *process {
	t.Helper()
	p, err := tryLaunch(t, dir, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLaunch(t testing.TB, dir string, flags ...string) (*process, error) {
	t.Helper()
	return launchIn(t, nil, dir, flags...)
}

// launchWith is launch with further environment variables ("NAME=value").
func launchWith(t testing.TB, env []string, dir string, flags ...string) *process {
	t.Helper()
	p, err := launchIn(t, env, dir, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func launchIn(t testing.TB, env []string, dir string, flags ...string) (*process, error) {
	t.Helper()
	bin, err := serverBinary()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--http-listen", "off"}, flags...)
	p := &process{dir: dir, flags: flags, cmd: exec.Command(bin, args...), output: &output{}, exited: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), env...)
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = writer{p.output}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			line := lines.Text()
			p.output.add(line)
			if rest, ok := strings.CutPrefix(line, "connect with: psql -h "); ok {
				fields := strings.Fields(rest)
				p.host, p.port = fields[0], fields[2]
			}
			if line == readyLine {
				ready <- true
			}
		}
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.end(t) })
	select {
	case <-ready:
		return p, nil
	case err := <-p.exited:
		p.exited <- err
		return nil, fmt.Errorf("the server ended at its start: %w\n%s", err, p.output)
	case <-time.After(2 * time.Minute):
		return nil, fmt.Errorf("the server is not ready:\n%s", p.output)
	}
}

// writer adds what a process writes to standard error.
type writer struct{ o *output }

func (w writer) Write(b []byte) (int, error) {
	w.o.add(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}

// stop ends the server in good order.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := <-p.exited
	p.exited <- err
	if err != nil {
		t.Errorf("the server ended with %v\n%s", err, p.output)
	}
}

// kill ends the server as a power failure would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	p.exited <- <-p.exited
}

func (p *process) end(t testing.TB) {
	select {
	case err := <-p.exited:
		p.exited <- err
	default:
		p.kill()
	}
	if t.Failed() {
		t.Logf("the server printed:\n%s", p.output)
	}
}

func (p *process) url() string {
	return "postgres://postgres@" + p.host + ":" + p.port + "/postgres?sslmode=disable"
}

// connect opens a pgx connection that the test closes.
func (p *process) connect(t testing.TB) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), p.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // the server may have gone
	return c
}

// psql runs psql on a script and returns what it prints.
func (p *process) psql(t testing.TB, script string, flags ...string) string {
	t.Helper()
	path, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not installed")
	}
	args := append([]string{"-h", p.host, "-p", p.port, "-U", "postgres", "-X", "-v", "ON_ERROR_STOP=0"}, flags...)
	cmd := exec.Command(path, append(args, "postgres")...)
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = append(os.Environ(), "PGCLIENTENCODING=UTF8", "LC_ALL=C.UTF-8", "PAGER=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("psql: %v", err)
	}
	return string(out)
}

// exec runs a statement or fails the test.
func run(t testing.TB, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// query returns the rows of a statement, as text.
func query(t testing.TB, c *pgx.Conn, sql string) [][]string {
	t.Helper()
	out, err := textRows(c, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func textRows(c *pgx.Conn, sql string) ([][]string, error) {
	results, err := c.PgConn().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, row := range results[len(results)-1].Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cell == nil {
				cells[i] = "NULL"
				continue
			}
			cells[i] = string(cell)
		}
		out = append(out, cells)
	}
	return out, nil
}

// checkDir runs akidb check on a stopped server's data.
func checkDir(t testing.TB, dir string) {
	t.Helper()
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(bin, "check", dir).CombinedOutput(); err != nil {
		t.Errorf("akidb check: %v\n%s", err, out)
	}
}

// until waits for a condition that the server brings about.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}
