package executor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/executor/run"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// rowSource gives the rows of a running portal.
type rowSource interface {
	// next returns a row that is valid until the next call, nil at the end.
	next(ctx context.Context) (types.Row, error)
	// tag is the command tag once next has returned nil.
	tag() string
	close() error
}

// portal is a statement bound to parameters. Its execution holds the
// transaction's open statement from its first row to its last (session.active);
// when another statement begins meanwhile, park keeps its rows aside.
type portal struct {
	session  *session
	name     string
	prepared *prepared
	params   []types.Datum
	kind     PortalKind
	columns  []ResultColumn
	copying  *CopySpec

	rows     rowSource
	txn      Txn // whose statement is open, nil when none is
	ctx      context.Context
	leave    func()
	began    time.Time // when it was started, for the log of slow statements
	started  bool
	done     bool
	cmdTag   string
	position int64 // of a cursor: rows given
	// cursor is made by DECLARE: each FETCH reads it under its own context, since
	// the first one's ends with it.
	cursor bool
	// hold keeps the rows after the transaction: a cursor WITH HOLD.
	hold bool
}

// Bind makes a portal.
func (s *session) Bind(_ context.Context, name string, stmt Prepared, params []types.Datum) (Portal, error) {
	s.adopt()
	p := stmt.(*prepared)
	if err := s.checkUsable(p.tree); err != nil {
		return nil, err
	}
	if old, ok := s.portals[name]; ok {
		if name != "" {
			return nil, pgerr.Newf(pgerr.DuplicateCursor, "cursor %q already exists", name)
		}
		s.ClosePortal(old.name)
	}
	made, err := s.bind(name, p, params)
	if err != nil {
		return nil, err
	}
	s.portals[name] = made
	return made, nil
}

func (s *session) bind(name string, p *prepared, params []types.Datum) (*portal, error) {
	if err := s.refreshPlan(p); err != nil {
		return nil, err
	}
	made := &portal{session: s, name: name, prepared: p, params: params, columns: p.columns, kind: PortalCommand}
	switch t := p.tree.(type) {
	case nil:
		made.kind = PortalEmpty
	case *ast.Copy:
		spec, err := s.copySpec(t, p)
		if err != nil {
			return nil, err
		}
		made.copying = spec
		made.kind = PortalCopyOut
		if t.From {
			made.kind = PortalCopyIn
		}
	default:
		if p.columns != nil {
			made.kind = PortalRows
		}
	}
	return made, nil
}

// Kind says how the portal is run.
func (p *portal) Kind() PortalKind { return p.kind }

// Columns describes the rows.
func (p *portal) Columns() []ResultColumn { return p.columns }

// Copy describes a COPY.
func (p *portal) Copy() *CopySpec { return p.copying }

// Tag is the command tag.
func (p *portal) Tag() string { return p.cmdTag }

// Next returns the next row.
func (p *portal) Next(ctx context.Context) (types.Row, error) {
	if p.done {
		return nil, nil
	}
	if !p.started {
		if err := p.start(ctx); err != nil {
			return nil, err
		}
		if p.done {
			return nil, nil
		}
	}
	if !p.cursor {
		ctx = p.ctx
	}
	row, err := p.rows.next(ctx)
	if err != nil {
		err = cause(ctx, err)
		p.abandon()
		p.session.logSlow(p, err)
		return nil, err
	}
	if row == nil {
		return nil, p.finish()
	}
	return row, nil
}

// start begins the statement.
func (p *portal) start(ctx context.Context) error {
	s := p.session
	if err := s.checkUsable(p.prepared.tree); err != nil {
		return err
	}
	p.started = true
	if p.cursor { // it runs inside FETCH, which has entered
		p.ctx, p.leave = context.WithoutCancel(ctx), func() {}
	} else {
		p.ctx, p.leave = s.enter(ctx, p.prepared.text)
		p.began = s.statementBegan()
	}
	rows, err := p.open()
	if err != nil {
		err = cause(p.ctx, err)
		p.abandon()
		s.logSlow(p, err)
		return err
	}
	if rows == nil { // a command that has done its work
		return p.finish()
	}
	p.rows = rows
	return nil
}

// open runs a command, or gives the source of the portal's rows.
func (p *portal) open() (rowSource, error) {
	switch t := p.prepared.tree.(type) {
	case nil:
		return nil, nil
	case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge, *ast.Copy:
		if p.prepared.planned.plan != nil {
			return p.openPlan(p.prepared, p.params, false)
		}
	case *ast.Explain:
		return p.openExplain(t)
	case *ast.Show:
		return p.session.openShow(p.ctx, t)
	case *ast.Execute:
		return p.openExecute(t)
	case *ast.Fetch:
		if !t.Move { // MOVE returns no rows: it is a command
			return p.session.openFetch(p.ctx, t)
		}
	}
	tag, err := p.session.command(p.ctx, p.prepared.tree)
	p.cmdTag = tag
	return nil, err
}

// openPlan starts the execution of a plan. Locks are taken before the snapshot,
// so that what is read is as new as the locks.
func (p *portal) openPlan(stmt *prepared, params []types.Datum, analyze bool) (*planRows, error) {
	s := p.session
	made := stmt.planned.plan
	if made.Writes {
		if err := s.checkWritable(made.Tag); err != nil {
			return nil, err
		}
	}
	s.startClock()
	if len(made.Tables) > 0 || made.Writes {
		var err error
		if made, err = p.openStatement(stmt); err != nil {
			return nil, err
		}
	}
	x, err := run.Start(p.ctx, made, s.runEnv(analyze), params)
	if err != nil {
		return nil, err
	}
	return &planRows{portal: p, execution: x, plan: made}, nil
}

// openStatement locks the plan's tables and takes the statement's snapshot; it
// returns the plan, made anew when a table had changed before it was locked.
func (p *portal) openStatement(stmt *prepared) (*plan.Plan, error) {
	s := p.session
	if err := s.ensureTxn(p.ctx); err != nil {
		return nil, err
	}
	s.park(p.ctx)
	for {
		for _, use := range stmt.planned.plan.Tables {
			if err := s.tx.txn.LockTable(p.ctx, use.Table.ID, use.Lock, s.wait()); err != nil {
				return nil, err
			}
		}
		if stmt.planned.catalog == s.Catalog() {
			break
		}
		if err := s.refreshPlan(stmt); err != nil {
			return nil, err
		}
	}
	if err := s.tx.txn.StartStatement(p.ctx); err != nil {
		return nil, err
	}
	p.txn = s.tx.txn
	s.active = p
	return stmt.planned.plan, nil
}

// finish ends a statement that has given all its rows.
func (p *portal) finish() error {
	p.done = true
	var err error
	if p.rows != nil {
		p.cmdTag = p.rows.tag()
		if made, ok := p.rows.(*planRows); ok { // a query whose rows were not all asked for
			err = made.lookAfter(p.ctx)
		}
		err = cmp.Or(err, p.rows.close())
		p.rows = nil
	}
	if p.txn != nil {
		if end := p.txn.EndStatement(err == nil); err == nil {
			err = end
		}
		p.txn = nil
		p.session.active = nil
	}
	err = cause(p.ctx, err)
	p.leave()
	p.session.logSlow(p, err)
	return err
}

// abandon ends a statement and undoes what it wrote.
func (p *portal) abandon() {
	p.done = true
	if p.rows != nil {
		_ = p.rows.close() // the statement has failed already
		p.rows = nil
	}
	if p.txn != nil {
		_ = p.txn.EndStatement(false) // as above
		p.txn = nil
	}
	if p.session.active == p {
		p.session.active = nil
	}
	if p.leave != nil {
		p.leave()
		p.leave = nil
	}
}

// close ends a portal: a query that was not read to its end is complete, one
// that modifies has done all its work at its first row.
func (p *portal) close() {
	if p.started && !p.done {
		if p.leave == nil {
			p.leave = func() {}
		}
		_ = p.finish() // nobody waits for the rest
	}
}

// park lets another statement begin: the rows that the active portal has not
// given yet are kept aside.
func (s *session) park(ctx context.Context) {
	p := s.active
	if p == nil {
		return
	}
	kept, err := keepRows(ctx, p.rows, s.runEnv(false), p.columns)
	p.rows = kept
	if end := p.txn.EndStatement(err == nil); err == nil {
		err = end
	}
	p.txn = nil
	s.active = nil
	if err != nil {
		kept.err = cause(ctx, err)
	}
}

// closePortals ends all portals; cursors WITH HOLD stay unless all is set.
func (s *session) closePortals(all bool) {
	for name, p := range s.portals {
		if p.hold && !all {
			continue
		}
		delete(s.portals, name)
		p.close()
	}
}

// planRows gives the rows of an execution.
type planRows struct {
	portal    *portal
	execution *run.Execution
	plan      *plan.Plan
}

// next gives a row. What modifies has done all its work at the first one: then its
// foreign keys are looked after, before the client sees any row. Rows of a query
// beside modifying CTEs come from the snapshot before that, so it waits for their end.
func (r *planRows) next(ctx context.Context) (types.Row, error) {
	row, err := r.execution.Next(ctx)
	if err != nil {
		return nil, err
	}
	if _, modifies := r.plan.Root.(*plan.ModifyTable); modifies || row == nil {
		err = r.lookAfter(ctx)
	}
	return row, err
}

// lookAfter looks after the foreign keys of what was written.
func (r *planRows) lookAfter(ctx context.Context) error {
	q := r.execution.Foreign()
	events := q.Events
	q.Events = nil
	if len(events) == 0 {
		return nil
	}
	return r.portal.session.afterWrites(ctx, r.portal.txn, events)
}

func (r *planRows) close() error { return r.execution.Close() }

func (r *planRows) tag() string {
	n := r.execution.Affected()
	if r.plan.Tag == "INSERT" {
		return fmt.Sprintf("INSERT 0 %d", n)
	}
	return fmt.Sprintf("%s %d", r.plan.Tag, n)
}

// fixedRows gives rows that are known.
type fixedRows struct {
	rows []types.Row
	at   int
	name string
}

func (r *fixedRows) next(context.Context) (types.Row, error) {
	if r.at == len(r.rows) {
		return nil, nil
	}
	r.at++
	return r.rows[r.at-1], nil
}

func (r *fixedRows) tag() string  { return r.name }
func (r *fixedRows) close() error { return nil }
