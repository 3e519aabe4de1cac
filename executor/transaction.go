package executor

import (
	"context"
	"time"

	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// transaction is a session's transaction state. Without a block, txn is the
// implicit transaction that statements between two Syncs share.
type transaction struct {
	txn        Txn  // nil until a statement needs one
	block      bool // inside BEGIN … COMMIT
	failed     bool // a block that waits for ROLLBACK
	isolation  storage.Isolation
	readOnly   bool
	started    bool // a statement has run: the isolation level is fixed
	now        time.Time
	xid        int64 // for txid_current, 0 until it is asked for
	savepoints []savepoint
	restarted  []restarted
	// deferred are checks of foreign keys that wait for the commit; constraints is
	// what SET CONSTRAINTS said of them, by id, 0 for ALL.
	deferred    []run.ForeignEvent
	constraints map[types.OID]bool
}

// savepoint is one open savepoint, with what the session itself must undo.
type savepoint struct {
	name     string
	settings int // length of the settings' journal
	atCommit int
	restarts int
	deferred int // checks
	// constraints is transaction.constraints, which is replaced and not changed.
	constraints map[types.OID]bool
}

var txnDefaults = storage.TxnOptions{Isolation: storage.ReadCommitted}

// Catalog is the schema as the session sees it now.
func (s *session) Catalog() *catalog.Snapshot {
	if s.tx.txn != nil {
		return s.tx.txn.Catalog()
	}
	return s.engine.source.Catalog()
}

// TxStatus is I, T or E for ReadyForQuery.
func (s *session) TxStatus() byte {
	switch {
	case s.tx.failed:
		return 'E'
	case s.tx.block:
		return 'T'
	default:
		return 'I'
	}
}

// startClock fixes now() at a transaction's first statement.
func (s *session) startClock() {
	if !s.tx.now.IsZero() {
		return
	}
	s.tx.now = time.Now()
	env := *s.env
	env.Now = s.tx.now
	s.env = &env
	if !s.tx.block {
		s.tx.isolation, s.tx.readOnly = s.limits.isolation, s.limits.readOnly
	}
	s.shared.Lock()
	s.shared.activity.xactStart = s.tx.now
	s.shared.Unlock()
}

// ensureTxn begins the storage's transaction.
func (s *session) ensureTxn(ctx context.Context) error {
	s.startClock()
	s.tx.started = true
	if s.tx.txn != nil {
		return nil
	}
	tx, err := s.engine.source.Begin(ctx, storage.TxnOptions{Isolation: s.tx.isolation, ReadOnly: s.tx.readOnly, Session: s.id})
	if err != nil {
		return err
	}
	for _, sp := range s.tx.savepoints {
		if err := tx.Savepoint(sp.name); err != nil {
			tx.Rollback()
			return err
		}
	}
	s.tx.txn = tx
	return nil
}

// Sync ends the implicit transaction.
func (s *session) Sync(ctx context.Context) error {
	if s.tx.block || s.tx.failed {
		s.idle()
		return nil
	}
	err := s.commit(ctx)
	s.idle()
	return err
}

// commit ends the transaction, whatever its kind.
func (s *session) commit(ctx context.Context) error {
	var err error
	if len(s.tx.deferred) > 0 && s.tx.txn != nil { // while the statement that commits can still be cancelled
		s.park(ctx)
		err = cause(ctx, s.checkDeferred(ctx, s.tx.txn, true))
	}
	s.closePortals(false)
	if tx := s.tx.txn; tx != nil {
		s.tx.txn = nil
		wrote := tx.Wrote()
		ctx, leave := s.enter(ctx, "")
		if err == nil {
			err = s.emptyTemporary(ctx, tx)
		}
		if err != nil {
			tx.Rollback()
		} else {
			err = cause(ctx, tx.Commit(ctx, wrote && s.limits.asyncCommit))
		}
		leave()
		if err != nil {
			s.settings.rollback(0)
			s.undoRestarts(0)
			s.endTransaction()
			return err
		}
	}
	s.settings.commit()
	done := s.atCommit
	s.endTransaction()
	for _, fn := range done {
		fn()
	}
	return nil
}

// rollback ends the transaction and forgets what it did.
func (s *session) rollback() {
	s.closePortals(false)
	s.undoRestarts(0)
	if tx := s.tx.txn; tx != nil {
		s.tx.txn = nil
		tx.Rollback()
	}
	s.settings.rollback(0)
	s.endTransaction()
}

func (s *session) endTransaction() {
	s.tx = transaction{}
	s.atCommit = nil
	s.engine.advisory.releaseTransaction(s.id)
	s.refresh()
}

// Fail tells the session that the client was sent an error.
func (s *session) Fail() {
	defer s.idle()
	if s.active != nil {
		s.active.abandon()
	}
	switch {
	case s.tx.failed:
	case !s.tx.block:
		s.rollback()
	default:
		s.tx.failed = true
		if len(s.tx.savepoints) == 0 && s.tx.txn != nil {
			s.closePortals(false)
			s.undoRestarts(0)
			s.tx.txn.Rollback()
			s.tx.txn = nil
			s.engine.advisory.releaseTransaction(s.id)
		}
	}
}

// checkUsable refuses statements of a failed block, but those that end it.
func (s *session) checkUsable(tree ast.Stmt) error {
	if !s.tx.failed {
		return nil
	}
	if t, ok := tree.(*ast.Transaction); ok {
		switch t.Kind {
		case "COMMIT", "END", "ROLLBACK", "ABORT", "ROLLBACK TO":
			return nil
		}
	}
	return pgerr.New(pgerr.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

// transactionStatement runs BEGIN, COMMIT and their kin.
func (s *session) transactionStatement(ctx context.Context, t *ast.Transaction) (string, error) {
	switch t.Kind {
	case "BEGIN", "START":
		return t.Kind, s.begin(t)
	case "COMMIT", "END":
		return s.commitStatement(ctx, t)
	case "ROLLBACK", "ABORT":
		return s.rollbackStatement(t)
	case "SAVEPOINT":
		return "SAVEPOINT", s.savepoint(ctx, t.Name)
	case "RELEASE":
		return "RELEASE", s.release(ctx, t.Name)
	case "ROLLBACK TO":
		return "ROLLBACK", s.rollbackTo(t.Name)
	default:
		return "", pgerr.Unsupported(t.Kind)
	}
}

func (s *session) begin(t *ast.Transaction) error {
	if s.tx.block {
		s.warning(pgerr.ActiveSQLTransaction, "there is already a transaction in progress")
		return s.setTransaction(t)
	}
	s.tx.block = true
	if !s.tx.started {
		s.tx.isolation, s.tx.readOnly = s.limits.isolation, s.limits.readOnly
	}
	if err := s.setTransaction(t); err != nil {
		s.tx.block = false // there is no transaction to end
		return err
	}
	return nil
}

// setTransaction applies the modes of BEGIN or SET TRANSACTION.
func (s *session) setTransaction(t *ast.Transaction) error {
	if t.Isolation != "" {
		level, err := isolationLevel(t.Isolation)
		if err != nil {
			return err
		}
		if s.tx.txn != nil && level != s.tx.isolation {
			return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
		}
		s.tx.isolation = level
	}
	if t.ReadOnly != nil {
		if s.tx.txn != nil && !*t.ReadOnly && s.tx.readOnly {
			return pgerr.New(pgerr.ActiveSQLTransaction, "transaction read-write mode must be set before any query")
		}
		s.tx.readOnly = *t.ReadOnly
	}
	return nil
}

func isolationLevel(name string) (storage.Isolation, error) {
	switch name {
	case "read committed", "read uncommitted":
		return storage.ReadCommitted, nil
	case "repeatable read":
		return storage.RepeatableRead, nil
	case "serializable":
		return 0, pgerr.Unsupported("the isolation level SERIALIZABLE").WithHint("Use REPEATABLE READ.")
	default:
		return 0, pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter \"transaction_isolation\": %q", name)
	}
}

func (s *session) commitStatement(ctx context.Context, t *ast.Transaction) (string, error) {
	if !s.tx.block {
		s.warning(pgerr.NoActiveSQLTransaction, "there is no transaction in progress")
		return "COMMIT", s.commit(ctx)
	}
	isolation, readOnly := s.tx.isolation, s.tx.readOnly
	if s.tx.failed {
		s.rollback()
		s.chain(t.Chain, isolation, readOnly)
		return "ROLLBACK", nil
	}
	err := s.commit(ctx)
	if err == nil {
		s.chain(t.Chain, isolation, readOnly)
	}
	return "COMMIT", err
}

func (s *session) rollbackStatement(t *ast.Transaction) (string, error) {
	if !s.tx.block {
		s.warning(pgerr.NoActiveSQLTransaction, "there is no transaction in progress")
	}
	isolation, readOnly := s.tx.isolation, s.tx.readOnly
	s.rollback()
	s.chain(t.Chain, isolation, readOnly)
	return "ROLLBACK", nil
}

// chain begins a new block with the old one's modes.
func (s *session) chain(chain bool, isolation storage.Isolation, readOnly bool) {
	if chain {
		s.tx = transaction{block: true, isolation: isolation, readOnly: readOnly}
	}
}

func (s *session) savepoint(ctx context.Context, name string) error {
	if !s.tx.block {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "SAVEPOINT can only be used in transaction blocks")
	}
	s.tx.savepoints = append(s.tx.savepoints, savepoint{
		name: name, settings: len(s.settings.journal), atCommit: len(s.atCommit), restarts: len(s.tx.restarted),
		deferred: len(s.tx.deferred), constraints: s.tx.constraints,
	})
	if s.tx.txn == nil {
		return nil // ensureTxn makes it
	}
	s.park(ctx)
	return s.tx.txn.Savepoint(name)
}

// findSavepoint returns the latest savepoint of a name.
func (s *session) findSavepoint(name, command string) (int, error) {
	if !s.tx.block {
		return 0, pgerr.Newf(pgerr.NoActiveSQLTransaction, "%s can only be used in transaction blocks", command)
	}
	for i := len(s.tx.savepoints) - 1; i >= 0; i-- {
		if s.tx.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, pgerr.Newf(pgerr.InvalidSavepoint, "savepoint %q does not exist", name)
}

func (s *session) release(ctx context.Context, name string) error {
	i, err := s.findSavepoint(name, "RELEASE SAVEPOINT")
	if err != nil {
		return err
	}
	s.tx.savepoints = s.tx.savepoints[:i]
	if s.tx.txn == nil {
		return nil
	}
	s.park(ctx)
	return s.tx.txn.Release(name)
}

func (s *session) rollbackTo(name string) error {
	i, err := s.findSavepoint(name, "ROLLBACK TO SAVEPOINT")
	if err != nil {
		return err
	}
	sp := s.tx.savepoints[i]
	s.tx.savepoints = s.tx.savepoints[:i+1]
	if s.active != nil {
		s.active.abandon()
	}
	if s.tx.txn != nil {
		if err := s.tx.txn.RollbackTo(name); err != nil {
			return err
		}
	}
	s.settings.rollback(sp.settings)
	s.undoRestarts(sp.restarts)
	s.atCommit = s.atCommit[:sp.atCommit]
	s.tx.deferred, s.tx.constraints = s.tx.deferred[:sp.deferred], sp.constraints
	s.tx.failed = false
	s.refresh()
	return nil
}

// statementTxn opens a statement of the transaction; done keeps or undoes it.
func (s *session) statementTxn(ctx context.Context) (Txn, func(ok bool) error, error) {
	if err := s.ensureTxn(ctx); err != nil {
		return nil, nil, err
	}
	s.park(ctx)
	tx := s.tx.txn
	if err := tx.StartStatement(ctx); err != nil {
		return nil, nil, err
	}
	return tx, tx.EndStatement, nil
}

// checkWritable refuses a command in a read-only transaction.
func (s *session) checkWritable(command string) error {
	if s.tx.readOnly || !s.tx.block && s.tx.txn == nil && s.limits.readOnly {
		return pgerr.Newf(pgerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", command)
	}
	return nil
}
