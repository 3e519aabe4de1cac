package expr

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// checkCalls runs a table of lines `call => result`. A call is name(args) or
// left op right; arguments are typename'text', bare numbers (int4, or numeric
// with a point) and null; the result is the text form, ERROR and its SQLSTATE,
// or rows in parentheses for a set-returning function.
func checkCalls(t *testing.T, table string) {
	t.Helper()
	checkCallsIn(t, testContext(), table)
}

func testContext() *Context {
	env := types.DefaultEnv()
	env.Now = time.Date(2024, 3, 15, 12, 34, 56, 789000000, time.UTC)
	return &Context{Ctx: context.Background(), Env: env}
}

func checkCallsIn(t *testing.T, ctx *Context, table string) {
	t.Helper()
	for _, line := range strings.Split(table, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndex(line, " => ")
		if i < 0 {
			t.Fatalf("no => in %q", line)
		}
		call, want := strings.TrimSpace(line[:i]), strings.ReplaceAll(line[i+4:], `\n`, "\n")
		if want == "''" {
			want = ""
		}
		if got := runCall(ctx, call); got != want {
			t.Errorf("%s\n  got  %s\n  want %s", call, got, want)
		}
	}
}

type testArg struct {
	oid types.OID
	val types.Datum
}

// callReader reads the little language of checkCalls.
type callReader struct {
	in  string
	env *types.Env
}

func (r *callReader) space() { r.in = strings.TrimLeft(r.in, " ") }

func (r *callReader) word(ok func(byte) bool) string {
	i := 0
	for i < len(r.in) && ok(r.in[i]) {
		i++
	}
	w := r.in[:i]
	r.in = r.in[i:]
	return w
}

func isWordByte(c byte) bool {
	return isLetter(c) || c == '_' || c >= '0' && c <= '9'
}

func (r *callReader) arg() (testArg, error) {
	r.space()
	if r.in != "" && (r.in[0] == '-' || r.in[0] == '.' || r.in[0] >= '0' && r.in[0] <= '9') {
		n := r.word(func(c byte) bool { return isWordByte(c) && c != '_' || c == '-' || c == '.' })
		oid := types.Int4OID
		if strings.ContainsAny(n, ".e") {
			oid = types.NumericOID
		}
		v, err := types.Parse(oid, -1, n, r.env)
		return testArg{oid, v}, err
	}
	name := ""
	if r.in != "" && r.in[0] != '\'' {
		name = r.word(func(c byte) bool { return isWordByte(c) || c == '[' || c == ']' })
	}
	switch name {
	case "null":
		return testArg{types.UnknownOID, nil}, nil
	case "true", "false":
		return testArg{types.BoolOID, name == "true"}, nil
	case "":
		name = "text"
	}
	if !strings.HasPrefix(r.in, "'") {
		return testArg{}, fmt.Errorf("expected a quote at %q", r.in)
	}
	oid := typeNamed(name)
	var text strings.Builder
	for i := 1; i < len(r.in); i++ {
		if r.in[i] != '\'' {
			text.WriteByte(r.in[i])
			continue
		}
		if i+1 < len(r.in) && r.in[i+1] == '\'' {
			text.WriteByte('\'')
			i++
			continue
		}
		r.in = r.in[i+1:]
		v, err := types.Parse(oid, -1, text.String(), r.env)
		return testArg{oid, v}, err
	}
	return testArg{}, fmt.Errorf("unfinished string")
}

func runCall(ctx *Context, call string) string {
	got, err := tryCall(ctx, call)
	if err != nil {
		return runError(err)
	}
	return got
}

func tryCall(ctx *Context, call string) (string, error) {
	r := &callReader{in: call, env: ctx.Env}
	if name, rest, ok := strings.Cut(call, "("); ok && strings.IndexFunc(name, func(c rune) bool { return c > 127 || !isWordByte(byte(c)) }) < 0 && name != "" {
		r.in = rest
		var args []testArg
		for r.space(); !strings.HasPrefix(r.in, ")"); r.space() {
			a, err := r.arg()
			if err != nil {
				return "", err
			}
			args = append(args, a)
			r.space()
			r.in = strings.TrimPrefix(r.in, ",")
		}
		return applyNamed(ctx, name, args)
	}
	var args []testArg
	r.space()
	if !strings.ContainsRune("@?#~|!<>=&^", rune(r.in[0])) && !strings.HasPrefix(r.in, "- ") {
		a, err := r.arg()
		if err != nil {
			return "", err
		}
		args = append(args, a)
	}
	r.space()
	op := r.word(func(c byte) bool { return strings.IndexByte("+-*/<>=~!@#%^&|`?", c) >= 0 })
	a, err := r.arg()
	if err != nil {
		return "", err
	}
	return applyFunctions(ctx, op, operatorFunctions(op), append(args, a))
}

func operatorFunctions(op string) []*Function {
	var out []*Function
	for _, family := range operatorFamilies {
		for _, o := range family {
			if o.Name == op {
				out = append(out, o.Func)
			}
		}
	}
	return out
}

func applyNamed(ctx *Context, name string, args []testArg) (string, error) {
	var out []*Function
	for _, family := range families {
		for _, f := range family {
			if f.Name == name {
				out = append(out, f)
			}
		}
	}
	for _, family := range castFamilies {
		for _, c := range family {
			if c.Func != nil && c.Func.Name == name {
				out = append(out, c.Func)
			}
		}
	}
	return applyFunctions(ctx, name, out, args)
}

// fits is a much smaller resolution than the binder's: types are equal, the
// parameter is polymorphic, or the argument is NULL.
func fits(f *Function, args []testArg) bool {
	fixed := len(f.Args)
	if f.Variadic != 0 && len(args) >= fixed-1 {
		fixed--
	} else if len(args) > fixed || len(args) < fixed-f.Defaults {
		return false
	}
	for i, a := range args {
		want := f.Variadic
		if i < fixed {
			want = f.Args[i]
		}
		t := types.Lookup(a.oid)
		switch want {
		case a.oid, types.AnyOID, types.AnyElementOID, types.AnyCompatibleOID, types.AnyNonArrayOID, types.AnyCompatibleNonArryOID:
		case types.AnyArrayOID, types.AnyCompatibleArrayOID:
			if a.val != nil && !t.IsArray() {
				return false
			}
		default:
			if a.val != nil {
				return false
			}
		}
	}
	return true
}

func applyFunctions(ctx *Context, name string, candidates []*Function, args []testArg) (string, error) {
	for _, f := range candidates {
		if !fits(f, args) {
			continue
		}
		values := make([]types.Datum, len(args))
		typs := make([]Type, len(args))
		for i, a := range args {
			values[i], typs[i] = a.val, Type{OID: a.oid, Typmod: -1}
		}
		if len(values) < len(f.Args) && f.Defaults > 0 {
			missing := len(f.Args) - len(values)
			values = append(values, f.DefaultValues[f.Defaults-missing:]...)
		}
		if f.Variadic != 0 && f.Variadic != types.AnyOID {
			n := len(f.Args) - 1
			elem := f.Variadic
			if len(args) > n {
				elem = args[n].oid
			}
			values = append(values[:n:n], types.NewArray(elem, values[n:]))
		}
		return applyTo(ctx, f, values, typs)
	}
	return "", fmt.Errorf("no function %s for %v", name, args)
}

func applyTo(ctx *Context, f *Function, values []types.Datum, typs []Type) (string, error) {
	if f.Rows != nil {
		return collectRows(ctx, f, values)
	}
	bound := *f
	if f.bind != nil {
		bound.Eval = f.bind(typs, false)
	}
	v, err := Apply(ctx, &bound, values...)
	if err != nil {
		return "", err
	}
	return textOf(f.Result, v, ctx.Env), nil
}

func textOf(oid types.OID, v types.Datum, env *types.Env) string {
	if v == nil {
		return "NULL"
	}
	if t := types.Lookup(oid); t == nil || t.Category == 'P' {
		oid = 0
	}
	return types.FormatString(oid, v, env)
}

func collectRows(ctx *Context, f *Function, values []types.Datum) (string, error) {
	if !f.NotStrict {
		for _, v := range values {
			if v == nil {
				return "", nil
			}
		}
	}
	next, err := f.Rows(ctx, values)
	if err != nil {
		return "", err
	}
	var out []string
	for len(out) < 100 {
		row, err := next()
		if err != nil {
			return "", err
		}
		if row == nil {
			break
		}
		var cols []string
		for i, v := range row {
			oid := types.OID(0)
			if i < len(f.Columns) {
				oid = f.Columns[i].Type
			}
			cols = append(cols, textOf(oid, v, ctx.Env))
		}
		out = append(out, "("+strings.Join(cols, ",")+")")
	}
	return strings.Join(out, " "), nil
}

func runError(err error) string {
	if e := pgerr.As(err); e != nil {
		return "ERROR " + e.Code + " " + e.Message
	}
	return "FAILED " + err.Error()
}

// aggregateText feeds an aggregate with values separated by blanks.
func aggregateText(t *testing.T, family []*Function, name, typ, values string) string {
	t.Helper()
	oid := typeNamed(typ)
	f := functionIn(family, name, oid)
	acc := f.Aggregate.New(testContext(), []Type{{OID: oid, Typmod: -1}})
	for _, word := range strings.Fields(values) {
		var v types.Datum
		if word != "null" {
			parsed, err := types.Parse(oid, -1, word, nil)
			if err != nil {
				t.Fatal(err)
			}
			v = parsed
		}
		if err := acc.Add([]types.Datum{v}); err != nil {
			return runError(err)
		}
	}
	v, err := acc.Result()
	if err != nil {
		return runError(err)
	}
	return textOf(f.Result, v, nil)
}
