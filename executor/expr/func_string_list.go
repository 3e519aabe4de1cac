package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions between text and lists, and those that put any values together.
var stringListFunctions = []*Function{
	define("string_to_array(text, text) text[]", evalStringToArray).withNulls(),
	define("string_to_array(text, text, text) text[]", evalStringToArray).withNulls(),
	defineRows("string_to_table(text, text) setof text", "", stringToTable).withNulls(),
	defineRows("string_to_table(text, text, text) setof text", "", stringToTable).withNulls(),
	define("array_to_string(anyarray, text) text", evalArrayToString).stable(),
	define("array_to_string(anyarray, text, text) text", evalArrayToString).stable().withNulls(),
	defineBound("concat(variadic any) text", func(args []Type, variadic bool) evalFunc {
		return func(ctx *Context, values []types.Datum) (types.Datum, error) {
			parts, null := textsOf(ctx, args, values, variadic)
			if null {
				return nil, nil
			}
			return joinPresent(parts, ""), nil
		}
	}).stable().withNulls(),
	defineBound("concat_ws(text, variadic any) text", func(args []Type, variadic bool) evalFunc {
		return func(ctx *Context, values []types.Datum) (types.Datum, error) {
			if values[0] == nil {
				return nil, nil
			}
			parts, null := textsOf(ctx, typesFrom(args, 1), values[1:], variadic)
			if null {
				return nil, nil
			}
			return joinPresent(parts, values[0].(string)), nil
		}
	}).stable().withNulls(),
	defineBound("format(text) text", bindFormat).stable().withNulls(),
	defineBound("format(text, variadic any) text", bindFormat).stable().withNulls(),
}

func typesFrom(args []Type, n int) []Type {
	if n < len(args) {
		return args[n:]
	}
	return nil
}

func typeAt(args []Type, i int) types.OID {
	if i < len(args) {
		return args[i].OID
	}
	return 0
}

// textsOf gives each value's text, nil for NULL; with VARIADIC those of the
// array's elements, and null when the array is.
func textsOf(ctx *Context, args []Type, values []types.Datum, variadic bool) (texts []*string, null bool) {
	if variadic && len(values) == 1 {
		a, ok := values[0].(*types.Array)
		if !ok {
			return nil, true
		}
		values, args = a.Elems, make([]Type, len(a.Elems))
		for i := range args {
			args[i].OID = a.Elem
		}
	}
	for i, v := range values {
		texts = append(texts, nil)
		if v != nil {
			s := textFor(ctx, typeAt(args, i), v)
			texts[i] = &s
		}
	}
	return texts, false
}

// textFor is the output of a type's own function.
func textFor(ctx *Context, oid types.OID, v types.Datum) string {
	return types.FormatString(oid, v, ctx.typesEnv())
}

func joinPresent(parts []*string, sep string) string {
	var out strings.Builder
	first := true
	for _, p := range parts {
		if p == nil {
			continue
		}
		if !first {
			out.WriteString(sep)
		}
		out.WriteString(*p)
		first = false
	}
	return out.String()
}

// splitString cuts s as string_to_array does; null is the text that stands for NULL.
func splitString(s string, sep, null types.Datum) []types.Datum {
	var parts []string
	switch {
	case s == "":
		return nil
	case sep == nil:
		for i, r := range s {
			parts = append(parts, s[i:i+utf8.RuneLen(r)])
		}
	case sep.(string) == "":
		parts = []string{s}
	default:
		parts = strings.Split(s, sep.(string))
	}
	out := make([]types.Datum, len(parts))
	for i, p := range parts {
		if null == nil || p != null.(string) {
			out[i] = p
		}
	}
	return out
}

func evalStringToArray(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil {
		return nil, nil
	}
	return types.NewArray(types.TextOID, splitString(args[0].(string), args[1], optional(args, 2))), nil
}

func stringToTable(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	if args[0] == nil {
		return rowsOf(nil), nil
	}
	return rowsOf(splitString(args[0].(string), args[1], optional(args, 2))), nil
}

func evalArrayToString(ctx *Context, args []types.Datum) (types.Datum, error) {
	if args[0] == nil || args[1] == nil {
		return nil, nil
	}
	a, null := args[0].(*types.Array), optional(args, 2)
	parts := make([]*string, len(a.Elems))
	for i, e := range a.Elems {
		switch {
		case e != nil:
			s := textFor(ctx, a.Elem, e)
			parts[i] = &s
		case null != nil:
			s := null.(string)
			parts[i] = &s
		}
	}
	return joinPresent(parts, args[1].(string)), nil
}

func bindFormat(args []Type, variadic bool) evalFunc {
	return func(ctx *Context, values []types.Datum) (types.Datum, error) {
		if values[0] == nil {
			return nil, nil
		}
		texts, null := textsOf(ctx, typesFrom(args, 1), values[1:], variadic)
		if null {
			texts = nil
		}
		return datum(formatText(values[0].(string), texts))
	}
}

// formatText is format(): %[position$][-][width]type with the types s, I, L.
func formatText(format string, args []*string) (string, error) {
	f := formatter{in: format, args: args}
	for f.in != "" {
		i := strings.IndexByte(f.in, '%')
		if i < 0 {
			break
		}
		f.out.WriteString(f.in[:i])
		f.in = f.in[i+1:]
		if strings.HasPrefix(f.in, "%") {
			f.out.WriteByte('%')
			f.in = f.in[1:]
			continue
		}
		if err := f.specifier(); err != nil {
			return "", err
		}
	}
	f.out.WriteString(f.in)
	return f.out.String(), nil
}

type formatter struct {
	in   string
	args []*string
	last int // number of the argument used last
	out  strings.Builder
}

func unterminatedFormat() error {
	return pgerr.New(pgerr.InvalidParameterValue, "unterminated format() type specifier").WithHint(`For a single "%%%%" use "%%%%%%%%".`)
}

// number reads digits; ok is false when there are none.
func (f *formatter) number() (n int64, ok bool, err error) {
	i := 0
	for i < len(f.in) && f.in[i] >= '0' && f.in[i] <= '9' {
		i++
	}
	if i == 0 {
		return 0, false, nil
	}
	n, err = strconv.ParseInt(f.in[:i], 10, 32)
	if err != nil {
		return 0, false, pgerr.New(pgerr.NumericValueOutOfRange, "number is out of range")
	}
	f.in = f.in[i:]
	if f.in == "" {
		return 0, false, unterminatedFormat()
	}
	return n, true, nil
}

func (f *formatter) arg(position int64) (*string, error) {
	n := f.last + 1
	if position >= 0 {
		n = int(position)
	}
	if n == 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "format specifies argument 0, but arguments are numbered from 1")
	}
	if n > len(f.args) {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "too few arguments for format()")
	}
	f.last = n
	return f.args[n-1], nil
}

func (f *formatter) specifier() error {
	position, left, width := int64(-1), false, int64(0)
	n, ok, err := f.number()
	if err != nil {
		return err
	}
	hasWidth := false
	if ok {
		if f.in[0] == '$' {
			position = n
			f.in = f.in[1:]
			if position == 0 {
				_, err := f.arg(0)
				return err
			}
		} else {
			width, hasWidth = n, true
		}
	}
	if !hasWidth {
		for strings.HasPrefix(f.in, "-") {
			left = true
			f.in = f.in[1:]
		}
		if width, err = f.width(); err != nil {
			return err
		}
	}
	if width < 0 {
		left, width = true, -width
	}
	if f.in == "" {
		return unterminatedFormat()
	}
	kind := f.in[0]
	if kind != 's' && kind != 'I' && kind != 'L' {
		r, _ := utf8.DecodeRuneInString(f.in)
		return pgerr.Newf(pgerr.InvalidParameterValue, "unrecognized format() type specifier \"%c\"", r).WithHint(`For a single "%%%%" use "%%%%%%%%".`)
	}
	f.in = f.in[1:]
	arg, err := f.arg(position)
	if err != nil {
		return err
	}
	return f.write(kind, arg, left, width)
}

// width is a number, * for the next argument or *n$.
func (f *formatter) width() (int64, error) {
	if !strings.HasPrefix(f.in, "*") {
		n, _, err := f.number()
		return n, err
	}
	f.in = f.in[1:]
	position, ok, err := f.number()
	if err != nil {
		return 0, err
	}
	if !ok {
		position = -1
	} else {
		if f.in[0] != '$' {
			return 0, pgerr.New(pgerr.InvalidParameterValue, "width argument position must be ended by \"$\"")
		}
		f.in = f.in[1:]
	}
	arg, err := f.arg(position)
	if err != nil || arg == nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(*arg), 10, 32)
	if err != nil {
		return 0, pgerr.Newf(pgerr.InvalidTextRepresentation, "invalid input syntax for type integer: \"%s\"", *arg)
	}
	return n, nil
}

func (f *formatter) write(kind byte, arg *string, left bool, width int64) error {
	s := ""
	switch {
	case arg == nil && kind == 'I':
		return pgerr.New(pgerr.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case arg == nil && kind == 'L':
		s = "NULL"
	case arg == nil:
	case kind == 'I':
		s = quoteIdent(*arg)
	case kind == 'L':
		s = quoteLiteral(*arg)
	default:
		s = *arg
	}
	missing := int(width) - utf8.RuneCountInString(s)
	if missing > maxText/4 {
		return textTooLong()
	}
	if missing > 0 && !left {
		f.out.WriteString(strings.Repeat(" ", missing))
	}
	f.out.WriteString(s)
	if missing > 0 && left {
		f.out.WriteString(strings.Repeat(" ", missing))
	}
	return nil
}
