package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/akidb/akidb/executor/pgcatalog"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// session runs one client's statements. Its fields belong to the session's
// goroutine, but for those of shared.
type session struct {
	engine *Engine
	opts   SessionOptions
	id     uint64 // never reused, names the temporary schema
	user   string // current_user

	settings settings
	loaded   *loadedSettings // that settings.defaults come from
	number   uint64          // of statements begun, for the log
	env      *types.Env
	limits   limits
	reported map[string]string // the values that the client knows of statusSettings

	tx transaction

	statements map[string]*prepared
	portals    map[string]*portal
	// foreignPlans are the plans of foreign keys' own statements, by text.
	foreignPlans map[string]*prepared
	// active is the portal whose execution has the transaction's open statement.
	active   *portal
	sequence sequenceState
	// temporary are the session's tables made with ON COMMIT DROP or DELETE ROWS.
	temporary map[types.OID]string
	// moves are what the running schema change wants moved to other tiers.
	moves []tierMove
	// atCommit is what LISTEN, UNLISTEN and NOTIFY do at commit.
	atCommit []func()

	shared struct {
		sync.Mutex
		cancel   context.CancelCauseFunc // of the running statement, nil when idle
		activity activity
	}
}

// activity is what pg_stat_activity shows of a session.
type activity struct {
	state string // active, idle, idle in transaction, idle in transaction (aborted)
	query string
	// application is application_name now.
	application string
	started     time.Time // backend_start
	xactStart   time.Time
	queryStart  time.Time
	changed     time.Time
}

func newSession(e *Engine, opts SessionOptions) *session {
	s := &session{
		engine: e, opts: opts, id: e.nextID.Add(1), user: opts.User,
		statements: map[string]*prepared{}, portals: map[string]*portal{},
		sequence: sequenceState{current: map[types.OID]int64{}},
	}
	if s.opts.Notice == nil {
		s.opts.Notice = func(*pgerr.Error) {}
	}
	if s.opts.ParameterStatus == nil {
		s.opts.ParameterStatus = func(string, string) {}
	}
	if s.opts.Notify == nil {
		s.opts.Notify = func(int32, string, string) {}
	}
	s.loaded = e.defaults.Load()
	s.settings = newSettings(s.loaded.values)
	now := time.Now()
	s.shared.activity = activity{state: "idle", started: now, changed: now}
	return s
}

// applyDefaults applies the settings of the role, the database and the start-up packet.
func (s *session) applyDefaults(_ context.Context) error {
	cat := s.engine.source.Catalog()
	if db, ok := cat.Named(catalog.KindDatabase, "", s.opts.Database).(*catalog.Database); ok {
		s.applyStored(db.Settings)
	}
	if r := cat.Role(s.user); r != nil {
		s.applyStored(r.Settings)
	}
	for name, value := range s.opts.Settings {
		if _, err := s.settings.assign(name, value, sourceClient); err != nil {
			return err
		}
	}
	s.settings.startDefaults()
	s.refresh()
	return nil
}

// applyStored applies settings of ALTER ROLE or DATABASE; one that is not
// understood any more is told and left out.
func (s *session) applyStored(values map[string]string) {
	for name, value := range values {
		if _, err := s.settings.assign(name, value, sourceClient); err != nil {
			e := *pgerr.As(err)
			e.Severity = "WARNING"
			s.opts.Notice(&e)
		}
	}
}

// Parse splits and parses a query string.
func (s *session) Parse(text string) ([]sql.Statement, error) { return sql.Parse(text) }

// Statement finds a prepared statement.
func (s *session) Statement(name string) (Prepared, error) {
	p, err := s.statement(name)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (s *session) statement(name string) (*prepared, error) {
	if p, ok := s.statements[name]; ok {
		return p, nil
	}
	if name == "" {
		return nil, pgerr.New(pgerr.InvalidSQLStatementName, "unnamed prepared statement does not exist")
	}
	return nil, pgerr.Newf(pgerr.InvalidSQLStatementName, "prepared statement %q does not exist", name)
}

// CloseStatement forgets a prepared statement.
func (s *session) CloseStatement(name string) { delete(s.statements, name) }

// Portal finds a portal.
func (s *session) Portal(name string) (Portal, error) {
	if p, ok := s.portals[name]; ok {
		return p, nil
	}
	return nil, pgerr.Newf(pgerr.InvalidCursorName, "portal %q does not exist", name)
}

// ClosePortal ends a portal.
func (s *session) ClosePortal(name string) {
	if p, ok := s.portals[name]; ok {
		delete(s.portals, name)
		p.close()
	}
}

// Env is how values are printed now.
func (s *session) Env() *types.Env { return s.env }

// Setting reads a setting; one that is unknown is "".
func (s *session) Setting(name string) string {
	v, _ := s.settings.value(name)
	return v
}

// IdleTimeout is how long the client may stay silent.
func (s *session) IdleTimeout() (time.Duration, *pgerr.Error) {
	if s.tx.block {
		return s.limits.idleInTransaction, pgerr.New(pgerr.IdleInTransactionTimeout, "terminating connection due to idle-in-transaction timeout")
	}
	return s.limits.idle, pgerr.New("57P05", "terminating connection due to idle-session timeout")
}

// Close rolls back and frees everything.
func (s *session) Close() {
	s.closePortals(true)
	s.rollback()
	s.engine.advisory.releaseAll(s.id)
	s.engine.forget(s)
	schema := tempSchema(s.id)
	if s.engine.source.Catalog().Schema(schema) != nil {
		// What fails here is dropped at the next start.
		_ = s.engine.dropTemporary(context.Background(), func(name string) bool { return name == schema })
	}
}

func tempSchema(id uint64) string { return fmt.Sprintf("pg_temp_%d", id) }

func isTempSchema(name string) bool { return strings.HasPrefix(name, "pg_temp_") }

// cancelStatement ends the running statement with cause; it is called from other goroutines.
func (s *session) cancelStatement(cause error) {
	s.shared.Lock()
	defer s.shared.Unlock()
	if s.shared.cancel != nil {
		s.shared.cancel(cause)
	}
}

// enter begins a statement: the context ends with a cancel request or by
// statement_timeout. An empty query leaves the one that is shown.
func (s *session) enter(ctx context.Context, query string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() bool { return true }
	if t := s.limits.statementTimeout; t > 0 {
		stop = time.AfterFunc(t, func() {
			cancel(pgerr.New(pgerr.QueryCanceled, "canceling statement due to statement timeout"))
		}).Stop
	}
	now := time.Now()
	s.shared.Lock()
	s.shared.cancel = cancel
	s.shared.activity.state = "active"
	if query != "" {
		s.shared.activity.query = query
	}
	s.shared.activity.queryStart, s.shared.activity.changed = now, now
	s.shared.Unlock()
	return ctx, func() {
		stop()
		s.shared.Lock()
		s.shared.cancel = nil
		s.shared.Unlock()
		cancel(nil)
	}
}

// idle records that the session waits for its client.
func (s *session) idle() {
	state := "idle"
	switch s.TxStatus() {
	case 'T':
		state = "idle in transaction"
	case 'E':
		state = "idle in transaction (aborted)"
	}
	s.shared.Lock()
	s.shared.activity.state = state
	s.shared.activity.changed = time.Now()
	if state == "idle" {
		s.shared.activity.xactStart = time.Time{}
	}
	s.shared.Unlock()
}

// cause makes of a context's error the reason for which it was cancelled.
func cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || pgerr.As(err) != nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if c := context.Cause(ctx); c != nil {
			return c
		}
	}
	return err
}

// notice sends a notice when client_min_messages lets it through.
func (s *session) notice(e *pgerr.Error) {
	if severityRank(e.Severity) >= severityRank(strings.ToUpper(s.Setting("client_min_messages"))) {
		s.opts.Notice(e)
	}
}

func severityRank(s string) int {
	switch s {
	case "DEBUG5", "DEBUG4", "DEBUG3", "DEBUG2", "DEBUG1":
		return 0
	case "LOG":
		return 1
	case "", "NOTICE":
		return 2
	case "INFO":
		return 9
	case "WARNING":
		return 3
	default:
		return 4
	}
}

// warning sends a WARNING.
func (s *session) warning(code, message string) {
	s.notice(&pgerr.Error{Severity: "WARNING", Code: code, Message: message})
}

// planEnv is what planning needs now.
func (s *session) planEnv() *plan.Env {
	return &plan.Env{
		Catalog: s.Catalog(), Types: s.env, Session: functions{s}, Stats: s.engine.source.Stats,
		Virtual: s.virtualColumns, LockWait: s.wait(),
	}
}

func (s *session) wait() storage.WaitPolicy { return storage.WaitPolicy{Timeout: s.limits.lockTimeout} }

// runEnv is what executions run in.
func (s *session) runEnv(analyze bool) run.Env {
	return run.Env{
		Rows: s.tx.txn, Session: functions{s}, Types: s.env, Virtual: s.openVirtual,
		WorkMem: s.limits.workMem, TempDir: s.engine.opts.TempDir,
		EfSearch: s.limits.efSearch, Probes: s.limits.probes, MaxScan: s.limits.maxScan,
		Iterative: s.limits.iterative, Wait: s.wait(), Analyze: analyze,
	}
}

func (s *session) openVirtual(schema, name string, lookups []run.Lookup) (func() (types.Row, error), error) {
	same := make([]pgcatalog.Lookup, len(lookups))
	for i, l := range lookups {
		same[i] = pgcatalog.Lookup(l)
	}
	return pgcatalog.Open(s.catalogEnv(), schema, name, same)
}

// virtualColumns gives computed relations, and sequences read as tables, to the planner.
func (s *session) virtualColumns(schema, name string) []plan.Column {
	if columns := pgcatalog.Columns(schema, name); columns != nil {
		return columns
	}
	if q, ok := s.Catalog().Relation(schema, name).(*catalog.Sequence); ok {
		return pgcatalog.SequenceColumns(q)
	}
	return nil
}

func (s *session) catalogEnv() *pgcatalog.Env {
	return &pgcatalog.Env{
		Session: functions{s}, Catalog: s.Catalog(), Stats: s.engine.source.Stats, Sequence: s.engine.source.SequenceState,
		Dynamic: s.dynamicRelations(), Tier: s.tierState,
	}
}

// statementBegan numbers a statement, and says when it began where somebody wants to know.
func (s *session) statementBegan() time.Time {
	s.number++
	if s.limits.logMinDuration < 0 {
		return time.Time{}
	}
	return time.Now()
}
