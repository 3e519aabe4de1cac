package node

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// runInitScripts runs the .sql and .sql.gz files of a folder in the order of
// their names, as PostgreSQL's container image does at its first start. Each is
// one transaction unless it says otherwise.
func (n *node) runInitScripts(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if !strings.HasSuffix(name, ".sql") && !strings.HasSuffix(name, ".sql.gz") {
			n.log.Warn("not run at the first start: only .sql and .sql.gz files are", "file", name)
			continue
		}
		text, err := readScript(name)
		if err == nil {
			err = execute(ctx, n.engine, n.config.Auth.User, n.config.Database, text)
		}
		if err != nil {
			return fmt.Errorf("init script %s: %w", name, err)
		}
		n.log.Info("init script was run", "file", name)
	}
	return nil
}

func readScript(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return "", err
		}
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
