package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/rowstore"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/server"
	"github.com/akidb/akidb/tiering"
)

// shutdownTimeout is how long running statements may take to end before their
// connections are cut, fastTimeout how long in a fast shutdown.
const (
	shutdownTimeout = 10 * time.Second
	fastTimeout     = 100 * time.Millisecond
)

// ErrFast is the cause of a context whose end does not wait for running statements.
var ErrFast = errors.New("fast shutdown")

// Run runs a server until ctx ends. It prints how to connect and that it is
// ready on out.
func Run(ctx context.Context, c config.Config, log *slog.Logger, out io.Writer, version string) error {
	return RunProcess(ctx, c, Process{Log: log, Out: out, Version: version})
}

// Process is what a server has of the process that it runs in.
type Process struct {
	Log *slog.Logger
	// Level is the level of Log, which can be changed; nil leaves it as it is.
	Level *slog.LevelVar
	// Out is where the server says how to connect, and that it is ready.
	Out     io.Writer
	Version string
	// Load reads the configuration anew; nil: it cannot be.
	Load func() (config.Config, error)
	// Reload asks for it.
	Reload <-chan os.Signal
}

// RunProcess runs a server until ctx ends.
func RunProcess(ctx context.Context, c config.Config, p Process) error {
	loaded, log, out, version := c, p.Log, p.Out, p.Version
	limitMemory(&c)
	n := &node{config: c, loaded: loaded, process: p, log: log, metrics: newMetrics(), patience: shutdownTimeout}
	n.auth.Store(&loaded.Auth)
	if err := n.open(ctx); err != nil {
		return errors.Join(err, n.close())
	}
	if err := n.listen(out, version); err != nil {
		return errors.Join(err, n.close())
	}
	if err := n.wait(ctx); err != nil {
		return errors.Join(err, n.close())
	}
	if errors.Is(context.Cause(ctx), ErrFast) {
		log.Info("received fast shutdown request")
		n.patience = fastTimeout
	} else {
		log.Info("received smart shutdown request")
	}
	err := n.close()
	log.Info("database system is shut down")
	fmt.Fprintln(out, "database system is shut down")
	return err
}

// wait waits for the end, and loads the configuration when it is asked to.
func (n *node) wait(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-n.failed:
			return err
		case <-n.process.Reload:
			n.log.Info("received SIGHUP, reloading the configuration")
			_ = n.Reload() // it has logged what is wrong
		}
	}
}

// node is a running server; closers are in the order in which they were opened.
type node struct {
	config  config.Config
	process Process
	auth    atomic.Pointer[config.Auth] // who may connect, as loaded last
	tls     atomic.Pointer[tls.Config]
	manager *tiering.Manager

	reloading sync.Mutex    // held while the configuration is read or written
	loaded    config.Config // as it was read last; guarded by reloading

	log     *slog.Logger
	metrics *metrics
	store   *rowstore.Store
	engine  *executor.Engine
	server  *server.Server
	closers []func() error
	// sweepEvery is the time between two sweeps of the cold store.
	sweepEvery time.Duration
	failed     chan error
	// patience is how long sessions may take to end.
	patience time.Duration
}

func (n *node) onClose(fn func() error) { n.closers = append(n.closers, fn) }

func (n *node) close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// open opens the storage and the executor.
func (n *node) open(ctx context.Context) error {
	dir := n.config.DataDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	n.onClose(unlock)
	_, err = os.Stat(rowsDir(dir))
	first := errors.Is(err, fs.ErrNotExist)
	if err := prepareDirs(dir); err != nil {
		return err
	}
	tierOptions, err := n.tiering()
	if err != nil {
		return err
	}
	cold, err := n.openCold(ctx)
	if err != nil {
		return err
	}
	manager := tiering.New(tiering.Options{
		Cold: cold, SweepEvery: n.sweepEvery, Dir: indexDir(dir), WarmDir: n.warmDir(), Workers: n.config.Index.Workers,
		CheckpointEvery: time.Duration(n.config.Index.CheckpointSeconds) * time.Second,
		Keyer:           executor.NewKeyer(), Logger: n.log, Tiering: tierOptions, Searched: n.metrics.searched,
		SnapshotMade: n.metrics.snapshotMade, SnapshotRestored: n.metrics.snapshotRestored,
	})
	store, err := rowstore.Open(ctx, rowstore.Options{
		Dir: rowsDir(dir), Cold: tiering.Segments(cold), CacheBytes: n.config.Store.CacheBytes, Observer: manager, Keyer: executor.NewKeyer(),
		Logger: n.log, MinFreeBytes: n.config.MinFreeDisk, BallastBytes: n.config.Store.BallastBytes,
		MemTableBytes: n.config.Store.MemTableBytes, Synced: n.metrics.synced,
	})
	if err != nil {
		return withHint(fmt.Errorf("row store in %s: %w", dir, err))
	}
	n.store, n.manager = store, manager
	n.onClose(store.Close)
	n.onClose(manager.Close)
	if err := manager.Start(ctx, store); err != nil {
		return err
	}
	n.metrics.watch(store, manager, indexDir(dir), n.warmDir())
	n.engine, err = executor.New(ctx, executor.Options{
		Source: source{Store: store, manager: manager}, TempDir: tempDir(dir),
		Settings: settingsOf(n.config), System: n, Logger: n.log, ServerVersion: expr.ServerVersion,
	})
	if err != nil {
		return err
	}
	if err := n.firstRoles(ctx); err != nil {
		return err
	}
	if !first || n.config.InitScripts == "" {
		return nil
	}
	return n.runInitScripts(ctx, n.config.InitScripts)
}

func rowsDir(dir string) string { return filepath.Join(dir, "rows") }
func (n *node) warmDir() string {
	return warmDir(n.config.DataDir, n.config.Tiering.WarmStoragePath)
}

// warmDir is where indexes of the warm tier lie.
func warmDir(dir, configured string) string {
	if configured != "" {
		return configured
	}
	return filepath.Join(dir, "warm")
}

func indexDir(dir string) string { return filepath.Join(dir, "index") }
func tempDir(dir string) string  { return filepath.Join(dir, "tmp") }

func prepareDirs(dir string) error {
	if err := os.RemoveAll(tempDir(dir)); err != nil {
		return err
	}
	for _, d := range []string{rowsDir(dir), indexDir(dir), tempDir(dir), cacheDir(dir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	return nil
}

// source is the storage as the executor sees it.
type source struct {
	*rowstore.Store
	manager *tiering.Manager
}

func (s source) Begin(ctx context.Context, opts storage.TxnOptions) (executor.Txn, error) {
	tx, err := s.manager.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

func (s source) TierState(table oid) storage.TierState { return s.manager.TierState(table) }

func (s source) CheckTier(table *catalog.Table, to types.Tier, wait bool) error {
	return s.manager.CheckTier(table, to, wait)
}

func (s source) SetTier(ctx context.Context, table oid, to types.Tier, wait bool) error {
	return s.manager.SetTier(ctx, table, to, wait)
}

func (s source) CancelMove(table oid) (bool, error) { return s.manager.CancelMove(table) }

func (s source) PlanTiering() []storage.PlannedMove { return s.manager.PlanTiering() }

func (s source) RunTieringCycle(ctx context.Context) error { return s.manager.RunTieringCycle(ctx) }

func (s source) BuildProgress() map[oid]storage.BuildProgress { return s.manager.BuildProgress() }

func (s source) CreateSnapshot(ctx context.Context, table *catalog.Table, name string) (storage.Snapshot, error) {
	return s.manager.CreateSnapshot(ctx, table, name)
}

func (s source) Snapshots(ctx context.Context) ([]storage.Snapshot, error) {
	return s.manager.Snapshots(ctx)
}

func (s source) DropSnapshot(ctx context.Context, o storage.Snapshot) error {
	return s.manager.DropSnapshot(ctx, o)
}

func (s source) SnapshotContent(ctx context.Context, o storage.Snapshot) (*storage.SnapshotContent, error) {
	return s.manager.SnapshotContent(ctx, o)
}

// listen opens the ports and says so.
func (n *node) listen(out io.Writer, version string) error {
	tlsConfig, err := tlsConfig(n.config.TLS)
	if err != nil {
		return err
	}
	n.server, err = server.New(server.Options{
		Admin: n.engine, Logger: n.log, TLS: n.liveTLS(tlsConfig), TLSRequired: n.config.TLS.Required,
		AuthMethod: n.authMethod, MaxConnections: n.config.MaxConnections,
		ServerVersion: expr.ServerVersion, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	n.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), n.patience)
		defer cancel()
		return n.server.Shutdown(ctx)
	})
	l, err := bind("listen", n.config.Listen)
	if err != nil {
		return err
	}
	n.failed = make(chan error, 2)
	go func() {
		if err := n.server.Serve(l); err != nil && !errors.Is(err, net.ErrClosed) {
			n.failed <- fmt.Errorf("PostgreSQL port: %w", err)
		}
	}()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "connect with: psql -h %s -p %s -U postgres postgres\n", reachable(host), port)
	if n.config.HTTPEnabled() {
		if err := n.listenHTTP(out, version); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "database system is ready to accept connections")
	n.log.Info("database system is ready to accept connections", "address", l.Addr().String())
	return nil
}

// bind opens a port; the error names the setting that chooses another.
func bind(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("could not bind address %q: Address already in use. Is another server already running there? If not, wait a few seconds and retry, or choose another with %q", address, setting)
	case err != nil:
		return nil, fmt.Errorf("could not bind address %q (%s): %w", address, setting, err)
	}
	return l, nil
}

// reachable is the host to name to a client on this machine.
func reachable(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

var _ prometheus.Collector = (*metrics)(nil)
