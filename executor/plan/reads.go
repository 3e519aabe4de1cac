package plan

import (
	"reflect"
	"slices"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Reads says whether a plan reads a column of a table.
func Reads(p *Plan, table types.OID, attnum int16) bool {
	found := false
	see := func(n Node) {
		t, cols := scanned(n)
		found = found || t != nil && t.ID == table && slices.Contains(cols, attnum)
	}
	eachNode(reflect.ValueOf(p), see)
	return found
}

// scanned gives the table that a node reads, and the columns.
func scanned(n Node) (*catalog.Table, []int16) {
	switch n := n.(type) {
	case *SeqScan:
		return n.Table, n.Cols
	case *IndexScan:
		return n.Table, n.Cols
	case *KNN:
		return n.Table, n.Cols
	}
	return nil, nil
}

// eachNode visits the nodes inside a value: fields of nodes, subqueries and lists of them.
func eachNode(v reflect.Value, see func(Node)) {
	switch v.Kind() {
	case reflect.Interface:
		if n, ok := v.Interface().(Node); ok && n != nil {
			see(n)
			if _, cycle := n.(*WorkTableScan); !cycle { // it points back at its union
				eachNode(v.Elem(), see)
			}
		}
	case reflect.Pointer:
		switch v.Interface().(type) {
		case *Plan, *SubQuery, *CTE, Node:
			if !v.IsNil() {
				eachNode(v.Elem(), see)
			}
		}
	case reflect.Slice:
		switch v.Interface().(type) {
		case []Node, []*SubQuery, []*CTE:
			for i := range v.Len() {
				eachNode(v.Index(i), see)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachNode(v.Field(i), see)
			}
		}
	}
}
