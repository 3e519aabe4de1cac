package executor

import (
	"context"

	"github.com/akidb/akidb/executor/ddl"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// command runs a statement that returns no rows and is not planned; it returns the command tag.
func (s *session) command(ctx context.Context, tree ast.Stmt) (string, error) {
	if ddl.Handles(tree) {
		return s.schemaChange(ctx, tree)
	}
	switch t := tree.(type) {
	case *ast.Transaction:
		return s.transactionStatement(ctx, t)
	case *ast.SetConstraints:
		return "SET CONSTRAINTS", s.setConstraints(ctx, t.Names, t.Deferred)
	case *ast.Set:
		return s.set(t)
	case *ast.Prepare:
		return "PREPARE", s.prepareStatement(t)
	case *ast.Deallocate:
		return s.deallocate(t)
	case *ast.Declare:
		return "DECLARE CURSOR", s.declare(t)
	case *ast.Fetch:
		return s.move(ctx, t)
	case *ast.Close:
		return s.closeCursor(t)
	case *ast.Listen:
		return "LISTEN", s.listen(t.Channel)
	case *ast.Unlisten:
		return "UNLISTEN", s.unlisten(t.Channel)
	case *ast.Notify:
		return "NOTIFY", s.notifyStatement(t.Channel, t.Payload)
	case *ast.Snapshot:
		return s.snapshotStatement(ctx, t)
	case *ast.LockTable:
		return "LOCK TABLE", s.lockTables(ctx, t)
	case *ast.Vacuum:
		return s.vacuum(t)
	case *ast.Discard:
		return s.discard(t)
	case *ast.Checkpoint:
		return "CHECKPOINT", nil // every commit is durable already
	case *ast.AlterSystem:
		return s.alterSystem(t)
	case *ast.Unsupported:
		return "", pgerr.Unsupported(t.Feature)
	default:
		return "", pgerr.Unsupported("this statement")
	}
}

// prepareStatement is PREPARE.
func (s *session) prepareStatement(t *ast.Prepare) error {
	if s.statements[t.Name] != nil {
		return duplicateStatement(t.Name)
	}
	oids := make([]types.OID, len(t.Types))
	for i, name := range t.Types {
		typ, err := plan.ResolveType(s.planEnv(), name)
		if err != nil {
			return err
		}
		oids[i] = typ.OID
	}
	p, err := s.prepare(t.Query, s.shared.activity.query, oids)
	if err != nil {
		return err
	}
	p.name, p.bySQL = t.Name, true
	s.statements[t.Name] = p
	return nil
}

func (s *session) deallocate(t *ast.Deallocate) (string, error) {
	if t.Name == "" {
		clear(s.statements)
		return "DEALLOCATE ALL", nil
	}
	if _, err := s.statement(t.Name); err != nil {
		return "", err
	}
	delete(s.statements, t.Name)
	return "DEALLOCATE", nil
}

// openExecute is EXECUTE: it computes the arguments and runs the statement in
// this portal.
func (p *portal) openExecute(t *ast.Execute) (rowSource, error) {
	s := p.session
	target, err := s.statement(t.Name)
	if err != nil {
		return nil, err
	}
	params, err := s.executeArguments(t, target)
	if err != nil {
		return nil, err
	}
	if err := s.refreshPlan(target); err != nil {
		return nil, err
	}
	p.prepared, p.params = target, params
	return p.open()
}

func (s *session) executeArguments(t *ast.Execute, target *prepared) ([]types.Datum, error) {
	if len(t.Args) != len(target.params) {
		return nil, pgerr.Newf(pgerr.SyntaxError, "wrong number of parameters for prepared statement %q", t.Name).
			WithDetail("Expected %d parameters but got %d.", len(target.params), len(t.Args))
	}
	params := make([]types.Datum, len(t.Args))
	for i, arg := range t.Args {
		d, err := s.scalar(arg, target.params[i])
		if err != nil {
			return nil, err
		}
		params[i] = d
	}
	return params, nil
}

// lockTables is LOCK TABLE.
func (s *session) lockTables(ctx context.Context, t *ast.LockTable) error {
	if !s.tx.block {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "LOCK TABLE can only be used in transaction blocks")
	}
	mode, err := lockMode(t.Mode)
	if err != nil {
		return err
	}
	if err := s.ensureTxn(ctx); err != nil {
		return err
	}
	wait := s.wait()
	wait.NoWait = t.NoWait
	for _, name := range t.Tables {
		table, err := plan.ResolveTable(s.planEnv(), name)
		if err != nil {
			return err
		}
		if err := s.tx.txn.LockTable(ctx, table.ID, mode, wait); err != nil {
			return err
		}
	}
	return nil
}

var lockModes = map[string]storage.LockMode{
	"ACCESS SHARE": storage.LockAccessShare, "ROW SHARE": storage.LockRowShare,
	"ROW EXCLUSIVE": storage.LockRowExclusive, "SHARE UPDATE EXCLUSIVE": storage.LockShareUpdateExclusive,
	"SHARE": storage.LockShare, "SHARE ROW EXCLUSIVE": storage.LockShareRowExclusive,
	"EXCLUSIVE": storage.LockExclusive, "ACCESS EXCLUSIVE": storage.LockAccessExclusive, "": storage.LockAccessExclusive,
}

func lockMode(name string) (storage.LockMode, error) {
	mode, ok := lockModes[name]
	if !ok {
		return 0, pgerr.Newf(pgerr.SyntaxError, "unrecognized lock mode %q", name)
	}
	return mode, nil
}

// vacuum is VACUUM and ANALYZE: the tables must exist; estimates are always kept up to date.
func (s *session) vacuum(t *ast.Vacuum) (string, error) {
	if !t.Analyze && s.tx.block {
		return "", pgerr.New(pgerr.ActiveSQLTransaction, "VACUUM cannot run inside a transaction block")
	}
	for _, name := range t.Tables {
		if _, err := plan.ResolveTable(s.planEnv(), name); err != nil {
			return "", err
		}
	}
	if t.Analyze {
		return "ANALYZE", nil
	}
	return "VACUUM", nil
}

// discard is DISCARD.
func (s *session) discard(t *ast.Discard) (string, error) {
	switch t.What {
	case "PLANS":
		return "DISCARD PLANS", nil // a plan is checked whenever it is used
	case "SEQUENCES":
		s.sequence = sequenceState{current: map[types.OID]int64{}}
		return "DISCARD SEQUENCES", nil
	case "TEMP":
		return "DISCARD TEMP", s.discardTemporary()
	}
	if s.tx.block {
		return "", pgerr.New(pgerr.ActiveSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
	}
	s.closePortals(true)
	clear(s.statements)
	s.engine.advisory.releaseAll(s.id)
	if err := s.unlisten("*"); err != nil {
		return "", err
	}
	s.sequence = sequenceState{current: map[types.OID]int64{}}
	s.user = s.opts.User
	s.settings.resetAll()
	s.refresh()
	return "DISCARD ALL", s.discardTemporary()
}

func (s *session) discardTemporary() error {
	schema := tempSchema(s.id)
	if s.Catalog().Schema(schema) == nil {
		return nil
	}
	return s.engine.dropTemporary(context.Background(), func(name string) bool { return name == schema })
}
