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

// drainAll moves tails in turn, so that a large one does not keep others waiting,
// nor writers that never pause keep checkpoints from being written.
func (m *Manager) drainAll(ctx context.Context, tick <-chan time.Time) {
	for ctx.Err() == nil {
		list := m.waiting.take()
		if len(list) == 0 {
			return
		}
		for _, v := range list {
			v.queued.Store(false) // what comes from now on queues it again
			if m.drain(ctx, v) {
				m.queue(v)
			}
		}
		select {
		case <-tick:
			m.checkpointAll(ctx)
		default:
		}
	}
}

func (m *Manager) checkpointAll(ctx context.Context) {
	for v := range m.indexes.Load().all() {
		start := time.Now()
		if ctx.Err() != nil || v.progress.Load() != nil || start.Before(v.quietTo) {
			continue
		}
		if b := v.present(); b != nil && b.Pending() > 0 {
			m.queue(v)
		}
		err := m.checkpoint(v)
		v.quietTo = time.Now().Add(checkpointShare * time.Since(start))
		m.report(v, "index checkpoint not written", err)
	}
}

func (m *Manager) report(v *vectorIndex, message string, err error) {
	if err != nil && !isClosed(err) { // dropped meanwhile
		m.opts.Logger.Error(message, "index", v.desc().Name, "error", err)
	}
}

// checkpoint brings an index to its file if it has changed.
func (m *Manager) checkpoint(v *vectorIndex) error {
	b := v.present()
	if b == nil {
		return nil
	}
	changed := v.changed.Swap(0)
	if changed == 0 {
		return nil
	}
	err := b.save()
	if err != nil {
		v.changed.Add(changed)
	}
	return err
}

// writeIndexFile writes a graph's checkpoint: to a temporary file first, which is
// synced and renamed, so that a crash leaves the old one.
func (m *Manager) writeIndexFile(v *vectorIndex, content func(io.Writer) error) error {
	v.fileMu.Lock()
	defer v.fileMu.Unlock()
	if v.dropped {
		return nil
	}
	path := m.path(v.desc().ID)
	if err := writeFile(path, content); err != nil {
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

// removeFiles removes an index's files for good.
func (m *Manager) removeFiles(v *vectorIndex) error {
	v.fileMu.Lock()
	defer v.fileMu.Unlock()
	v.dropped = true
	return errors.Join(removeIfThere(m.path(v.desc().ID)), removeIfThere(m.cellsPath(v.desc().ID)))
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
	m.removeStraysOf(m.opts.Dir, ".hnsw", func(v *vectorIndex) bool { return v.desc().Method == "hnsw" })
	m.removeStraysOf(m.opts.WarmDir, ".ivf", func(v *vectorIndex) bool {
		table := m.store.Catalog().Table(v.desc().Table)
		return table != nil && kindOf(v.desc(), table.Tier) == cellsKind
	})
}

func (m *Manager) removeStraysOf(dir, suffix string, belongs func(*vectorIndex) bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		m.opts.Logger.Warn("index directory not read", "error", err)
		return
	}
	for _, e := range entries {
		name, isIndex := strings.CutSuffix(e.Name(), suffix)
		id, err := strconv.ParseUint(name, 10, 32)
		if v := m.index(types.OID(id)); isIndex && err == nil && v != nil && belongs(v) {
			continue
		}
		if isIndex || strings.HasSuffix(e.Name(), temporary) {
			if err := removeIfThere(filepath.Join(dir, e.Name())); err != nil {
				m.opts.Logger.Warn("stray index file not removed", "file", e.Name(), "error", err)
			}
		}
	}
}
