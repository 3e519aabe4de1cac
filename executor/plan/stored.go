package plan

import (
	"sync"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// treeCache keeps the trees of texts of the catalog (defaults, checks, views):
// parsing them anew would cost a small statement more than all else. Trees are
// never changed. It is safe for concurrent use.
type treeCache[T any] struct {
	mu     sync.RWMutex // guards byText
	byText map[string]T
}

// maxTrees bounds a cache; texts of what was dropped stay until it is full.
const maxTrees = 4096

var (
	storedExprs   treeCache[ast.Expr]
	storedQueries treeCache[*ast.Select]
)

// tree gives the tree of a text, parsed by parse the first time.
func (c *treeCache[T]) tree(text string, parse func(string) (T, error)) (T, error) {
	c.mu.RLock()
	tree, ok := c.byText[text]
	c.mu.RUnlock()
	if ok {
		return tree, nil
	}
	tree, err := parse(text)
	if err != nil {
		return tree, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byText == nil || len(c.byText) >= maxTrees {
		c.byText = map[string]T{}
	}
	c.byText[text] = tree
	return tree, nil
}

// viewQuery is a view's query.
func viewQuery(v *catalog.View) (*ast.Select, error) {
	return storedQueries.tree(v.Query, func(text string) (*ast.Select, error) {
		list, err := sql.Parse(text)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 {
			if q, ok := list[0].Tree.(*ast.Select); ok {
				return q, nil
			}
		}
		return nil, pgerr.Newf(pgerr.InternalError, "the query of view %q cannot be read", v.Name)
	})
}
