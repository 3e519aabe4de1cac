package migrate

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/s3"
)

// files is where the snapshots of version 1 lie.
type files interface {
	// list names all files with their sizes.
	list(ctx context.Context) (map[string]int64, error)
	open(ctx context.Context, name string) (io.ReadCloser, error)
}

// Bucket says how to reach a bucket; keys come from the environment (AWS_ACCESS_KEY_ID
// and so on) or the machine's role.
type Bucket struct {
	Endpoint, Region string
}

// openFiles opens a folder or s3://bucket/prefix.
func openFiles(from string, b Bucket) (files, error) {
	rest, ok := strings.CutPrefix(from, "s3://")
	if !ok {
		info, err := os.Stat(from)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a folder", from)
		}
		return folder(from), err
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	store, err := s3.Open(s3.Options{Endpoint: b.Endpoint, Region: b.Region, Bucket: bucket, Prefix: strings.Trim(prefix, "/")})
	if err != nil {
		return nil, err
	}
	return objects{store}, nil
}

// folder is a directory.
type folder string

func (f folder) list(context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(string(f), path)
		out[filepath.ToSlash(name)] = info.Size()
		return err
	})
	return out, err
}

func (f folder) open(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), filepath.FromSlash(name)))
}

// objects is a bucket.
type objects struct{ store objectstore.Store }

func (o objects) list(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for after := ""; ; {
		page, err := o.store.List(ctx, "", after, 0)
		if err != nil {
			return nil, err
		}
		for _, info := range page.Objects {
			out[info.Key], after = info.Size, info.Key
		}
		if !page.More {
			return out, nil
		}
	}
}

func (o objects) open(ctx context.Context, name string) (io.ReadCloser, error) {
	object, err := o.store.Get(ctx, name, objectstore.Range{})
	if err != nil {
		return nil, err
	}
	return object.Body, nil
}
