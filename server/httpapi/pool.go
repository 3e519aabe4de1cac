package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Sessions that wait for requests: how many a user keeps, and how long a request
// waits for one when as many are busy as there may be.
const (
	idleSessions = 64
	poolPatience = 5 * time.Second
	// keptStatements bounds the prepared statements of a session; a filter makes
	// one for each of its shapes.
	keptStatements = 128
)

const database = "postgres"

// pool keeps sessions between requests, by user, so that a search pays neither
// for a session nor for a plan.
type pool struct {
	admin   Admin
	newPID  func() (int32, uint32)
	catalog func() *catalog.Snapshot
	metrics Metrics
	log     *slog.Logger
	slots   chan struct{} // one for each session that a request holds

	mu     sync.Mutex // guards what follows
	idle   map[string][]*conn
	closed bool
}

// conn is a session that requests use one after the other.
type conn struct {
	pool     *pool
	session  executor.Session
	user     string
	role     *catalog.Role
	db       catalog.Object
	schema   *catalog.Snapshot // that the prepared statements were made for
	prepared map[string]executor.Prepared
	named    int
	path     []string // search_path, the schemas that exist
	dead     atomic.Bool
	cancel   context.CancelCauseFunc
	ctx      context.Context
	address  string
}

func newPool(opts Options) *pool {
	return &pool{
		admin: opts.Admin, newPID: opts.NewPID, catalog: opts.Catalog, metrics: opts.Metrics, log: opts.Logger,
		slots: make(chan struct{}, opts.MaxSessions), idle: map[string][]*conn{},
	}
}

var errShutdown = pgerr.New(pgerr.AdminShutdown, "terminating connection due to administrator command")

// take gives a session of a user; put takes it back.
func (p *pool) take(ctx context.Context, user, address string) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		patience := time.NewTimer(poolPatience)
		defer patience.Stop()
		select {
		case p.slots <- struct{}{}:
		case <-patience.C:
			return nil, pgerr.New(pgerr.TooManyConnections, "sorry, too many clients already")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c, err := p.find(ctx, user, address)
	if err != nil {
		<-p.slots
	}
	return c, err
}

func (p *pool) find(ctx context.Context, user, address string) (*conn, error) {
	cat := p.catalog()
	role, db := cat.Role(user), cat.Named(catalog.KindDatabase, "", database)
	for {
		c := p.pop(user)
		if c == nil {
			return p.open(ctx, user, address, role, db)
		}
		if c.role == role && c.db == db && !c.dead.Load() { // else its settings are old
			return c, nil
		}
		c.close()
	}
}

func (p *pool) pop(user string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[user]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	p.idle[user] = list[:len(list)-1]
	return c
}

func (p *pool) open(ctx context.Context, user, address string, role *catalog.Role, db catalog.Object) (*conn, error) {
	if role == nil || db == nil {
		return nil, pgerr.Newf(pgerr.InvalidAuthorization, "role %q does not exist", user)
	}
	c := &conn{pool: p, user: user, role: role, db: db, prepared: map[string]executor.Prepared{}, address: address}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	pid, secret := p.newPID()
	session, err := p.admin.NewSession(ctx, executor.SessionOptions{
		User: user, Database: database, RemoteAddr: address, PID: pid, Secret: secret,
		Settings: map[string]string{"application_name": "REST"},
		Terminate: func() {
			c.dead.Store(true)
			c.cancel(errShutdown)
		},
	})
	if err != nil {
		return nil, err
	}
	c.session = session
	if err := c.readPath(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// put takes a session back; one that is not as it was is closed.
func (p *pool) put(c *conn) {
	defer func() { <-p.slots }()
	if c.dead.Load() || c.session.TxStatus() != 'I' {
		c.close()
		return
	}
	p.mu.Lock()
	keep := !p.closed && len(p.idle[c.user]) < idleSessions
	if keep {
		p.idle[c.user] = append(p.idle[c.user], c)
	}
	p.mu.Unlock()
	if !keep {
		c.close()
	}
}

// close ends all sessions that wait; those in use end when they come back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = map[string][]*conn{}
	p.mu.Unlock()
	for _, list := range idle {
		for _, c := range list {
			c.close()
		}
	}
}

func (c *conn) close() {
	c.dead.Store(true)
	c.cancel(errShutdown)
	_ = c.guard(func() error { c.session.Close(); return nil }) // guard has logged it
}

// guard makes an error of a panic: a bug in one request ends that request alone.
func (c *conn) guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.dead.Store(true)
			c.pool.log.Error("internal error in a request", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return fn()
}

func (c *conn) readPath(ctx context.Context) error {
	return c.run(ctx, statement{text: "SELECT s FROM unnest(current_schemas(false)) s"}, func(r types.Row) error {
		c.path = append(c.path, r[0].(string))
		return nil
	})
}

// statement is a text with its parameters. The text is the key under which a
// session keeps the plan.
type statement struct {
	text   string
	types  []types.OID
	values []types.Datum
}

// param adds a parameter and returns its place in the text ($1).
func (s *statement) param(oid types.OID, v types.Datum) string {
	s.types = append(s.types, oid)
	s.values = append(s.values, v)
	return fmt.Sprintf("$%d", len(s.types))
}

// command runs a statement whose rows nobody wants.
func (c *conn) command(ctx context.Context, text string) error {
	return c.run(ctx, statement{text: text}, func(types.Row) error { return nil })
}

// run runs a statement and commits it, unless a block is open; row is called for each of its rows.
func (c *conn) run(ctx context.Context, s statement, row func(types.Row) error) error {
	return c.measured(ctx, s, row, true)
}

// runOpen runs a statement in one implicit transaction with the next.
func (c *conn) runOpen(ctx context.Context, s statement, row func(types.Row) error) error {
	return c.measured(ctx, s, row, false)
}

func (c *conn) measured(ctx context.Context, s statement, row func(types.Row) error, sync bool) error {
	began := time.Now()
	tag := ""
	err := c.guard(func() (err error) {
		tag, err = c.execute(ctx, s, row)
		if err == nil && sync {
			err = c.session.Sync(ctx)
		}
		return err
	})
	if err != nil {
		_ = c.guard(func() error { c.session.Fail(); return nil }) // guard has logged it
	}
	kind, _, _ := strings.Cut(tag, " ")
	code := pgerr.SuccessfulCompletion
	if err != nil {
		code = problemOf(err).SQLState
	}
	c.pool.metrics.Statement(strings.ToLower(kind), code, time.Since(began))
	return err
}

func (c *conn) execute(ctx context.Context, s statement, row func(types.Row) error) (string, error) {
	ctx, stop := c.both(ctx)
	defer stop()
	p, err := c.prepare(ctx, s)
	if err != nil {
		return "", err
	}
	portal, err := c.session.Bind(ctx, "", p, s.values)
	if err != nil {
		return "", err
	}
	defer c.session.ClosePortal("")
	for {
		r, err := portal.Next(ctx)
		if err != nil {
			return portal.Tag(), err
		}
		if r == nil {
			return portal.Tag(), nil
		}
		if err := row(r); err != nil {
			return portal.Tag(), err
		}
	}
}

// both ends with the request or with the session.
func (c *conn) both(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// prepare finds a statement that was prepared before, or prepares it. What was
// prepared for another schema is forgotten.
func (c *conn) prepare(ctx context.Context, s statement) (executor.Prepared, error) {
	if now := c.pool.catalog(); now != c.schema || len(c.prepared) >= keptStatements {
		c.forget()
		c.schema = now
	}
	if p, ok := c.prepared[s.text]; ok {
		return p, nil
	}
	stmts, err := c.session.Parse(s.text)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		return nil, errors.New("one statement at a time: " + s.text)
	}
	name := fmt.Sprintf("rest_%d", c.named)
	c.named++
	p, err := c.session.Prepare(ctx, name, &stmts[0], s.types)
	if err == nil {
		c.prepared[s.text] = p
	}
	return p, err
}

func (c *conn) forget() {
	for text := range c.prepared {
		delete(c.prepared, text)
	}
	for ; c.named > 0; c.named-- {
		c.session.CloseStatement(fmt.Sprintf("rest_%d", c.named-1))
	}
}

// block runs fn in a transaction block: all of it happens, or nothing.
func (c *conn) block(ctx context.Context, fn func() error) error {
	if err := c.command(ctx, "BEGIN"); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		return c.command(ctx, "COMMIT")
	}
	c.rollback()
	return err
}

// rollback ends a block; the request may have been cancelled by now.
func (c *conn) rollback() {
	if c.session.TxStatus() == 'I' {
		return
	}
	if err := c.command(context.Background(), "ROLLBACK"); err != nil {
		c.dead.Store(true)
	}
}
