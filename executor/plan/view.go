package plan

import (
	"sync"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// viewTrees keeps the trees of views by their text: trees are never changed.
var viewTrees sync.Map

// viewQuery is a view's query.
func viewQuery(v *catalog.View) (*ast.Select, error) {
	if q, ok := viewTrees.Load(v.Query); ok {
		return q.(*ast.Select), nil
	}
	list, err := sql.Parse(v.Query)
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		if q, ok := list[0].Tree.(*ast.Select); ok {
			viewTrees.Store(v.Query, q)
			return q, nil
		}
	}
	return nil, pgerr.Newf(pgerr.InternalError, "the query of view %q cannot be read", v.Name)
}
