package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/s3"
)

// bucket opens a bucket of a MinIO under a prefix.
func bucket(t *testing.T, m *miniotest.Server, name, prefix string) objectstore.Store {
	t.Helper()
	store, err := s3.Open(s3.Options{Endpoint: m.Endpoint, Bucket: name, Prefix: prefix, AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// putDir uploads the files of the folders of a folder.
func putDir(t *testing.T, m *miniotest.Server, dir, name, prefix string) {
	t.Helper()
	store := bucket(t, m, name, prefix)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		key, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Put(t.Context(), filepath.ToSlash(key), f, objectstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
