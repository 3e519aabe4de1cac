package tiering

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// Tails longer than this are moved into the graph by all workers at once;
// shorter ones in steps of drainStep by one.
const (
	longTail  = 10_000
	drainStep = 256
)

// work moves tails into graphs and writes checkpoints until the manager closes.
func (m *Manager) work(ctx context.Context) {
	defer close(m.done)
	tick := time.NewTicker(m.opts.CheckpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
			m.drainAll(ctx)
		case <-tick.C:
			for _, v := range m.indexes.Load().byID {
				m.report(v, "index checkpoint not written", m.checkpoint(v))
			}
		}
	}
}

// awake tells the worker that a tail has grown.
func (m *Manager) awake() {
	select {
	case m.wake <- struct{}{}:
	default: // it knows already
	}
}

// drainAll moves tails in turn, so that a large one does not keep others waiting.
func (m *Manager) drainAll(ctx context.Context) {
	for moved := true; moved && ctx.Err() == nil; {
		moved = false
		for _, v := range m.indexes.Load().byID {
			n, err := m.drain(ctx, v)
			if err != nil && ctx.Err() == nil {
				m.report(v, "tail not moved into the graph", err)
				return
			}
			moved = moved || n > 0
		}
	}
}

func (m *Manager) drain(ctx context.Context, v *vectorIndex) (int, error) {
	if v.progress.Load() != nil {
		return 0, nil // its builder does it
	}
	if n := v.graph.TailLen(); n > longTail {
		return n, v.graph.Build(ctx, func(int64, int64) {})
	}
	return v.graph.Drain(ctx, drainStep)
}

func (m *Manager) report(v *vectorIndex, message string, err error) {
	if err != nil {
		m.opts.Logger.Error(message, "index", v.desc.Name, "error", err)
	}
}

// checkpoint writes an index to its file if it has changed: to a temporary file
// first, which is synced and renamed, so that a crash leaves the old one.
func (m *Manager) checkpoint(v *vectorIndex) error {
	changed := v.changed.Swap(0)
	if changed == 0 {
		return nil
	}
	path := m.path(v.desc.ID)
	err := writeFile(path, v)
	if err != nil {
		v.changed.Add(changed)
		return errors.Join(err, removeIfThere(path+temporary))
	}
	return nil
}

// temporary is the suffix of files being written.
const temporary = ".tmp"

func writeFile(path string, v *vectorIndex) (err error) {
	f, err := os.OpenFile(path+temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = v.graph.WriteCheckpoint(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+temporary, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// removeStrays deletes files of indexes that the catalog does not have: a crash
// came between a build and its commit, or between a drop and its clean-up.
func (m *Manager) removeStrays() {
	entries, err := os.ReadDir(m.opts.Dir)
	if err != nil {
		m.opts.Logger.Warn("index directory not read", "error", err)
		return
	}
	for _, e := range entries {
		name, isIndex := strings.CutSuffix(e.Name(), ".hnsw")
		id, err := strconv.ParseUint(name, 10, 32)
		if isIndex && err == nil && m.index(types.OID(id)) != nil {
			continue
		}
		if isIndex || strings.HasSuffix(e.Name(), temporary) {
			if err := removeIfThere(filepath.Join(m.opts.Dir, e.Name())); err != nil {
				m.opts.Logger.Warn("stray index file not removed", "file", e.Name(), "error", err)
			}
		}
	}
}
