package expr

import (
	"math"
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// A numberFormat is the template of a number: how many digits stand where, and
// how the sign is shown.
type numberFormat struct {
	nodes     []formatNode
	pre, post int // digits before and after the point
	shift     int // digits after V
	zeroStart int // place of the first 0 before the point, from 1; 0 for none
	zeroEnd   int
	point     bool
	fill      bool // FM
	blank     bool // B
	roman     bool
	sci       bool // EEEE
	multi     bool // V
	plus      bool
	minus     bool
	bracket   bool
	sign      signPlace
	signAt    int // digits before an S
}

type signPlace uint8

const (
	signNone signPlace = iota
	signBefore
	signAfter
)

var formatNumberFunctions = []*Function{
	define("to_char(int4, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatNumeric(types.NumericFromInt64(a[0].(int64)), a[1].(string))
	}).stable(),
	define("to_char(int8, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatNumeric(types.NumericFromInt64(a[0].(int64)), a[1].(string))
	}).stable(),
	define("to_char(numeric, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatNumeric(a[0].(*types.Numeric), a[1].(string))
	}).stable(),
	define("to_char(float4, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatFloat(float64(a[0].(float32)), a[1].(string), 6)
	}).stable(),
	define("to_char(float8, text) text", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return formatFloat(a[0].(float64), a[1].(string), 15)
	}).stable(),
	define("to_number(text, text) numeric", func(_ *Context, a []types.Datum) (types.Datum, error) {
		return parseNumberTemplate(a[0].(string), a[1].(string))
	}).stable(),
}

func formatSyntax(message string) error { return pgerr.New(pgerr.SyntaxError, message) }

// parseNumberFormat reads a template; patterns that contradict each other are 42601.
func parseNumberFormat(template string) (*numberFormat, error) {
	f := &numberFormat{nodes: numberLanguage.parse(template)}
	for i := range f.nodes {
		if f.nodes[i].key == "" {
			continue
		}
		if err := f.add(strings.ToUpper(f.nodes[i].key)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *numberFormat) add(key string) error {
	if f.sci && key != "EEEE" {
		return formatSyntax("\"EEEE\" must be the last pattern used")
	}
	switch key {
	case "9", "0":
		return f.addDigit(key)
	case "B":
		f.blank = f.blank || f.pre == 0 && f.post == 0 && f.zeroStart == 0
	case "D", ".":
		switch {
		case f.point:
			return formatSyntax("multiple decimal points")
		case f.multi:
			return formatSyntax("cannot use \"V\" and decimal point together")
		}
		f.point = true
	case "FM":
		f.fill = true
	case "S", "MI", "PL", "SG", "PR":
		return f.addSign(key)
	case "RN":
		f.roman = true
	case "V":
		if f.point {
			return formatSyntax("cannot use \"V\" and decimal point together")
		}
		f.multi = true
	case "EEEE":
		if f.sci {
			return formatSyntax("cannot use \"EEEE\" twice")
		}
		if f.blank || f.fill || f.sign != signNone || f.bracket || f.minus || f.plus || f.roman || f.multi {
			return pgerr.New(pgerr.SyntaxError, "\"EEEE\" is incompatible with other formats").
				WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.")
		}
		f.sci = true
	}
	return nil
}

func (f *numberFormat) addDigit(key string) error {
	if f.bracket {
		return formatSyntax("\"" + key + "\" must be ahead of \"PR\"")
	}
	if key == "0" && f.zeroStart == 0 && !f.point {
		f.zeroStart = f.pre + 1
	}
	switch {
	case key == "9" && f.multi:
		f.shift++
		return nil
	case f.point:
		f.post++
	default:
		f.pre++
	}
	if key == "0" {
		f.zeroEnd = f.pre + f.post
	}
	return nil
}

func (f *numberFormat) addSign(key string) error {
	switch key {
	case "S":
		switch {
		case f.sign != signNone:
			return formatSyntax("cannot use \"S\" twice")
		case f.plus || f.minus || f.bracket:
			return formatSyntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together")
		case f.point:
			f.sign = signAfter
		default:
			f.sign, f.signAt = signBefore, f.pre
		}
		return nil
	case "PR":
		if f.sign != signNone || f.plus || f.minus {
			return formatSyntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together")
		}
		f.bracket = true
		return nil
	}
	if f.sign != signNone {
		return formatSyntax("cannot use \"S\" and \"" + key + "\" together")
	}
	f.minus = f.minus || key != "PL"
	f.plus = f.plus || key != "MI"
	return nil
}

func formatNumeric(v *types.Numeric, template string) (types.Datum, error) {
	f, err := parseNumberFormat(template)
	if err != nil {
		return nil, err
	}
	switch {
	case template == "":
		return "", nil
	case f.roman:
		n, err := types.NumericToInt64(types.NumericRound(v, 0))
		switch {
		case types.NumericIsNaN(v):
			return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot convert NaN to integer")
		case err != nil || n != int64(int32(n)):
			return nil, outOfRangeOf("integer")
		}
		return f.print(romanNumber(n), '+', 0), nil
	case f.sci:
		return f.scientificNumeric(v), nil
	}
	if f.multi {
		f.pre += f.shift
		power, err := types.NumericPower(types.NumericFromInt64(10), types.NumericFromInt64(int64(f.shift)))
		if err != nil {
			return nil, err
		}
		if v, err = types.NumericMul(v, power); err != nil {
			return nil, err
		}
	}
	return f.fixed(types.FormatString(types.NumericOID, types.NumericRound(v, int32(f.post)), nil)), nil
}

// formatFloat shows no more digits than the type has.
func formatFloat(v float64, template string, maxDigits int) (types.Datum, error) {
	f, err := parseNumberFormat(template)
	if err != nil {
		return nil, err
	}
	switch {
	case template == "":
		return "", nil
	case f.roman:
		if !(v > -1e9 && v < 1e9) {
			v = 0
		}
		return f.print(romanNumber(int64(math.RoundToEven(v))), '+', 0), nil
	case f.sci:
		return f.scientific(v), nil
	}
	if f.multi {
		f.pre += f.shift
		v *= math.Pow10(f.shift)
	}
	whole := len(floatText(math.Abs(v), 0))
	f.post = max(min(f.post, maxDigits-whole), 0)
	return f.fixed(floatText(v, f.post)), nil
}

func floatText(v float64, places int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(v, 'f', places, 64)
}

func (f *numberFormat) scientific(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return " " + strings.Repeat("#", f.pre) + "." + strings.Repeat("#", f.post+4)
	}
	s := strconv.FormatFloat(v, 'e', f.post, 64)
	if s[0] != '-' {
		s = " " + s
	}
	return s
}

// scientificNumeric rounds in decimal, halves away from zero.
func (f *numberFormat) scientificNumeric(v *types.Numeric) string {
	if types.NumericIsNaN(v) || types.NumericIsInf(v) {
		return f.scientific(math.NaN())
	}
	digits := v.NumDigits()
	exp := digits - 1 + int64(v.Exponent)
	if types.NumericSign(v) == 0 {
		exp = 0
	}
	mantissa := *v
	mantissa.Exponent = int32(1 - digits)
	text := types.FormatString(types.NumericOID, types.NumericRound(&mantissa, int32(f.post)), nil)
	if whole, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), "."); len(whole) > 1 {
		// 9.99 rounded to 10.0
		exp++
		mantissa.Exponent--
		text = types.FormatString(types.NumericOID, types.NumericRound(&mantissa, int32(f.post)), nil)
	}
	if text[0] != '-' {
		text = " " + text
	}
	mark := "e+"
	if exp < 0 {
		mark, exp = "e-", -exp
	}
	return text + mark + padLeft(strconv.FormatInt(exp, 10), 2)
}

// fixed shows a decimal number; too many digits become #.
func (f *numberFormat) fixed(text string) string {
	sign := byte('+')
	if text[0] == '-' {
		sign, text = '-', text[1:]
	}
	whole, _, _ := strings.Cut(text, ".")
	spaces := 0
	switch n := len(whole); {
	case n < f.pre:
		spaces = f.pre - n
	case n > f.pre:
		text = strings.Repeat("#", f.pre) + "." + strings.Repeat("#", f.post)
	}
	return f.print(text, sign, spaces)
}

func romanNumber(n int64) string {
	if n < 1 || n > 3999 {
		return strings.Repeat("#", 15)
	}
	var out strings.Builder
	for _, r := range []struct {
		value int64
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= r.value; n -= r.value {
			out.WriteString(r.text)
		}
	}
	return out.String()
}
