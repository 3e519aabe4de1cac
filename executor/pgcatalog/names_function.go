package pgcatalog

import (
	"slices"
	"strings"
	"sync"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// callable is a function as reg* types see it.
type callable struct {
	oid          types.OID
	schema, name string
	args         []types.OID
}

type callables struct {
	byName map[string][]callable
	byOID  map[types.OID]callable
}

// allCallables are the rows of pg_proc by name and by object id.
var allCallables = sync.OnceValue(func() *callables {
	c := &callables{byName: map[string][]callable{}, byOID: map[types.OID]callable{}}
	add := func(f callable) {
		c.byName[f.name] = append(c.byName[f.name], f)
		c.byOID[f.oid] = f
	}
	for _, f := range supportFunctions() {
		schema := "pg_catalog"
		if s := supportSchema(f.oid); s != "" {
			schema = s
		}
		add(callable{f.oid, schema, f.name, f.args})
	}
	for _, f := range expr.Functions() {
		add(callable{f.OID, functionSchema(f), f.Name, f.Args})
	}
	return c
})

// candidates are the functions that a name may mean.
func (n *names) candidates(parts []string) []callable {
	var out []callable
	for _, f := range allCallables().byName[parts[len(parts)-1]] {
		if len(parts) == 2 && f.schema == parts[0] || len(parts) == 1 && n.InPath(f.schema) {
			out = append(out, f)
		}
	}
	return out
}

func (n *names) function(parts []string, text string) (types.OID, error) {
	found := n.candidates(parts)
	switch len(found) {
	case 0:
		return 0, pgerr.Newf(pgerr.UndefinedFunction, "function \"%s\" does not exist", text)
	case 1:
		return found[0].oid, nil
	}
	return 0, pgerr.Newf(pgerr.AmbiguousFunction, "more than one function named \"%s\"", text)
}

// functionName qualifies a name that is overloaded, as regproc's output does.
func (n *names) functionName(id types.OID) string {
	f, ok := allCallables().byOID[id]
	if !ok {
		return ""
	}
	if found := n.candidates([]string{f.name}); len(found) == 1 && found[0].oid == id {
		return expr.QuoteIdent(f.name)
	}
	return expr.QualifiedName(f.schema, f.name)
}

func (n *names) procedure(_ []string, text string) (types.OID, error) {
	head, args, err := n.arguments(text)
	if err != nil {
		return 0, err
	}
	for _, f := range n.candidates(expr.SplitQualified(head)) {
		if slices.Equal(f.args, args) {
			return f.oid, nil
		}
	}
	return 0, pgerr.Newf(pgerr.UndefinedFunction, "function \"%s\" does not exist", text)
}

// arguments splits "name(type, type)".
func (n *names) arguments(text string) (name string, args []types.OID, err error) {
	open := strings.IndexByte(text, '(')
	if open < 0 || !strings.HasSuffix(strings.TrimSpace(text), ")") {
		return "", nil, pgerr.New(pgerr.InvalidTextRepresentation, "expected a left parenthesis")
	}
	name = strings.TrimSpace(text[:open])
	list := strings.TrimSpace(text)
	list = strings.TrimSpace(list[open+1 : len(list)-1])
	if list == "" {
		return name, nil, nil
	}
	for _, a := range strings.Split(list, ",") {
		a = strings.TrimSpace(a)
		if strings.EqualFold(a, "none") {
			args = append(args, 0)
			continue
		}
		id, err := n.typ([]string{a}, a)
		if err != nil {
			return "", nil, err
		}
		args = append(args, id)
	}
	return name, args, nil
}

func (n *names) procedureName(id types.OID) string {
	f, ok := allCallables().byOID[id]
	if !ok {
		return ""
	}
	name := expr.QuoteIdent(f.name)
	if !n.InPath(f.schema) {
		name = expr.QualifiedName(f.schema, f.name)
	}
	return name + "(" + n.typeList(f.args) + ")"
}

func (n *names) typeList(ids []types.OID) string {
	list := make([]string, len(ids))
	for i, a := range ids {
		list[i] = "NONE"
		if a != 0 {
			list[i] = n.TypeName(a, types.NoTypmod)
		}
	}
	return strings.Join(list, ",")
}

// operatorsNamed are the operators of a name, perhaps with a schema.
func (n *names) operatorsNamed(text string) []*expr.Operator {
	name := text[strings.LastIndexByte(text, '.')+1:]
	var out []*expr.Operator
	for _, o := range expr.Operators() {
		if o.Name == name {
			out = append(out, o)
		}
	}
	return out
}

func (n *names) operator(_ []string, text string) (types.OID, error) {
	found := n.operatorsNamed(text)
	switch len(found) {
	case 0:
		return 0, pgerr.Newf(pgerr.UndefinedFunction, "operator does not exist: %s", text)
	case 1:
		return found[0].OID, nil
	}
	return 0, pgerr.Newf(pgerr.AmbiguousFunction, "more than one operator named %s", text)
}

func operatorByOID(id types.OID) *expr.Operator {
	for _, o := range expr.Operators() {
		if o.OID == id {
			return o
		}
	}
	return nil
}

func (n *names) operatorName(id types.OID) string {
	if o := operatorByOID(id); o != nil {
		if len(n.operatorsNamed(o.Name)) == 1 {
			return o.Name
		}
		return "pg_catalog." + o.Name
	}
	return ""
}

func (n *names) signature(_ []string, text string) (types.OID, error) {
	name, args, err := n.arguments(text)
	if err != nil {
		return 0, err
	}
	for _, o := range n.operatorsNamed(name) {
		if len(args) == 2 && o.Left == args[0] && o.Right == args[1] {
			return o.OID, nil
		}
	}
	return 0, pgerr.Newf(pgerr.UndefinedFunction, "operator does not exist: %s", text)
}

func (n *names) signatureName(id types.OID) string {
	o := operatorByOID(id)
	if o == nil {
		return ""
	}
	return o.Name + "(" + n.typeList([]types.OID{o.Left, o.Right}) + ")"
}
