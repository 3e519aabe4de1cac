package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/akidb/akidb/executor/ddl"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// tiers is the part of the source that moves collections, nil when it has none.
func (s *session) tiers() Tiers {
	t, _ := s.engine.source.(Tiers)
	return t
}

func (s *session) tierState(table types.OID) storage.TierState {
	if t := s.tiers(); t != nil {
		return t.TierState(table)
	}
	return storage.TierState{}
}

// tierMove is a collection that a statement wants moved.
type tierMove struct {
	table types.OID
	to    types.Tier
	wait  bool
}

// noteMove checks that a collection can be moved and takes note of it: the move begins
// when the transaction has committed, for which it would wait.
func (s *session) noteMove(table *catalog.Table, to types.Tier, wait bool) error {
	t := s.tiers()
	switch {
	case t == nil && to == table.Tier:
		return nil
	case t == nil:
		return pgerr.Unsupported("tier " + to.String())
	}
	if err := t.CheckTier(table, to, wait); err != nil {
		return err
	}
	s.moves = append(s.moves, tierMove{table.ID, to, wait})
	return nil
}

// beginMoves begins what the statement wants moved: now, after its own commit, or when
// the transaction block commits.
func (s *session) beginMoves(ctx context.Context) error {
	if len(s.moves) == 0 {
		return nil
	}
	moves := slices.Clone(s.moves)
	s.moves = s.moves[:0]
	if s.tx.block {
		s.atCommit = append(s.atCommit, func() { s.moveLater(moves) })
		return nil
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	for _, mv := range moves {
		if err := s.moveNow(ctx, mv); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) moveNow(ctx context.Context, mv tierMove) error {
	ctx, leave := s.enter(context.WithoutCancel(ctx), "") // the commit has ended the portal's
	defer leave()
	return cause(ctx, s.tiers().SetTier(ctx, mv.table, mv.to, mv.wait))
}

// moveLater begins moves after a commit, which cannot fail any more.
func (s *session) moveLater(moves []tierMove) {
	for _, mv := range moves {
		if err := s.tiers().SetTier(context.Background(), mv.table, mv.to, false); err != nil {
			s.warning(pgerr.Code(err), err.Error())
		}
	}
}

func (s *session) cancelMove(table *catalog.Table) (bool, error) {
	if t := s.tiers(); t != nil {
		return t.CancelMove(table.ID)
	}
	return false, nil
}

// showTiers are the rows of SHOW TIERS.
func (s *session) showTiers() []types.Row {
	var rows []types.Row
	for _, t := range tables(s.Catalog()) {
		if t.Partitioned != nil {
			continue // its partitions are collections
		}
		stats, tier := s.engine.source.Stats(t.ID), s.tierState(t.ID)
		rows = append(rows, types.Row{
			t.Schema + "." + t.Name, t.Tier.String(), fmt.Sprint(t.Pinned), s.printed(tier), fmt.Sprint(tier.Accesses),
			fmt.Sprint(stats.Rows), fmt.Sprint(tier.RAMBytes), fmt.Sprint(stats.DiskBytes), orNull(tier.LastError),
		})
	}
	return rows
}

// printed is the time of the last access as text.
func (s *session) printed(t storage.TierState) types.Datum {
	at := stamp(t.LastAccess)
	if at == nil {
		return nil
	}
	return types.FormatString(types.TimestampTZOID, at, s.env)
}

// alterCollectionFunction is ALTER COLLECTION as a function: it takes the same
// locks and rights, and is undone with its transaction.
func alterCollectionFunction(action string) serverFunction {
	return func(s *session, ctx context.Context, args []types.Datum) (types.Datum, error) {
		if err := s.checkWritable("ALTER COLLECTION"); err != nil {
			return nil, err
		}
		name := args[0].(string)
		statements, err := s.Parse("ALTER COLLECTION " + name + " " + action)
		if err != nil || len(statements) != 1 {
			return nil, pgerr.New(pgerr.InvalidName, "invalid name syntax")
		}
		tree, ok := statements[0].Tree.(*ast.AlterCollection)
		if !ok || tree.IfExists {
			return nil, pgerr.New(pgerr.InvalidName, "invalid name syntax")
		}
		tree.Table.Pos = 0 // the text is not the client's
		return "", s.alterNow(ctx, tree)
	}
}

// alterNow runs a schema change inside the statement that calls for it; a query
// that reads no table has not begun one.
func (s *session) alterNow(ctx context.Context, tree ast.Stmt) error {
	if err := s.ensureTxn(ctx); err != nil {
		return err
	}
	tx := s.tx.txn
	own := tx.StartStatement(ctx) == nil // an error: the statement runs already
	s.moves = s.moves[:0]
	_, err := ddl.Execute(ctx, s.ddlEnv(tx), tree)
	if own {
		err = errors.Join(err, tx.EndStatement(err == nil))
	}
	if moves := slices.Clone(s.moves); err == nil && len(moves) > 0 {
		s.atCommit = append(s.atCommit, func() { s.moveLater(moves) })
	}
	return err
}

// setTier is akidb.set_tier.
func setTier(s *session, ctx context.Context, args []types.Datum) (types.Datum, error) {
	for _, t := range []types.Tier{types.TierHot, types.TierWarm, types.TierCold} {
		if t.String() == args[1] {
			return alterCollectionFunction("SET TIER "+t.String())(s, ctx, args[:1])
		}
	}
	return nil, pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for parameter "tier": "%s"`, args[1]).
		WithHint("Available values: hot, warm, cold.")
}

// runTieringCycle is akidb.run_tiering_cycle: it moves what the policy wants, of
// all collections, so that it is for superusers.
func runTieringCycle(s *session, ctx context.Context, _ []types.Datum) (types.Datum, error) {
	if r := s.Catalog().Role(s.user); r == nil || !r.Super {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for function run_tiering_cycle")
	}
	if t := s.tiers(); t != nil {
		return "", t.RunTieringCycle(ctx)
	}
	return nil, pgerr.Unsupported("tiering")
}

// planTiering gives the rows of akidb.plan_tiering() as records.
func planTiering(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	t := s.tiers()
	if t == nil {
		return types.NewArray(types.RecordOID, nil), nil
	}
	var out []types.Datum
	cat := s.Catalog()
	for _, p := range t.PlanTiering() {
		if table, ok := cat.Object(p.Table).(*catalog.Table); ok {
			out = append(out, &types.Record{Values: types.Row{table.Schema + "." + table.Name, p.From.String(), p.To.String(), p.Reason}})
		}
	}
	return types.NewArray(types.RecordOID, out), nil
}
