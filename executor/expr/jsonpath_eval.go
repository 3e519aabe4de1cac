package expr

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// SQLSTATEs of SQL/JSON, which only paths raise.
const (
	invalidJSONSubscript  = "22033"
	nonNumericJSONItem    = "22036"
	singletonItemRequired = "22038"
	jsonArrayNotFound     = "22039"
	jsonMemberNotFound    = "2203A"
	jsonNumberNotFound    = "2203B"
	jsonObjectNotFound    = "2203C"
)

// errEnough stops a path after its first item.
var errEnough = errors.New("expr: enough of the path")

// pathRun is one evaluation of a jsonpath over a value. In lax mode arrays are
// unwrapped where their elements are asked for, and what is not there is not
// looked for; in strict mode both are errors.
type pathRun struct {
	strict bool
	root   any
	// vars are the variables; without any, as the operators have it, all are null.
	vars   types.JSONObject
	noVars bool
	// fatal is an error that no predicate turns into unknown.
	fatal error
	// current is the item of the innermost filter, size the length of the
	// innermost subscripted array.
	current any
	size    int
	// lenient is set below .** in strict mode, where structure cannot be known.
	lenient bool
}

// emit takes the items that a path gives, one by one.
type emit func(v any) error

// lastPath is the path parsed last: a filter uses the same one for every row.
var lastPath atomic.Pointer[parsedPath]

type parsedPath struct {
	text string
	path *types.JSONPath
}

func pathOf(text string) (*types.JSONPath, error) {
	if p := lastPath.Load(); p != nil && p.text == text {
		return p.path, nil
	}
	path, err := types.ParseJSONPath(text)
	if err != nil {
		return nil, err
	}
	lastPath.Store(&parsedPath{text, path})
	return path, nil
}

// runPath evaluates a path over a jsonb; vars may be nil.
func runPath(target, path, vars types.Datum, out emit) (*types.JSONPath, error) {
	p, err := pathOf(path.(string))
	if err != nil {
		return nil, err
	}
	x := pathRun{strict: p.Strict, noVars: vars == nil}
	if vars != nil {
		v, err := vars.(types.JSONB).Value()
		if err != nil {
			return nil, err
		}
		object, ok := v.(types.JSONObject)
		if !ok {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "\"vars\" argument is not an object").
				WithDetail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")
		}
		x.vars = object
	}
	if x.root, err = target.(types.JSONB).Value(); err != nil {
		return nil, err
	}
	x.current = x.root
	err = x.run(p.Root, x.root, out)
	if x.fatal != nil {
		err = x.fatal
	}
	return p, err
}

func (x *pathRun) unwraps() bool { return !x.strict }

func (x *pathRun) ignoresStructure() bool { return !x.strict || x.lenient }

// structural is an error about what the value has not, which lax mode leaves out.
func (x *pathRun) structural(code, format string, args ...any) error {
	if x.ignoresStructure() {
		return nil
	}
	return pgerr.Newf(code, format, args...)
}

func (x *pathRun) run(it *types.JSONPathItem, v any, out emit) error {
	return x.step(it, v, x.unwraps(), out)
}

// follow gives v to the step after it.
func (x *pathRun) follow(it *types.JSONPathItem, v any, out emit) error {
	if it.Next == nil {
		return out(v)
	}
	return x.run(it.Next, v, out)
}

// unwrapped runs a step on each element of an array, not going deeper.
func (x *pathRun) unwrapped(it *types.JSONPathItem, list []any, out emit) error {
	for _, e := range list {
		if err := x.step(it, e, false, out); err != nil {
			return err
		}
	}
	return nil
}

// step evaluates one item on v; unwrap tells whether an array stands for its elements.
func (x *pathRun) step(it *types.JSONPathItem, v any, unwrap bool, out emit) error {
	switch it.Op {
	case types.PathNull:
		return x.follow(it, nil, out)
	case types.PathBool:
		return x.follow(it, it.Bool, out)
	case types.PathNumber:
		return x.follow(it, it.Number, out)
	case types.PathString:
		return x.follow(it, it.Text, out)
	case types.PathVariable:
		value, ok := x.vars.Find(it.Text)
		if !ok && !x.noVars {
			x.fatal = pgerr.Newf(pgerr.UndefinedObject, "could not find jsonpath variable \"%s\"", it.Text)
			return x.fatal
		}
		return x.follow(it, value, out)
	case types.PathRoot:
		return x.follow(it, x.root, out)
	case types.PathCurrent:
		return x.follow(it, x.current, out)
	case types.PathLast:
		return x.follow(it, types.NumericFromInt64(int64(x.size-1)), out)
	case types.PathKey:
		return x.key(it, v, unwrap, out)
	case types.PathAnyKey:
		return x.anyKey(it, v, unwrap, out)
	case types.PathAnyElement:
		return x.anyElement(it, v, out)
	case types.PathIndex:
		return x.indexes(it, v, out)
	case types.PathAnyLevel:
		return x.anyLevel(it, v, out)
	case types.PathFilter:
		return x.filter(it, v, unwrap, out)
	}
	if it.Op >= types.PathType && it.Op <= types.PathDatetime {
		return x.method(it, v, unwrap, out)
	}
	if it.Op >= types.PathExists && it.Op <= types.PathStartsWith {
		return x.follow(it, x.test(it, v).value(), out)
	}
	return x.arithmetic(it, v, out)
}

func (x *pathRun) key(it *types.JSONPathItem, v any, unwrap bool, out emit) error {
	switch c := v.(type) {
	case types.JSONObject:
		if member, ok := c.Find(it.Text); ok {
			return x.follow(it, member, out)
		}
		return x.structural(jsonMemberNotFound, "JSON object does not contain key \"%s\"", it.Text)
	case []any:
		if unwrap {
			return x.unwrapped(it, c, out)
		}
	}
	return x.structural(jsonMemberNotFound, "jsonpath member accessor can only be applied to an object")
}

func (x *pathRun) anyKey(it *types.JSONPathItem, v any, unwrap bool, out emit) error {
	switch c := v.(type) {
	case types.JSONObject:
		for _, m := range c {
			if err := x.follow(it, m.Value, out); err != nil {
				return err
			}
		}
		return nil
	case []any:
		if unwrap {
			return x.unwrapped(it, c, out)
		}
	}
	return x.structural(jsonObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
}

func (x *pathRun) anyElement(it *types.JSONPathItem, v any, out emit) error {
	list, ok := v.([]any)
	if !ok {
		if x.unwraps() {
			return x.follow(it, v, out)
		}
		return x.structural(jsonArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
	}
	for _, e := range list {
		if err := x.follow(it, e, out); err != nil {
			return err
		}
	}
	return nil
}

func (x *pathRun) indexes(it *types.JSONPathItem, v any, out emit) error {
	list, ok := v.([]any)
	if !ok {
		if !x.unwraps() {
			return x.structural(jsonArrayNotFound, "jsonpath array accessor can only be applied to an array")
		}
		list = []any{v}
	}
	outer := x.size
	defer func() { x.size = outer }()
	for _, r := range it.Indexes {
		x.size = len(list)
		from, to, err := x.bounds(r, v)
		if err != nil {
			return err
		}
		if !x.ignoresStructure() && (from < 0 || from > to || to >= len(list)) {
			return pgerr.New(invalidJSONSubscript, "jsonpath array subscript is out of bounds")
		}
		for i := max(from, 0); i <= min(to, len(list)-1); i++ {
			if err := x.follow(it, list[i], out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *pathRun) bounds(r types.JSONPathRange, v any) (from, to int, err error) {
	if from, err = x.subscript(r.From, v); err != nil || r.To == nil {
		return from, from, err
	}
	to, err = x.subscript(r.To, v)
	return from, to, err
}

func (x *pathRun) subscript(it *types.JSONPathItem, v any) (int, error) {
	items, err := x.collect(it, v, false)
	if err != nil {
		return 0, err
	}
	if len(items) == 1 {
		if n, ok := items[0].(*types.Numeric); ok {
			i, err := types.NumericToInt64(types.NumericTrunc(n, 0))
			if err != nil || i != int64(int32(i)) {
				return 0, pgerr.New(invalidJSONSubscript, "jsonpath array subscript is out of integer range")
			}
			return int(i), nil
		}
	}
	return 0, pgerr.New(invalidJSONSubscript, "jsonpath array subscript is not a single numeric value")
}

// collect gathers a path's items; with unwrap, arrays among them give their elements.
func (x *pathRun) collect(it *types.JSONPathItem, v any, unwrap bool) ([]any, error) {
	var items []any
	err := x.run(it, v, func(item any) error {
		if list, ok := item.([]any); ok && unwrap && x.unwraps() {
			items = append(items, list...)
		} else {
			items = append(items, item)
		}
		return nil
	})
	return items, err
}

func (x *pathRun) anyLevel(it *types.JSONPathItem, v any, out emit) error {
	if it.First == 0 {
		if err := x.below(it, v, out); err != nil {
			return err
		}
	}
	return x.descend(it, v, 1, out)
}

// below runs what follows .** with the structure taken leniently.
func (x *pathRun) below(it *types.JSONPathItem, v any, out emit) error {
	outer := x.lenient
	x.lenient = true
	defer func() { x.lenient = outer }()
	return x.follow(it, v, out)
}

func (x *pathRun) descend(it *types.JSONPathItem, v any, level int64, out emit) error {
	if level > it.Last {
		return nil
	}
	visit := func(child any) error {
		leaf := true
		switch child.(type) {
		case []any, types.JSONObject:
			leaf = false
		}
		if level >= it.First || it.First == types.LastLevel && it.Last == types.LastLevel && leaf {
			if err := x.below(it, child, out); err != nil {
				return err
			}
		}
		return x.descend(it, child, level+1, out)
	}
	switch c := v.(type) {
	case types.JSONObject:
		for _, m := range c {
			if err := visit(m.Value); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range c {
			if err := visit(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *pathRun) filter(it *types.JSONPathItem, v any, unwrap bool, out emit) error {
	if list, ok := v.([]any); ok && unwrap {
		return x.unwrapped(it, list, out)
	}
	outer := x.current
	x.current = v
	passed := x.test(it.Left, v)
	x.current = outer
	if passed != pathTrue {
		return nil
	}
	return x.follow(it, v, out)
}

// Methods and arithmetic.

func (x *pathRun) method(it *types.JSONPathItem, v any, unwrap bool, out emit) error {
	switch it.Op {
	case types.PathType:
		return x.follow(it, pathTypeName(v), out)
	case types.PathSize:
		return x.sizeOf(it, v, out)
	case types.PathDatetime:
		return pgerr.Unsupported("jsonpath item method .datetime()")
	}
	if list, ok := v.([]any); ok && unwrap {
		return x.unwrapped(it, list, out)
	}
	switch it.Op {
	case types.PathDouble:
		n, err := pathDouble(v)
		if err != nil {
			return err
		}
		return x.follow(it, n, out)
	case types.PathKeyValue:
		return x.keyValues(it, v, out)
	}
	n, ok := v.(*types.Numeric)
	if !ok {
		return pgerr.Newf(nonNumericJSONItem, "jsonpath item method .%s() can only be applied to a numeric value", it.Op)
	}
	switch it.Op {
	case types.PathAbs:
		n = types.NumericAbs(n)
	case types.PathFloor:
		n = types.NumericFloor(n)
	default:
		n = types.NumericCeil(n)
	}
	return x.follow(it, n, out)
}

func pathTypeName(v any) string {
	switch v.(type) {
	case bool:
		return "boolean"
	case *types.Numeric:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case types.JSONObject:
		return "object"
	}
	return "null"
}

func (x *pathRun) sizeOf(it *types.JSONPathItem, v any, out emit) error {
	list, ok := v.([]any)
	switch {
	case ok:
		return x.follow(it, types.NumericFromInt64(int64(len(list))), out)
	case x.unwraps():
		return x.follow(it, types.NumericFromInt64(1), out)
	}
	return x.structural(jsonArrayNotFound, "jsonpath item method .%s() can only be applied to an array", it.Op)
}

func pathDouble(v any) (*types.Numeric, error) {
	switch v := v.(type) {
	case *types.Numeric:
		if _, err := types.NumericToFloat64(v); err != nil {
			return nil, pgerr.New(nonNumericJSONItem, "numeric argument of jsonpath item method .double() is out of range for type double precision")
		}
		return v, nil
	case string:
		d, err := types.Parse(types.Float8OID, types.NoTypmod, v, nil)
		if err == nil {
			n := types.NumericFromFloat64(d.(float64))
			if !types.NumericIsNaN(n) && !types.NumericIsInf(n) {
				return n, nil
			}
		}
		return nil, pgerr.New(nonNumericJSONItem, "string argument of jsonpath item method .double() is not a valid representation of a double precision number")
	}
	return nil, pgerr.New(nonNumericJSONItem, "jsonpath item method .double() can only be applied to a string or numeric value")
}

// keyValues gives an object for each member. PostgreSQL's id is the place of the
// object in its storage; here all objects of a value have 0.
func (x *pathRun) keyValues(it *types.JSONPathItem, v any, out emit) error {
	object, ok := v.(types.JSONObject)
	if !ok {
		return pgerr.New(jsonObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	for _, m := range object {
		pair := types.JSONObject{{Key: "id", Value: types.NumericFromInt64(0)}, {Key: "key", Value: m.Key}, {Key: "value", Value: m.Value}}
		if err := x.follow(it, pair, out); err != nil {
			return err
		}
	}
	return nil
}

func (x *pathRun) arithmetic(it *types.JSONPathItem, v any, out emit) error {
	if it.Right == nil {
		return x.sign(it, v, out)
	}
	left, err := x.operand(it, it.Left, v, "left")
	if err != nil {
		return err
	}
	right, err := x.operand(it, it.Right, v, "right")
	if err != nil {
		return err
	}
	compute := map[types.JSONPathOp]func(a, b *types.Numeric) (*types.Numeric, error){
		types.PathAdd: types.NumericAdd, types.PathSub: types.NumericSub, types.PathMul: types.NumericMul,
		types.PathDiv: types.NumericDiv, types.PathMod: types.NumericMod,
	}[it.Op]
	n, err := compute(left, right)
	if err != nil {
		return err
	}
	return x.follow(it, n, out)
}

func (x *pathRun) operand(it, arg *types.JSONPathItem, v any, side string) (*types.Numeric, error) {
	items, err := x.collect(arg, v, true)
	if err != nil {
		return nil, err
	}
	if len(items) == 1 {
		if n, ok := items[0].(*types.Numeric); ok {
			return n, nil
		}
	}
	return nil, pgerr.Newf(singletonItemRequired, "%s operand of jsonpath operator %s is not a single numeric value", side, it.Op)
}

func (x *pathRun) sign(it *types.JSONPathItem, v any, out emit) error {
	items, err := x.collect(it.Left, v, true)
	if err != nil {
		return err
	}
	for _, item := range items {
		n, ok := item.(*types.Numeric)
		if !ok {
			return pgerr.Newf(jsonNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", it.Op)
		}
		if it.Op == types.PathMinus {
			n = types.NumericNeg(n)
		}
		if err := x.follow(it, n, out); err != nil {
			return err
		}
	}
	return nil
}

// pathBool is what a predicate says.
type pathBool uint8

const (
	pathFalse pathBool = iota
	pathTrue
	pathUnknown
)

func (b pathBool) value() any {
	if b == pathUnknown {
		return nil
	}
	return b == pathTrue
}

func pathBoolOf(b bool) pathBool {
	if b {
		return pathTrue
	}
	return pathFalse
}

// test evaluates a predicate; an error inside makes it unknown.
func (x *pathRun) test(it *types.JSONPathItem, v any) pathBool {
	switch it.Op {
	case types.PathAnd:
		l := x.test(it.Left, v)
		if l == pathFalse {
			return l
		}
		if r := x.test(it.Right, v); r != pathTrue {
			return r
		}
		return l
	case types.PathOr:
		l := x.test(it.Left, v)
		if l == pathTrue {
			return l
		}
		if r := x.test(it.Right, v); r != pathFalse {
			return r
		}
		return l
	case types.PathNot:
		switch x.test(it.Left, v) {
		case pathTrue:
			return pathFalse
		case pathFalse:
			return pathTrue
		}
		return pathUnknown
	case types.PathIsUnknown:
		return pathBoolOf(x.test(it.Left, v) == pathUnknown)
	case types.PathExists:
		return x.exists(it.Left, v)
	}
	return x.compare(it, v)
}

func (x *pathRun) exists(it *types.JSONPathItem, v any) pathBool {
	found := false
	err := x.run(it, v, func(any) error {
		found = true
		if x.strict {
			return nil // strict mode looks for errors in all of it
		}
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return pathUnknown
	}
	return pathBoolOf(found)
}

// compare tests every item of the left side with every one of the right.
func (x *pathRun) compare(it *types.JSONPathItem, v any) pathBool {
	left, err := x.collect(it.Left, v, true)
	if err != nil {
		return pathUnknown
	}
	right := []any{nil}
	if it.Right != nil {
		if right, err = x.collect(it.Right, v, it.Op != types.PathStartsWith); err != nil {
			return pathUnknown
		}
	}
	found, unknown := false, false
	for _, l := range left {
		for _, r := range right {
			switch x.comparePair(it, l, r) {
			case pathTrue:
				if !x.strict {
					return pathTrue
				}
				found = true
			case pathUnknown:
				if x.strict {
					return pathUnknown
				}
				unknown = true
			}
		}
	}
	switch {
	case found:
		return pathTrue
	case unknown:
		return pathUnknown
	}
	return pathFalse
}

func (x *pathRun) comparePair(it *types.JSONPathItem, l, r any) pathBool {
	switch it.Op {
	case types.PathStartsWith:
		s, ok1 := l.(string)
		prefix, ok2 := r.(string)
		if !ok1 || !ok2 {
			return pathUnknown
		}
		return pathBoolOf(strings.HasPrefix(s, prefix))
	case types.PathLikeRegex:
		s, ok := l.(string)
		if !ok {
			return pathUnknown
		}
		re, err := compileRegex(it.Text, regexFlagsOf(it.Flags))
		if err != nil {
			return pathUnknown
		}
		return pathBoolOf(re.MatchString(s))
	}
	return comparePathItems(it.Op, l, r)
}

// regexFlagsOf turns the flags of XQuery into those of a PostgreSQL pattern:
// without s a dot does not match a line end.
func regexFlagsOf(xquery string) string {
	has := func(f string) bool { return strings.Contains(xquery, f) }
	flags := ""
	if has("i") {
		flags = "i"
	}
	switch {
	case has("q"):
		return flags + "q"
	case has("m") && has("s"):
		return flags + "w"
	case has("m"):
		return flags + "n"
	case has("s"):
		return flags
	}
	return flags + "p"
}

// comparePathItems compares scalars of one type; null is unequal to all others.
func comparePathItems(op types.JSONPathOp, l, r any) pathBool {
	if pathTypeName(l) != pathTypeName(r) {
		if l == nil || r == nil {
			return pathBoolOf(op == types.PathNotEqual)
		}
		return pathUnknown
	}
	c := 0
	switch a := l.(type) {
	case nil:
	case bool:
		c = compareInts(boolInt(a), boolInt(r.(bool)))
	case *types.Numeric:
		c = types.NumericCmp(a, r.(*types.Numeric))
	case string:
		c = strings.Compare(a, r.(string))
	default:
		return pathUnknown
	}
	switch op {
	case types.PathEqual:
		return pathBoolOf(c == 0)
	case types.PathNotEqual:
		return pathBoolOf(c != 0)
	case types.PathLess:
		return pathBoolOf(c < 0)
	case types.PathGreater:
		return pathBoolOf(c > 0)
	case types.PathLessEqual:
		return pathBoolOf(c <= 0)
	}
	return pathBoolOf(c >= 0)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
