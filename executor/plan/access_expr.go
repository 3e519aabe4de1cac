package plan

import (
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// boundIndex is an index's keys and the conjuncts of its predicate, over the row
// of one version of its table.
type boundIndex struct {
	table     *catalog.Table
	keys      []expr.Expr
	predicate []expr.Expr
}

// boundIndexes keeps what was bound of expression and partial indexes: parsing
// them anew would cost every statement more than the rest of its planning.
// Descriptors are immutable, so a pointer stands for a version.
var boundIndexes = indexCache{byIndex: map[*catalog.Index]*boundIndex{}}

// indexCache is safe for concurrent use.
type indexCache struct {
	mu      sync.Mutex // guards byIndex
	byIndex map[*catalog.Index]*boundIndex
}

// maxBoundIndexes bounds the cache, which holds on to old descriptors.
const maxBoundIndexes = 512

func (c *indexCache) find(t *catalog.Table, x *catalog.Index) *boundIndex {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.byIndex[x]; b != nil && b.table == t {
		return b
	}
	return nil
}

func (c *indexCache) put(x *catalog.Index, b *boundIndex) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byIndex) >= maxBoundIndexes {
		clear(c.byIndex)
	}
	c.byIndex[x] = b
}

// indexExprs binds an index's keys and predicate.
func (b *binder) indexExprs(t *catalog.Table, x *catalog.Index) (keys, predicate []expr.Expr, err error) {
	if found := boundIndexes.find(t, x); found != nil {
		return found.keys, found.predicate, nil
	}
	out, err := b.bindIndex(t, x)
	if err != nil {
		return nil, nil, err
	}
	boundIndexes.put(x, out)
	return out.keys, out.predicate, nil
}

func (b *binder) bindIndex(t *catalog.Table, x *catalog.Index) (*boundIndex, error) {
	out := &boundIndex{table: t}
	for i := range x.Keys {
		k := &x.Keys[i]
		if k.Column > 0 {
			c := &t.Columns[k.Column-1]
			out.keys = append(out.keys, &expr.Column{Index: int(k.Column) - 1, Typ: expr.Type{OID: c.Type, Typmod: c.Typmod}, Name: c.Name})
			continue
		}
		e, err := b.storedExpr(t, k.Expr, expr.Type{})
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, e)
	}
	if x.Predicate == "" {
		return out, nil
	}
	e, err := b.storedExpr(t, x.Predicate, expr.Type{OID: types.BoolOID, Typmod: types.NoTypmod})
	if err != nil {
		return nil, err
	}
	out.predicate = conjuncts(e)
	return out, nil
}
