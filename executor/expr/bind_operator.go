package expr

import (
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// BindOperator picks the operator by PostgreSQL's rules and coerces the operands; left
// is nil for a prefix operator. 42883 "operator does not exist: integer + text" with hint; 42725.
func BindOperator(env *types.Env, schema, name string, left, right Expr) (*Call, error) {
	if name == "!=" {
		name = "<>"
	}
	args := []Expr{left, right}
	if left == nil {
		args = args[1:]
	}
	actual := typesOf(args)
	op, err := findOperator(env, schema, name, actual)
	if err != nil {
		return nil, err
	}
	declared, result, err := resolveSignature(env, op.Func.Args, actual, op.Result)
	if err != nil {
		return nil, err
	}
	call := &Call{Func: op.Func, Typ: Type{OID: result, Typmod: types.NoTypmod}, Operator: name}
	if op.Name == "||" && (op.Func.Name == "textanycat" || op.Func.Name == "anytextcat") {
		return bindTextCat(env, call, args)
	}
	if call.Args, err = coerceArgs(env, args, declared); err != nil {
		return nil, err
	}
	return specialise(call, name, declared), nil
}

// bindTextCat casts the side that is not text, as the SQL function behind
// text || anynonarray does, and so gives NULL, dates and the rest their text.
func bindTextCat(env *types.Env, call *Call, args []Expr) (*Call, error) {
	text := Type{OID: types.TextOID, Typmod: types.NoTypmod}
	for _, a := range args {
		c, err := Coerce(env, a, text, CastExplicit)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, c)
	}
	if op, ok := FindOperator("||", types.TextOID, types.TextOID); ok {
		call.Func = op.Func
	}
	return call, nil
}

func typesOf(args []Expr) []types.OID {
	out := make([]types.OID, len(args))
	for i, a := range args {
		if out[i] = a.Type().OID; out[i] == 0 {
			out[i] = types.UnknownOID
		}
	}
	return out
}

func argTypes(args []Expr) []Type {
	out := make([]Type, len(args))
	for i, a := range args {
		out[i] = a.Type()
	}
	return out
}

func coerceArgs(env *types.Env, args []Expr, declared []types.OID) ([]Expr, error) {
	out := make([]Expr, len(args))
	for i, a := range args {
		c, err := Coerce(env, a, Type{OID: declared[i], Typmod: types.NoTypmod}, CastImplicit)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// specialise gives functions that must know their types a copy that does.
func specialise(call *Call, operator string, declared []types.OID) *Call {
	if call.Func.bind != nil {
		bound := *call.Func
		bound.Eval = bound.bind(argTypes(call.Args), call.Variadic)
		call.Func = &bound
	}
	return call
}

// findOperator is oper() and left_oper() of PostgreSQL.
func findOperator(env *types.Env, schema, name string, actual []types.OID) (*Operator, error) {
	if op := exactOperator(schema, name, actual); op != nil {
		return op, nil
	}
	var all []candidate
	for _, o := range tables().operatorsByName[name] {
		if inSchema(o.Schema, schema) && (o.Left == 0) == (len(actual) == 1) {
			all = append(all, candidate{op: o, args: operandTypes(o)})
		}
	}
	all = matchArgs(all, actual)
	if len(all) == 1 {
		return all[0].op, nil
	}
	if len(all) > 1 {
		if c := selectCandidate(all, actual); c != nil {
			return c.op, nil
		}
	}
	return nil, operatorError(env, schema, name, actual, len(all) > 1)
}

func operandTypes(o *Operator) []types.OID {
	if o.Left == 0 {
		return []types.OID{o.Right}
	}
	return []types.OID{o.Left, o.Right}
}

// exactOperator finds the row of just these types; one unknown operand is taken
// to be of the other's type.
func exactOperator(schema, name string, actual []types.OID) *Operator {
	l, r := types.OID(0), actual[len(actual)-1]
	if len(actual) == 2 {
		l = actual[0]
		switch {
		case unknownType(l):
			l = r
		case unknownType(r):
			r = l
		}
	}
	if o, ok := FindOperator(name, l, r); ok && inSchema(o.Schema, schema) {
		return o
	}
	return nil
}

func operatorError(env *types.Env, schema, name string, actual []types.OID, ambiguous bool) error {
	text := name
	if schema != "" {
		text = schema + "." + name
	}
	if len(actual) == 2 {
		text = typeName(env, actual[0]) + " " + text + " " + typeName(env, actual[1])
	} else {
		text = text + " " + typeName(env, actual[0])
	}
	if ambiguous {
		return pgerr.Newf(pgerr.AmbiguousFunction, "operator is not unique: %s", text).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
	}
	err := pgerr.Newf(pgerr.UndefinedFunction, "operator does not exist: %s", text)
	if len(actual) == 1 {
		return err.WithHint("No operator matches the given name and argument type. You might need to add an explicit type cast.")
	}
	return err.WithHint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

// Equality and Less are the = and < functions over one type.
func Equality(oid types.OID) (*Function, bool) { return comparisonOf("=", oid) }

// Less is the < function over one type.
func Less(oid types.OID) (*Function, bool) { return comparisonOf("<", oid) }

// comparisonOf finds the operator over a type itself, or over the one that it
// is compared as: text for varchar, oid for regclass, anyarray for arrays.
func comparisonOf(name string, oid types.OID) (*Function, bool) {
	for _, as := range []types.OID{oid, comparedAs(oid)} {
		if o, ok := FindOperator(name, as, as); ok {
			return o.Func, true
		}
	}
	return nil, false
}

func comparedAs(oid types.OID) types.OID {
	switch oid {
	case types.VarcharOID, types.UnknownOID, types.CstringOID:
		return types.TextOID
	case types.CIDROID:
		return types.InetOID
	}
	switch {
	case types.IsEnum(oid):
		return types.AnyEnumOID
	case types.IsRow(oid):
		return types.RecordOID
	}
	for _, r := range regTypes {
		if oid == r {
			return types.OidOID
		}
	}
	if e := elementOf(oid); e != 0 {
		if _, ok := comparisonOf("=", e); ok {
			return types.AnyArrayOID
		}
	}
	return oid
}

// BindAnyAll binds left op ANY (array) or left op ALL (array).
func BindAnyAll(env *types.Env, schema, name string, left, array Expr, all bool) (*AnyAll, error) {
	if name == "!=" {
		name = "<>"
	}
	elem := types.UnknownOID
	if t := array.Type().OID; !unknownType(t) {
		if elem = elementOf(t); elem == 0 {
			return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires array on right side")
		}
	}
	actual := []types.OID{typesOf([]Expr{left})[0], elem}
	op, err := findOperator(env, schema, name, actual)
	if err != nil {
		return nil, err
	}
	if op.Result != types.BoolOID {
		return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
	}
	declared, _, err := resolveSignature(env, op.Func.Args, actual, op.Result)
	if err != nil {
		return nil, err
	}
	out := &AnyAll{Func: op.Func, Operator: name, All: all}
	if out.Left, err = Coerce(env, left, Type{declared[0], types.NoTypmod}, CastImplicit); err != nil {
		return nil, err
	}
	to := arrayOf(declared[1])
	if to == 0 {
		return nil, pgerr.Newf(pgerr.UndefinedObject, "could not find array type for data type %s", typeName(env, declared[1]))
	}
	if out.Array, err = Coerce(env, array, Type{to, types.NoTypmod}, CastImplicit); err != nil {
		return nil, err
	}
	return out, nil
}
