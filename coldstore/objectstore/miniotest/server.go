package miniotest

import (
	"os"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore/minioserver"
)

// The keys of every server.
const (
	AccessKey = minioserver.AccessKey
	SecretKey = minioserver.SecretKey
)

// Options of a server.
type Options = minioserver.Options

// Server is a running MinIO.
type Server = minioserver.Server

// New runs a server on a directory; the caller stops it.
func New(dir string, o Options) (*Server, error) { return minioserver.New(dir, o) }

// Start runs a server until the test ends; it skips the test when there is no
// MinIO, and fails it if CI=true.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if _, err := minioserver.Binary(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no MinIO: %v", err)
		}
		t.Skipf("no MinIO (make minio): %v", err)
	}
	s, err := New(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}
