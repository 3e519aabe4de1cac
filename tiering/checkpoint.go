package tiering

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/vectorindex/hnsw"
)

// checkpointShare bounds the work of checkpoints: after one that took a second
// the next comes no sooner than in so many.
const checkpointShare = 20

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
			m.drainAll(ctx, tick.C)
		case <-tick.C:
			m.checkpointAll(ctx)
		}
	}
}

// awake tells the worker that there is something to move or to repair.
func (m *Manager) awake() {
	select {
	case m.wake <- struct{}{}:
	default: // it knows already
	}
}

// drainAll moves tails in turn, so that a large one does not keep others waiting,
// nor writers that never pause keep checkpoints from being written.
func (m *Manager) drainAll(ctx context.Context, tick <-chan time.Time) {
	for moved := true; moved && ctx.Err() == nil; {
		moved = false
		for _, v := range m.indexes.Load().byID {
			moved = m.drain(ctx, v) > 0 || moved
		}
		select {
		case <-tick:
			m.checkpointAll(ctx)
		default:
		}
	}
}

func (m *Manager) checkpointAll(ctx context.Context) {
	for _, v := range m.indexes.Load().byID {
		start := time.Now()
		if ctx.Err() != nil || v.progress.Load() != nil || start.Before(v.quietTo) {
			continue
		}
		err := m.checkpoint(v)
		v.quietTo = time.Now().Add(checkpointShare * time.Since(start))
		m.report(v, "index checkpoint not written", err)
	}
}

func (m *Manager) report(v *vectorIndex, message string, err error) {
	if err != nil && !errors.Is(err, hnsw.ErrClosed) { // dropped meanwhile
		m.opts.Logger.Error(message, "index", v.desc().Name, "error", err)
	}
}

// checkpoint writes an index to its file if it has changed: to a temporary file
// first, which is synced and renamed, so that a crash leaves the old one.
func (m *Manager) checkpoint(v *vectorIndex) error {
	changed := v.changed.Swap(0)
	if changed == 0 {
		return nil
	}
	v.fileMu.Lock()
	defer v.fileMu.Unlock()
	if v.dropped {
		return nil
	}
	path := m.path(v.desc().ID)
	if err := writeFile(path, v.graph.WriteCheckpoint); err != nil {
		v.changed.Add(changed)
		return errors.Join(fileError(err), removeIfThere(path+temporary))
	}
	return nil
}

// fileError gives a full disk the code that clients know.
func fileError(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return pgerr.New(pgerr.DiskFull, "could not write index checkpoint: No space left on device").
			WithHint("Check free disk space.")
	}
	return err
}

// removeFile removes the checkpoint for good.
func (v *vectorIndex) removeFile(path string) error {
	v.fileMu.Lock()
	defer v.fileMu.Unlock()
	v.dropped = true
	return removeIfThere(path)
}

// temporary is the suffix of files being written.
const temporary = ".tmp"

func writeFile(path string, content func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path+temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = content(w); err == nil {
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
