package executor

import (
	"context"
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// Keyer computes the keys of expression and partial indexes for the storage. It
// is safe for concurrent use. Compiled expressions are kept by index.
type Keyer struct {
	mu       sync.RWMutex // guards compiled
	compiled map[types.OID]*compiledIndex
}

// compiledIndex is an index's expressions over its table's row.
type compiledIndex struct {
	index     *catalog.Index
	table     *catalog.Table
	keys      []expr.Expr
	predicate expr.Expr
}

// NewKeyer returns an empty Keyer.
func NewKeyer() *Keyer { return &Keyer{compiled: map[types.OID]*compiledIndex{}} }

// Keys returns the key values of a row; include is false when the index's
// predicate leaves the row out.
func (k *Keyer) Keys(table *catalog.Table, index *catalog.Index, row types.Row) ([]types.Datum, bool, error) {
	c, err := k.find(table, index)
	if err != nil {
		return nil, false, err
	}
	ctx := &expr.Context{Ctx: context.Background(), Env: types.DefaultEnv(), Row: row}
	if c.predicate != nil {
		d, err := c.predicate.Eval(ctx)
		if err != nil || d != true {
			return nil, false, err
		}
	}
	keys := make([]types.Datum, len(c.keys))
	for i, e := range c.keys {
		if keys[i], err = e.Eval(ctx); err != nil {
			return nil, false, err
		}
	}
	return keys, true, nil
}

func (k *Keyer) find(table *catalog.Table, index *catalog.Index) (*compiledIndex, error) {
	k.mu.RLock()
	c := k.compiled[index.ID]
	k.mu.RUnlock()
	// The descriptors themselves are compared, not their versions: a transaction
	// that was rolled back may have used the next version already.
	if c != nil && c.index == index && c.table == table {
		return c, nil
	}
	made, err := compileIndex(table, index)
	if err != nil && c != nil {
		// A column was renamed in a transaction that is still open, and one of
		// table and index is older than the other: what was bound before reads
		// the same places of the row.
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.compiled[index.ID] = made
	return made, nil
}

func compileIndex(table *catalog.Table, index *catalog.Index) (*compiledIndex, error) {
	c := &compiledIndex{index: index, table: table}
	env := &plan.Env{Catalog: catalog.Empty(), Types: types.DefaultEnv()}
	bind := func(text string, want expr.Type) (expr.Expr, error) {
		tree, err := sql.ParseExpr(text)
		if err != nil {
			return nil, err
		}
		return plan.BindTableExpr(env, table, tree, want, "index expressions")
	}
	for _, key := range index.Keys {
		typ := expr.Type{OID: key.Type, Typmod: key.Typmod}
		if key.Column > 0 {
			c.keys = append(c.keys, &expr.Column{Index: int(key.Column) - 1, Typ: typ})
			continue
		}
		e, err := bind(key.Expr, typ)
		if err != nil {
			return nil, err
		}
		c.keys = append(c.keys, e)
	}
	if index.Predicate != "" {
		e, err := bind(index.Predicate, expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod})
		if err != nil {
			return nil, err
		}
		c.predicate = e
	}
	return c, nil
}
