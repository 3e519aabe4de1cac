package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockName is the file that says which process has the data directory. What
// counts is the lock on it, which ends with the process; the number inside is for people.
const lockName = "akidb.pid"

// InUseError says that another process has the data directory.
type InUseError struct {
	Dir string
	PID int // 0 when unknown
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("lock file %q already exists: another server (PID %d) is running in data directory %q", lockName, e.PID, e.Dir)
}

// lockDir takes a data directory for this process; the result gives it back.
func lockDir(dir string) (unlock func() error, err error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		text, _ := os.ReadFile(name)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // else unknown
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = &InUseError{Dir: dir, PID: pid}
		}
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // the lock goes with it; the file stays, so that nobody locks a removed one
}
