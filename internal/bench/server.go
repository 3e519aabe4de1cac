package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is an AkiDB server process of our own, with its data in a temporary directory.
type Server struct {
	binary, dir, listen, http string
	env                       []string

	process *exec.Cmd
	log     *os.File
	exited  chan struct{} // closed when the process has ended
}

// startLimit is how long a server may take until it answers.
const startLimit = 60 * time.Second

// StartServer starts binary on free ports and returns when it answers. env is added
// to its environment.
func StartServer(ctx context.Context, binary string, env ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "akidb-bench-")
	if err != nil {
		return nil, err
	}
	s := &Server{binary: binary, dir: dir, env: env}
	if s.listen, err = freeAddress(); err == nil {
		s.http, err = freeAddress()
	}
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// DSN connects to the server.
func (s *Server) DSN() string { return "postgres://postgres@" + s.listen + "/postgres?sslmode=disable" }

func (s *Server) start(ctx context.Context) error {
	var err error
	if s.log, err = os.OpenFile(s.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return err
	}
	s.process = exec.Command(s.binary, "serve", "--data-dir", filepath.Join(s.dir, "data"), "--listen", s.listen, "--http-listen", s.http)
	s.process.Env = append(os.Environ(), s.env...)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		return errors.Join(err, s.log.Close())
	}
	s.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan struct{}) {
		_ = process.Wait() // how it ended is seen in its log
		close(exited)
	}(s.process, s.exited)
	if err := s.waitUntilReady(ctx); err != nil {
		return errors.Join(err, s.end(syscall.SIGKILL))
	}
	return nil
}

// waitUntilReady tries to connect until it works, every 5 ms, so that a restart's time is known that exactly.
func (s *Server) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-pause.C:
		case <-s.exited:
			return fmt.Errorf("the server ended at its start:\n%s", s.lastLog())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w\n%s", err, s.lastLog())
		}
	}
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }

// lastLog is the end of what the server printed.
func (s *Server) lastLog() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// KillAndRestart ends the server at once (SIGKILL) and starts it again on the same data.
func (s *Server) KillAndRestart(ctx context.Context) error {
	if err := s.end(syscall.SIGKILL); err != nil {
		return err
	}
	return s.start(ctx)
}

// Restart ends the server in good order, calls between with its data directory,
// and starts it again.
func (s *Server) Restart(ctx context.Context, between func(dataDir string) error) error {
	if err := s.end(syscall.SIGTERM); err != nil {
		return err
	}
	if err := between(filepath.Join(s.dir, "data")); err != nil {
		return err
	}
	return s.start(ctx)
}

// endPatience is long enough for the last checkpoints of thousands of indexes.
const endPatience = 2 * time.Minute

// end sends the signal, and SIGKILL if the process is still there after that.
func (s *Server) end(signal syscall.Signal) error {
	err := s.process.Process.Signal(signal)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	patience := time.NewTimer(endPatience)
	defer patience.Stop()
	select {
	case <-s.exited:
	case <-patience.C:
		err = errors.Join(err, fmt.Errorf("the server did not end within %v of %v", endPatience, signal), s.process.Process.Kill())
		<-s.exited
	}
	return errors.Join(err, s.log.Close())
}

// Stop ends the server in good order and removes its data.
func (s *Server) Stop() error {
	return errors.Join(s.end(syscall.SIGTERM), os.RemoveAll(s.dir))
}

// MemoryMiB is the resident memory of the server now.
func (s *Server) MemoryMiB() (float64, error) { return processMemory(s.process.Process.Pid) }

// CPUSeconds is the processor time that the server has taken so far, which tells
// more than the clock while others use the machine. 0 where /proc does not say.
func (s *Server) CPUSeconds() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may have blanks
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	ticks := 0.0
	for _, field := range fields[11:13] { // user and system time
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return ticks / ticksPerSecond
}

// ticksPerSecond is the unit of /proc/<pid>/stat on every Linux.
const ticksPerSecond = 100

func processMemory(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return procKilobytes(string(text), "VmRSS:")
}

// procKilobytes finds "key   123 kB" in a text of /proc and returns it in MiB.
func procKilobytes(text, key string) (float64, error) {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, key)
		if !found {
			continue
		}
		kilobytes, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
		return kilobytes / 1024, err
	}
	return 0, fmt.Errorf("no %s", key)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
