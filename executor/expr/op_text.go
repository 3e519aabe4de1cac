package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/types"
)

// textOperator is the row of a comparison of text with a pattern, once for each
// string type that PostgreSQL has it for: text, name and bpchar.
func textOperators(name, negator, code string, eval eval2Func) []*Operator {
	var out []*Operator
	for _, t := range []struct {
		oid    types.OID
		prefix string
	}{{types.TextOID, "text"}, {types.NameOID, "name"}, {types.BpcharOID, "bpchar"}} {
		out = append(out, fast2(name, t.oid, types.TextOID, types.BoolOID, t.prefix+code, eval).with("", negator))
	}
	return out
}

// negated is the negation of a predicate.
func negated(eval eval2Func) eval2Func {
	return func(a, b types.Datum) (types.Datum, error) {
		v, err := eval(a, b)
		if err != nil {
			return nil, err
		}
		return !v.(bool), nil
	}
}

var textOperatorRows = buildTextOperators()

func buildTextOperators() []*Operator {
	out := textOperators("~~", "!~~", "like", evalLike)
	out = append(out, textOperators("!~~", "~~", "nlike", negated(evalLike))...)
	out = append(out, textOperators("~~*", "!~~*", "iclike", evalILike)...)
	out = append(out, textOperators("!~~*", "~~*", "icnlike", negated(evalILike))...)
	out = append(out, textOperators("~", "!~", "regexeq", evalRegex)...)
	out = append(out, textOperators("!~", "~", "regexne", negated(evalRegex))...)
	out = append(out, textOperators("~*", "!~*", "icregexeq", evalIRegex)...)
	out = append(out, textOperators("!~*", "~*", "icregexne", negated(evalIRegex))...)
	return append(out,
		fast2("~~", types.ByteaOID, types.ByteaOID, types.BoolOID, "bytealike", evalByteaLike).with("", "!~~"),
		fast2("!~~", types.ByteaOID, types.ByteaOID, types.BoolOID, "byteanlike", negated(evalByteaLike)).with("", "~~"),
		fast2("^@", types.TextOID, types.TextOID, types.BoolOID, "starts_with", func(a, b types.Datum) (types.Datum, error) {
			return strings.HasPrefix(a.(string), b.(string)), nil
		}),
		fast2("||", types.TextOID, types.TextOID, types.TextOID, "textcat", func(a, b types.Datum) (types.Datum, error) {
			return a.(string) + b.(string), nil
		}),
		fast2("||", types.ByteaOID, types.ByteaOID, types.ByteaOID, "byteacat", func(a, b types.Datum) (types.Datum, error) {
			x, y := a.([]byte), b.([]byte)
			return append(append(make([]byte, 0, len(x)+len(y)), x...), y...), nil
		}),
		// The binder casts the other operand to text by the cast's own rules, so
		// these two only ever see strings.
		textCatAny("textanycat", types.TextOID, types.AnyNonArrayOID),
		textCatAny("anytextcat", types.AnyNonArrayOID, types.TextOID),
	)
}

func textCatAny(code string, left, right types.OID) *Operator {
	o := fast2("||", left, right, types.TextOID, code, func(a, b types.Datum) (types.Datum, error) {
		return anyText(a) + anyText(b), nil
	})
	o.Func.Volatility = Stable
	return o
}

// anyText is a datum's text where its type is no longer known.
func anyText(d types.Datum) string {
	if s, ok := d.(string); ok {
		return s
	}
	return types.FormatString(0, d, nil)
}

var likeFunctions = []*Function{
	{Name: "like_escape", Args: []types.OID{types.TextOID, types.TextOID}, Result: types.TextOID, Volatility: Immutable, Eval: evalLikeEscape},
	{Name: "similar_to_escape", Args: []types.OID{types.TextOID, types.TextOID}, Result: types.TextOID, Volatility: Immutable, Eval: evalSimilarEscape},
	{Name: "similar_to_escape", Args: []types.OID{types.TextOID}, Result: types.TextOID, Volatility: Immutable, Eval: evalSimilarEscape},
	{Name: "like", Args: []types.OID{types.TextOID, types.TextOID}, Result: types.BoolOID, Volatility: Immutable, Eval: both(evalLike)},
	{Name: "notlike", Args: []types.OID{types.TextOID, types.TextOID}, Result: types.BoolOID, Volatility: Immutable, Eval: both(negated(evalLike))},
}

// both makes an evalFunc of an eval2Func.
func both(eval eval2Func) evalFunc {
	return func(_ *Context, args []types.Datum) (types.Datum, error) { return eval(args[0], args[1]) }
}
