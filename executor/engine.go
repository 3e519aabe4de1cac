package executor

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
)

// Options are what an Engine needs. Source is required.
type Options struct {
	Source Source
	// TempDir is where sorts and hash tables spill; "" is the system's.
	TempDir string
	// Settings override the built-in defaults of settings by name.
	Settings map[string]string
	// System keeps the configuration; nil refuses ALTER SYSTEM.
	System System
	// Logger gets slow statements; nil drops them.
	Logger *slog.Logger
	// ServerVersion is what server_version says.
	ServerVersion string
}

// Engine makes sessions over one Source. It implements Admin.
//
// Locks: mu guards sessions and channels; it is held for map operations only,
// and no session's own lock is taken under it.
type Engine struct {
	opts     Options
	source   Source
	defaults atomic.Pointer[loadedSettings]
	started  time.Time
	advisory *advisoryLocks
	// nextXID numbers the transactions that ask for their number.
	nextXID atomic.Int64
	nextID  atomic.Uint64

	mu       sync.RWMutex
	sessions map[int32]*session
	channels map[string]map[*session]bool // LISTEN
}

// New returns an engine; it drops the temporary tables that a crash has left.
func New(ctx context.Context, opts Options) (*Engine, error) {
	if opts.TempDir == "" {
		opts.TempDir = os.TempDir()
	}
	e := &Engine{
		opts: opts, source: opts.Source, started: time.Now(), advisory: newAdvisoryLocks(),
		sessions: map[int32]*session{}, channels: map[string]map[*session]bool{},
	}
	if err := e.SetDefaults(opts.Settings); err != nil {
		return nil, err
	}
	return e, e.dropTemporary(ctx, func(schema string) bool { return isTempSchema(schema) })
}

// NewSession makes a session for a client that has authenticated.
func (e *Engine) NewSession(ctx context.Context, opts SessionOptions) (Session, error) {
	s := newSession(e, opts)
	if err := s.applyDefaults(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions[opts.PID] = s
	return s, nil
}

// Cancel ends the running statement of the session that pid and secret name.
func (e *Engine) Cancel(pid int32, secret uint32) {
	if s := e.session(pid); s != nil && s.opts.Secret == secret {
		s.cancelStatement(errCanceled())
	}
}

func errCanceled() *pgerr.Error {
	return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
}

// Verifier returns the SCRAM verifier of a role.
func (e *Engine) Verifier(role string) (string, bool, bool) {
	r := e.source.Catalog().Role(role)
	if r == nil {
		return "", false, false
	}
	return r.Verifier, r.Login, true
}

// HasDatabase says whether a database exists.
func (e *Engine) HasDatabase(name string) bool {
	return e.source.Catalog().Named(catalog.KindDatabase, "", name) != nil
}

func (e *Engine) session(pid int32) *session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.sessions[pid]
}

func (e *Engine) all() []*session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		out = append(out, s)
	}
	return out
}

func (e *Engine) forget(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.opts.PID)
	for name, set := range e.channels {
		delete(set, s)
		if len(set) == 0 {
			delete(e.channels, name)
		}
	}
}

// dropTemporary drops the tables of temporary schemas.
func (e *Engine) dropTemporary(ctx context.Context, which func(schema string) bool) error {
	cat := e.source.Catalog()
	var changes []catalog.Change
	for _, kind := range []catalog.Kind{catalog.KindIndex, catalog.KindSequence, catalog.KindView, catalog.KindTable} {
		for _, o := range cat.Objects(kind) {
			if schema, _ := o.ObjectName(); which(schema) {
				changes = append(changes, catalog.Delete(o))
			}
		}
	}
	for _, o := range cat.Objects(catalog.KindSchema) {
		if _, name := o.ObjectName(); which(name) {
			changes = append(changes, catalog.Delete(o))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return e.inTransaction(ctx, func(tx Txn) error { return tx.Change(ctx, changes...) })
}

// inTransaction runs fn as one statement in a transaction of its own.
func (e *Engine) inTransaction(ctx context.Context, fn func(Txn) error) error {
	tx, err := e.source.Begin(ctx, txnDefaults)
	if err != nil {
		return err
	}
	if err = tx.StartStatement(ctx); err == nil {
		err = fn(tx)
		if end := tx.EndStatement(err == nil); err == nil {
			err = end
		}
	}
	if err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit(ctx, false)
}

// NewID gives an object id.
