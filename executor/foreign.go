package executor

import (
	"context"
	"fmt"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// Foreign keys are looked after once a statement has done all its writes, as
// PostgreSQL's constraint triggers do: first the actions (CASCADE, SET NULL, SET
// DEFAULT), which are statements of their own and have foreign keys to look after
// too; then the checks. Each reads the newest committed state beside what the
// transaction wrote: a row lock on the parent, FOR KEY SHARE of those who refer to
// it against the deletion's own, lets nobody in between.
//
// A check asks of a key: has it a parent, and if not, does a row still refer to it?
// That may be asked at any time and again, so deferred checks are just kept until the
// commit, and SET CONSTRAINTS … IMMEDIATE asks without taking them off the list.

// foreignQueue takes the events of a statement that has written.
type foreignQueue struct {
	s      *session
	tx     Txn
	checks []run.ForeignEvent
}

// afterWrites looks after the events of the open statement of tx, which it ends and
// opens again. After an error the statements before cannot be undone by themselves;
// the transaction fails as a whole, or goes back to a savepoint.
func (s *session) afterWrites(ctx context.Context, tx Txn, events []run.ForeignEvent) error {
	if len(events) == 0 {
		return nil
	}
	if err := tx.EndStatement(true); err != nil {
		return err
	}
	q := &foreignQueue{s: s, tx: tx}
	err := q.run(ctx, events)
	if open := tx.StartStatement(ctx); err == nil {
		err = open
	}
	return err
}

// run does the actions and then the checks, or puts these off.
func (q *foreignQueue) run(ctx context.Context, events []run.ForeignEvent) error {
	if err := q.actions(ctx, events); err != nil {
		return err
	}
	now := q.checks[:0]
	for _, e := range q.checks {
		if q.s.isDeferred(e.Key) {
			q.s.tx.deferred = append(q.s.tx.deferred, e)
		} else {
			now = append(now, e)
		}
	}
	return q.check(ctx, now)
}

// actions does what the foreign keys to changed rows say, and what follows from that.
func (q *foreignQueue) actions(ctx context.Context, events []run.ForeignEvent) error {
	for _, e := range events {
		switch action := actionOf(e); {
		case action == "":
			q.checks = append(q.checks, e)
		case action == "RESTRICT":
			if err := q.checkParent(ctx, e, false); err != nil {
				return err
			}
		default:
			text, params, oids := actionSQL(action, e)
			more, _, err := q.statement(ctx, text, params, oids)
			if err == nil {
				err = q.actions(ctx, more)
			}
			if action == "SET DEFAULT" { // a row may have had the default before, and has it still
				q.checks = append(q.checks, e)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// actionOf is what an event calls for, "" for a check.
func actionOf(e run.ForeignEvent) string {
	switch {
	case !e.Parent:
		return ""
	case e.New == nil:
		return e.Key.OnDelete
	}
	return e.Key.OnUpdate
}

// actionSQL is the statement of an action.
func actionSQL(action string, e run.ForeignEvent) (text string, params []types.Datum, oids []types.OID) {
	where, params, oids := referring(e)
	if action == "CASCADE" && e.New == nil {
		return "DELETE FROM " + qualified(e.Table) + where, params, oids
	}
	columns := e.Key.Columns
	if e.New == nil && len(e.Key.SetColumns) > 0 {
		columns = e.Key.SetColumns
	}
	sets := make([]string, len(columns))
	for i, n := range columns {
		value := strings.TrimPrefix(action, "SET ")
		if action == "CASCADE" {
			params, oids = append(params, e.New[i]), append(oids, e.Ref.Columns[e.Key.RefColumns[i]-1].Type)
			value = fmt.Sprintf("$%d", len(params))
		}
		sets[i] = sql.QuoteIdent(e.Table.Columns[n-1].Name) + " = " + value
	}
	return "UPDATE " + qualified(e.Table) + " SET " + strings.Join(sets, ", ") + where, params, oids
}

// referring is the condition of the rows that refer to an event's key.
func referring(e run.ForeignEvent) (where string, params []types.Datum, oids []types.OID) {
	key, of, columns := e.Old, e.Ref, e.Key.RefColumns
	if !e.Parent {
		key, of, columns = e.New, e.Table, e.Key.Columns
	}
	conds := make([]string, len(key))
	for i, n := range e.Key.Columns {
		conds[i] = fmt.Sprintf("%s = $%d", sql.QuoteIdent(e.Table.Columns[n-1].Name), i+1)
		params, oids = append(params, key[i]), append(oids, of.Columns[columns[i]-1].Type)
	}
	return " WHERE " + strings.Join(conds, " AND "), params, oids
}

func qualified(t *catalog.Table) string { return expr.QualifiedName(t.Schema, t.Name) }

// check asks of each key whether it holds: of those that have gone one by one, of
// those that were written together.
func (q *foreignQueue) check(ctx context.Context, events []run.ForeignEvent) error {
	var rows []run.ForeignEvent
	for _, e := range events {
		if !e.Parent {
			rows = append(rows, e)
		} else if err := q.checkParent(ctx, e, true); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return q.checkRows(ctx, rows)
}

// checkRows demands that keys have parents, unless no row has the key any more.
func (q *foreignQueue) checkRows(ctx context.Context, events []run.ForeignEvent) error {
	missing, err := q.withoutParent(ctx, events)
	if err != nil {
		return err
	}
	for _, e := range missing {
		found, err := q.refers(ctx, e)
		if err != nil {
			return err
		}
		if found {
			return e.Missing(e.New, q.s.Env())
		}
	}
	return nil
}

// withoutParent looks keys up in one statement.
func (q *foreignQueue) withoutParent(ctx context.Context, events []run.ForeignEvent) (missing []run.ForeignEvent, err error) {
	current := map[*run.Foreign]*run.Foreign{}
	for _, e := range events {
		if _, known := current[e.Foreign]; !known {
			if current[e.Foreign], err = q.lockRef(ctx, e.Foreign); err != nil {
				return nil, err
			}
		}
	}
	if err := q.tx.StartStatement(ctx); err != nil {
		return nil, err
	}
	q.tx.SeeNewest()
	for _, e := range events {
		f := current[e.Foreign]
		if f == nil {
			continue
		}
		found, err := f.HasParent(ctx, q.tx, e.New, false, true, q.s.wait())
		if err != nil {
			_ = q.tx.EndStatement(false) // the transaction fails
			return nil, err
		}
		if !found {
			missing = append(missing, e)
		}
	}
	return missing, q.tx.EndStatement(true)
}

// checkParent demands that no row refers to a key that has gone; again says that
// another row may have taken its place.
func (q *foreignQueue) checkParent(ctx context.Context, e run.ForeignEvent, again bool) error {
	if again {
		if found, err := q.replaced(ctx, e); err != nil || found {
			return err
		}
	}
	found, err := q.refers(ctx, e)
	if err != nil || !found {
		return err
	}
	return e.Referenced(e.Old, q.s.Env())
}

// lockRef locks the table referred to and gives the foreign key as it is now, nil
// when it is no more: it may have changed meanwhile, or since the check was put off.
func (q *foreignQueue) lockRef(ctx context.Context, f *run.Foreign) (*run.Foreign, error) {
	if err := q.tx.LockTable(ctx, f.Ref.ID, storage.LockRowShare, q.s.wait()); err != nil {
		return nil, err
	}
	if now := q.tx.Catalog(); now.Table(f.Ref.ID) != f.Ref {
		return currentForeign(now, f)
	}
	return f, nil
}

// replaced says whether a key that has gone is there again, and locks it.
func (q *foreignQueue) replaced(ctx context.Context, e run.ForeignEvent) (bool, error) {
	f, err := q.lockRef(ctx, e.Foreign)
	if err != nil || f == nil {
		return true, err
	}
	if err := q.tx.StartStatement(ctx); err != nil {
		return false, err
	}
	q.tx.SeeNewest()
	found, err := f.HasParent(ctx, q.tx, e.Old, true, true, q.s.wait())
	if end := q.tx.EndStatement(err == nil); err == nil {
		err = end
	}
	return found, err
}

// currentForeign finds a foreign key in the present schema; nil when it is no more.
func currentForeign(cat *catalog.Snapshot, f *run.Foreign) (*run.Foreign, error) {
	t := cat.Table(f.Table.ID)
	if t == nil || cat.Table(f.Ref.ID) == nil {
		return nil, nil
	}
	for i := range t.Foreign {
		if t.Foreign[i].ID == f.Key.ID {
			return run.NewForeign(cat, t, &t.Foreign[i])
		}
	}
	return nil, nil
}

// refers says whether a row refers to the event's key.
func (q *foreignQueue) refers(ctx context.Context, e run.ForeignEvent) (bool, error) {
	if f, err := currentForeign(q.tx.Catalog(), e.Foreign); err != nil || f == nil {
		return false, err
	} else {
		e.Foreign = f
	}
	where, params, oids := referring(e)
	_, n, err := q.statement(ctx, "SELECT 1 FROM "+qualified(e.Table)+" x"+where+" LIMIT 1 FOR KEY SHARE OF x", params, oids)
	return n > 0, err
}

// statement runs a statement of the transaction that no client has sent.
func (q *foreignQueue) statement(ctx context.Context, text string, params []types.Datum, oids []types.OID) ([]run.ForeignEvent, int64, error) {
	p, err := q.s.foreignPlan(text, oids)
	if err != nil {
		return nil, 0, err
	}
	for {
		for _, use := range p.planned.plan.Tables {
			if err := q.tx.LockTable(ctx, use.Table.ID, use.Lock, q.s.wait()); err != nil {
				return nil, 0, err
			}
		}
		if p.planned.catalog == q.s.Catalog() {
			break
		}
		if err := q.s.refreshPlan(p); err != nil {
			return nil, 0, err
		}
	}
	if err := q.tx.StartStatement(ctx); err != nil {
		return nil, 0, err
	}
	q.tx.SeeNewest()
	events, n, err := q.execute(ctx, p, params)
	if end := q.tx.EndStatement(err == nil); err == nil {
		err = end
	}
	return events, n, err
}

func (q *foreignQueue) execute(ctx context.Context, p *prepared, params []types.Datum) (events []run.ForeignEvent, n int64, err error) {
	x, err := run.Start(ctx, p.planned.plan, q.s.runEnv(false), params)
	if err != nil {
		return nil, 0, err
	}
	for {
		row, err := x.Next(ctx)
		if err != nil {
			_ = x.Close() // the statement has failed already
			return nil, 0, err
		}
		if row == nil {
			return x.Foreign().Events, x.Affected(), x.Close()
		}
	}
}

// mostForeignPlans bounds the plans that a session keeps for foreign keys.
const mostForeignPlans = 256

// foreignPlan is the plan of a foreign key's statement, kept for the next time.
func (s *session) foreignPlan(text string, oids []types.OID) (*prepared, error) {
	if p := s.foreignPlans[text]; p != nil {
		return p, s.refreshPlan(p)
	}
	parsed, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(parsed[0].Tree, text, oids)
	if err != nil {
		return nil, err
	}
	if s.foreignPlans == nil || len(s.foreignPlans) >= mostForeignPlans {
		s.foreignPlans = map[string]*prepared{}
	}
	s.foreignPlans[text] = p
	return p, nil
}

// isDeferred says whether a check waits for the commit.
func (s *session) isDeferred(f *catalog.Foreign) bool {
	if !f.Deferrable {
		return false
	}
	if deferred, ok := s.tx.constraints[f.ID]; ok {
		return deferred
	}
	if deferred, ok := s.tx.constraints[0]; ok { // SET CONSTRAINTS ALL
		return deferred
	}
	return f.InitDeferred
}

// checkDeferred makes the checks that were put off: all, or those that are not
// deferred any more.
func (s *session) checkDeferred(ctx context.Context, tx Txn, all bool) error {
	q := &foreignQueue{s: s, tx: tx}
	var events []run.ForeignEvent
	for _, e := range s.tx.deferred {
		if all || !s.isDeferred(e.Key) {
			events = append(events, e)
		}
	}
	return q.check(ctx, events)
}

// setConstraints is SET CONSTRAINTS.
func (s *session) setConstraints(ctx context.Context, names [][]string, deferred bool) error {
	if !s.tx.block {
		s.warning(pgerr.NoActiveSQLTransaction, "SET CONSTRAINTS can only be used in transaction blocks")
		return nil
	}
	now := map[types.OID]bool{}
	if len(names) == 0 {
		now[0] = deferred
	} else {
		for id, d := range s.tx.constraints {
			now[id] = d
		}
	}
	for _, name := range names {
		found, err := s.constraintsNamed(name)
		if err != nil {
			return err
		}
		for _, f := range found {
			now[f.ID] = deferred
		}
	}
	s.tx.constraints = now // a new map: savepoints have the old one
	if deferred || s.tx.txn == nil {
		return nil
	}
	s.park(ctx)
	return s.checkDeferred(ctx, s.tx.txn, false)
}

// constraintsNamed are the foreign keys of a name in the first schema that has one.
func (s *session) constraintsNamed(name []string) ([]*catalog.Foreign, error) {
	last := name[len(name)-1]
	schemas := s.searchPath(true)
	if len(name) > 1 {
		schemas = name[len(name)-2 : len(name)-1]
	}
	for _, schema := range schemas {
		var out []*catalog.Foreign
		for _, o := range s.Catalog().Objects(catalog.KindTable) {
			t := o.(*catalog.Table)
			for i := range t.Foreign {
				if f := &t.Foreign[i]; t.Schema == schema && f.Name == last {
					if !f.Deferrable {
						return nil, pgerr.Newf(pgerr.WrongObjectType, "constraint \"%s\" is not deferrable", last)
					}
					out = append(out, f)
				}
			}
		}
		if out != nil {
			return out, nil
		}
	}
	return nil, pgerr.Newf(pgerr.UndefinedObject, "constraint \"%s\" does not exist", last)
}
