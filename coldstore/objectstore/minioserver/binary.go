package minioserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Version is the MinIO that tests run against.
const Version = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"

// Binary is the path of MinIO's server, which it builds if need be and if a Go
// toolchain is there. Processes that build at once wait for each other.
var Binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("AKIDB_MINIO"); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "akidb")
	path := filepath.Join(dir, "minio")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, build(dir, path)
})

func build(dir, path string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // a lock file
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	cmd := exec.Command("go", "install", Version)
	cmd.Dir = dir // outside of this module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go install %s: %w: %s", Version, err, out[max(0, len(out)-500):])
	}
	return nil
}
