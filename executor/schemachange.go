package executor

import (
	"context"

	"github.com/akidb/akidb/executor/ddl"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql/ast"
)

// schemaChange runs a statement of package ddl as one statement of the transaction.
func (s *session) schemaChange(ctx context.Context, tree ast.Stmt) (string, error) {
	if err := s.checkWritable(commandName(tree)); err != nil {
		return "", err
	}
	s.moves = s.moves[:0]
	if name := concurrent(tree); name != "" && s.tx.block {
		return "", pgerr.Newf(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", name)
	}
	if t, ok := tree.(*ast.CreateTableAs); ok {
		if err := s.lockSources(ctx, t); err != nil {
			return "", err
		}
	}
	ctx = storage.ForSession(ctx, s.opts.PID)
	tx, done, err := s.statementTxn(ctx)
	if err != nil {
		return "", err
	}
	tag, err := ddl.Execute(ctx, s.ddlEnv(tx), tree)
	if end := done(err == nil); err == nil {
		err = end
	}
	if err == nil {
		err = s.beginMoves(ctx)
	}
	return tag, err
}

func (s *session) ddlEnv(tx Txn) *ddl.Env {
	return &ddl.Env{
		Txn: tx, Plan: s.planEnv, Run: s.runEnv(false), User: s.user, SessionID: s.id,
		NewID: s.engine.source.NewID, SetValue: s.restartSequence,
		Notice: s.notice, Wait: s.wait(), Setting: s.Setting,
		StoredSetting: s.storedSetting, OnCommit: s.onCommit, SetTier: s.noteMove, CancelMove: s.cancelMove,
	}
}

// lockSources locks what CREATE TABLE AS reads before its snapshot is taken. A
// query that cannot be planned is told of later, where its statement is undone.
func (s *session) lockSources(ctx context.Context, t *ast.CreateTableAs) error {
	if err := s.ensureTxn(ctx); err != nil {
		return err
	}
	p, err := plan.Prepare(s.planEnv(), t.Query, nil)
	if err != nil {
		return nil
	}
	s.park(ctx)
	for _, use := range p.Tables {
		if err := s.tx.txn.LockTable(ctx, use.Table.ID, use.Lock, s.wait()); err != nil {
			return err
		}
	}
	return nil
}

// concurrent names a statement with CONCURRENTLY; "" for others.
func concurrent(tree ast.Stmt) string {
	switch t := tree.(type) {
	case *ast.AlterCollection:
		if t.Wait {
			return "ALTER COLLECTION ... WAIT"
		}
	case *ast.CreateIndex:
		if t.Concurrently {
			return "CREATE INDEX CONCURRENTLY"
		}
	case *ast.Drop:
		if t.Concurrently {
			return "DROP INDEX CONCURRENTLY"
		}
	case *ast.Reindex:
		if t.Concurrently {
			return "REINDEX CONCURRENTLY"
		}
	}
	return ""
}

// commandName names a schema change for the error of a read-only transaction.
func commandName(tree ast.Stmt) string {
	switch t := tree.(type) {
	case *ast.CreateTable, *ast.CreateTableAs:
		return "CREATE TABLE"
	case *ast.CreateIndex:
		return "CREATE INDEX"
	case *ast.AlterTable:
		return "ALTER " + t.Kind
	case *ast.Drop:
		return "DROP " + t.Object
	case *ast.Truncate:
		return "TRUNCATE TABLE"
	default:
		return "a schema change"
	}
}
