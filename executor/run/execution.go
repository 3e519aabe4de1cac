package run

import (
	"context"
	"errors"
	"time"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Execution is a running plan. It belongs to one goroutine.
type Execution struct {
	plan *plan.Plan
	env  Env
	// ctx is that of the current call; storage gets live, which follows it.
	ctx  context.Context
	live context.Context
	ec   expr.Context

	root   operator
	built  []operator // every operator made, for Close
	stats  map[plan.Node]*plan.NodeStats
	byNode map[plan.Node]operator
	ctes   []*cteStore
	subs   []*subPlan
	unions map[*plan.RecursiveUnion]*recursiveOp
	// written is what the main statement's ModifyTable changed.
	target   *modifyOp
	returned int64

	foreign ForeignQueue

	started, done, closed bool
	ticks                 uint
}

// Start prepares an execution; nothing is read yet. Modifying CTEs run to their end before the main query's last row.
func Start(ctx context.Context, p *plan.Plan, env Env, params []types.Datum) (*Execution, error) {
	x := &Execution{plan: p, env: env, ctx: ctx}
	x.live = (*liveContext)(x)
	if x.env.WorkMem <= 0 {
		x.env.WorkMem = defaultWorkMem
	}
	if x.env.Types == nil {
		x.env.Types = types.DefaultEnv()
	}
	x.ec = expr.Context{Ctx: x.live, Env: x.env.Types, Session: env.Session, Params: params, Runner: x}
	if p.ExecSlots > 0 {
		x.ec.Exec = make([]types.Datum, p.ExecSlots)
	}
	if env.Analyze {
		x.stats = make(map[plan.Node]*plan.NodeStats)
		x.byNode = make(map[plan.Node]operator)
	}
	if len(p.CTEs) > 0 {
		x.ctes = make([]*cteStore, len(p.CTEs))
	}
	if len(p.SubPlans) > 0 {
		x.subs = make([]*subPlan, len(p.SubPlans))
	}
	root, err := x.build(p.Root)
	if err != nil {
		return nil, err
	}
	x.root = root
	x.target, _ = unwrap(root).(*modifyOp)
	return x, nil
}

// defaultWorkMem is PostgreSQL's default for work_mem.
const defaultWorkMem = 4 << 20

// Next returns the next row, valid until the next call, nil at the end. For a
// statement without result columns the first call does everything. ctx may differ between calls.
func (x *Execution) Next(ctx context.Context) (types.Row, error) {
	if x.done || x.closed {
		return nil, nil
	}
	x.ctx = ctx
	if err := x.canceled(); err != nil {
		return nil, err
	}
	if !x.started {
		x.started = true
		if err := x.begin(); err != nil {
			return nil, err
		}
	}
	row, err := x.root.next()
	if err != nil {
		return nil, err
	}
	if row == nil {
		x.done = true
		return nil, nil
	}
	x.returned++
	return row, nil
}

// begin runs the modifying CTEs, which the statement's result does not wait
// for in PostgreSQL either, and opens the root.
func (x *Execution) begin() error {
	for i, c := range x.plan.CTEs {
		if c.Modifies {
			store, err := x.cte(i)
			if err != nil {
				return err
			}
			if err := store.finish(); err != nil {
				return err
			}
		}
	}
	return x.root.open()
}

// Affected is the number for the command tag: rows modified, or rows returned.
func (x *Execution) Affected() int64 {
	if x.target != nil {
		return x.target.affected
	}
	return x.returned
}

// Foreign are the changes so far that foreign keys must be asked about. The caller
// takes them (Events = nil) and does so after the statement.
func (x *Execution) Foreign() *ForeignQueue { return &x.foreign }

// Stats gives what a node did; nil without Env.Analyze.
func (x *Execution) Stats(n plan.Node) *plan.NodeStats {
	s := x.stats[n]
	if s == nil {
		return nil
	}
	if r, ok := x.byNode[n].(reporter); ok {
		s.Extra = r.report()
	}
	return s
}

// Close frees everything; it may be called at any time, more than once.
func (x *Execution) Close() error {
	if x.closed {
		return nil
	}
	x.closed = true
	var errs []error
	for i := len(x.built) - 1; i >= 0; i-- {
		errs = append(errs, x.built[i].close())
	}
	for _, c := range x.ctes {
		if c != nil {
			c.rows.free()
		}
	}
	for _, s := range x.subs {
		if s != nil {
			s.free()
		}
	}
	return errors.Join(errs...)
}

// tick is called for every row that a leaf or a join makes and looks at the
// context now and then.
func (x *Execution) tick() error {
	x.ticks++
	if x.ticks%256 == 0 {
		return x.canceled()
	}
	return nil
}

func (x *Execution) canceled() error {
	if x.ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(x.ctx)
	switch {
	case pgerr.As(cause) != nil:
		return cause
	case errors.Is(cause, context.DeadlineExceeded):
		return pgerr.New(pgerr.QueryCanceled, "canceling statement due to statement timeout")
	}
	return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
}

// eval computes an expression over row.
func (x *Execution) eval(e expr.Expr, row types.Row) (types.Datum, error) {
	x.ec.Row = row
	return e.Eval(&x.ec)
}

// test says whether a condition holds; a nil condition does.
func (x *Execution) test(e expr.Expr, row types.Row) (bool, error) {
	if e == nil {
		return true, nil
	}
	x.ec.Row = row
	d, err := e.Eval(&x.ec)
	if err != nil {
		return false, err
	}
	ok, _ := d.(bool)
	return ok, nil
}

// evalInt computes a count such as LIMIT; ok is false for NULL and for no expression.
func (x *Execution) evalInt(e expr.Expr) (n int64, ok bool, err error) {
	if e == nil {
		return 0, false, nil
	}
	d, err := x.eval(e, nil)
	if err != nil {
		return 0, false, err
	}
	n, ok = d.(int64)
	return n, ok, nil
}

// liveContext is the context of the Execution's current call: an iterator that
// outlives a call (a suspended portal) must not see the first call's end.
type liveContext Execution

func (c *liveContext) Deadline() (time.Time, bool) { return c.ctx.Deadline() }
func (c *liveContext) Done() <-chan struct{}       { return c.ctx.Done() }
func (c *liveContext) Err() error                  { return c.ctx.Err() }
func (c *liveContext) Value(key any) any           { return c.ctx.Value(key) }
