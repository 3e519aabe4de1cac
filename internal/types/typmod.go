package types

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// typmodHeader is what the length types and numeric add to their modifier, as
// PostgreSQL does, so that clients read atttypmod as they are used to.
const typmodHeader = 4

// Limits of type modifiers.
const (
	maxCharLength    = 10485760
	maxBitLength     = 83886080
	maxTimePrecision = 6
	maxSparseDims    = 1000000000
)

// A typmodRule is how a type reads, shows and enforces its modifier.
type typmodRule struct {
	// in reads the modifiers as written.
	in func(mods []int32) (int32, error)
	// out shows a modifier: (3).
	out func(typmod int32) string
	// apply enforces it; explicit is a cast that the statement wrote.
	apply func(d Datum, typmod int32, explicit bool) (Datum, error)
}

var typmodRules = map[OID]*typmodRule{
	VarcharOID:     {lengthIn("varchar", maxCharLength, typmodHeader), lengthOut(typmodHeader), applyVarchar},
	BpcharOID:      {lengthIn("char", maxCharLength, typmodHeader), lengthOut(typmodHeader), applyBpchar},
	BitOID:         {lengthIn("bit", maxBitLength, 0), lengthOut(0), applyBit},
	VarbitOID:      {lengthIn("varbit", maxBitLength, 0), lengthOut(0), applyVarbit},
	NumericOID:     {numericTypmodIn, numericTypmodOut, applyNumericTypmod},
	TimeOID:        {precisionIn("TIME", ""), lengthOut(0), applyTimePrecision},
	TimeTZOID:      {precisionIn("TIME", " WITH TIME ZONE"), lengthOut(0), applyTimePrecision},
	TimestampOID:   {precisionIn("TIMESTAMP", ""), lengthOut(0), applyTimePrecision},
	TimestampTZOID: {precisionIn("TIMESTAMP", " WITH TIME ZONE"), lengthOut(0), applyTimePrecision},
	VectorOID:      {dimensionsIn("vector", MaxVectorDims), lengthOut(0), applyDimensions},
	HalfVecOID:     {dimensionsIn("halfvec", MaxVectorDims), lengthOut(0), applyDimensions},
	SparseVecOID:   {dimensionsIn("sparsevec", maxSparseDims), lengthOut(0), applyDimensions},
	IntervalOID:    {nil, intervalTypmodOut, applyIntervalTypmod},
}

// TypmodIn reads the modifiers of a type as written: 5 and 2 of numeric(5,2).
// For interval the words of its fields (DAY TO SECOND) may come first.
func TypmodIn(oid OID, mods []string) (int32, error) {
	t := Lookup(oid)
	if t == nil {
		return 0, unknownType(oid)
	}
	if t.IsArray() {
		oid = t.Elem
	}
	if oid == IntervalOID {
		return intervalTypmodIn(mods)
	}
	rule := typmodRules[oid]
	if rule == nil {
		return 0, pgerr.Newf(pgerr.SyntaxError, "type modifier is not allowed for type \"%s\"", t.Name)
	}
	values, err := typmodInts(mods)
	if err != nil {
		return 0, err
	}
	return rule.in(values)
}

func typmodInts(mods []string) ([]int32, error) {
	values := make([]int32, len(mods))
	for i, m := range mods {
		v, err := parseInt(m, 32, "integer")
		if err != nil {
			return nil, err
		}
		values[i] = int32(v)
	}
	return values, nil
}

func invalidTypmod(message string) error { return pgerr.New(pgerr.InvalidParameterValue, message) }

func invalidTypmodf(format string, args ...any) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, format, args...)
}

func lengthIn(name string, most, header int32) func([]int32) (int32, error) {
	return func(mods []int32) (int32, error) {
		switch {
		case len(mods) != 1:
			return 0, invalidTypmod("invalid type modifier")
		case mods[0] < 1:
			return 0, invalidTypmodf("length for type %s must be at least 1", name)
		case mods[0] > most:
			return 0, invalidTypmodf("length for type %s cannot exceed %d", name, most)
		}
		return mods[0] + header, nil
	}
}

func lengthOut(header int32) func(int32) string {
	return func(typmod int32) string {
		if typmod < header {
			return ""
		}
		return "(" + strconv.Itoa(int(typmod-header)) + ")"
	}
}

func dimensionsIn(name string, most int32) func([]int32) (int32, error) {
	return func(mods []int32) (int32, error) {
		switch {
		case len(mods) != 1:
			return 0, invalidTypmod("invalid type modifier")
		case mods[0] < 1:
			return 0, invalidTypmodf("dimensions for type %s must be at least 1", name)
		case mods[0] > most:
			return 0, invalidTypmodf("dimensions for type %s cannot exceed %d", name, most)
		}
		return mods[0], nil
	}
}

// precisionIn takes more digits than there are as all of them.
func precisionIn(name, suffix string) func([]int32) (int32, error) {
	return func(mods []int32) (int32, error) {
		if len(mods) != 1 {
			return 0, invalidTypmod("invalid type modifier")
		}
		if mods[0] < 0 {
			return 0, invalidTypmodf("%s(%d)%s precision must not be negative", name, mods[0], suffix)
		}
		return min(mods[0], maxTimePrecision), nil
	}
}

func numericTypmodIn(mods []int32) (int32, error) {
	if len(mods) != 1 && len(mods) != 2 {
		return 0, invalidTypmod("invalid NUMERIC type modifier")
	}
	scale := int32(0)
	if mods[0] < 1 || mods[0] > numericMaxPrecision {
		return 0, invalidTypmodf("NUMERIC precision %d must be between 1 and %d", mods[0], numericMaxPrecision)
	}
	if len(mods) == 2 {
		if scale = mods[1]; scale < -numericMaxScale || scale > numericMaxScale {
			return 0, invalidTypmodf("NUMERIC scale %d must be between %d and %d", scale, -numericMaxScale, numericMaxScale)
		}
	}
	return (mods[0]<<16 | scale&0x7ff) + typmodHeader, nil
}

// NumericTypmod splits the modifier of numeric(precision, scale).
func NumericTypmod(typmod int32) (precision, scale int) {
	v := typmod - typmodHeader
	return int(v >> 16 & 0xffff), int(v&0x7ff^1024) - 1024
}

func numericTypmodOut(typmod int32) string {
	if typmod < typmodHeader {
		return ""
	}
	precision, scale := NumericTypmod(typmod)
	return "(" + strconv.Itoa(precision) + "," + strconv.Itoa(scale) + ")"
}

// TypmodOut shows a modifier as PostgreSQL's typmodout functions do: (3).
func TypmodOut(oid OID, typmod int32) string {
	if typmod < 0 {
		return ""
	}
	if rule := typmodRules[elementOf(oid)]; rule != nil {
		return rule.out(typmod)
	}
	return "(" + strconv.Itoa(int(typmod)) + ")"
}

func elementOf(oid OID) OID {
	if t := Lookup(oid); t != nil && t.IsArray() {
		return t.Elem
	}
	return oid
}

// FormatType names a type with its modifier as format_type does; a type that
// does not exist is ???.
func FormatType(oid OID, typmod int32) string {
	t := Lookup(oid)
	switch {
	case oid == 0:
		return "-"
	case t == nil || IsUserType(oid):
		return "???"
	case typmod < 0:
		return t.SQLName
	case t.IsArray():
		return FormatType(t.Elem, typmod) + "[]"
	}
	mod := TypmodOut(oid, typmod)
	// The modifier of the time types stands before WITH TIME ZONE.
	if head, zone, ok := strings.Cut(t.SQLName, " with"); ok {
		return head + mod + " with" + zone
	}
	return t.SQLName + mod
}

// ApplyTypmod makes d fit a type with a modifier: an assignment refuses what
// does not fit, an explicit cast cuts it.
func ApplyTypmod(oid OID, typmod int32, d Datum, explicit bool) (Datum, error) {
	if typmod < 0 || d == nil {
		return d, nil
	}
	if a, ok := d.(*Array); ok {
		return applyElementTypmod(elementOf(oid), typmod, a, explicit)
	}
	if rule := typmodRules[oid]; rule != nil {
		return rule.apply(d, typmod, explicit)
	}
	return d, nil
}

func applyElementTypmod(elem OID, typmod int32, a *Array, explicit bool) (Datum, error) {
	rule := typmodRules[elem]
	if rule == nil {
		return a, nil
	}
	out := &Array{Elem: a.Elem, Dims: a.Dims, Lower: a.Lower, Elems: make([]Datum, len(a.Elems))}
	for i, e := range a.Elems {
		if e == nil {
			continue
		}
		var err error
		if out.Elems[i], err = rule.apply(e, typmod, explicit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func applyVarchar(d Datum, typmod int32, explicit bool) (Datum, error) {
	s, n := d.(string), int(typmod-typmodHeader)
	cut := cutRunes(s, n)
	if len(cut) == len(s) {
		return d, nil
	}
	if !explicit && strings.Trim(s[len(cut):], " ") != "" {
		return nil, pgerr.Newf(pgerr.StringDataRightTruncation, "value too long for type character varying(%d)", n)
	}
	return cut, nil
}

// applyBpchar pads with blanks, and drops blanks beyond the length silently.
func applyBpchar(d Datum, typmod int32, explicit bool) (Datum, error) {
	s, n := d.(string), int(typmod-typmodHeader)
	cut := cutRunes(s, n)
	if len(cut) < len(s) {
		if !explicit && strings.Trim(s[len(cut):], " ") != "" {
			return nil, pgerr.Newf(pgerr.StringDataRightTruncation, "value too long for type character(%d)", n)
		}
		return cut, nil
	}
	if pad := n - utf8.RuneCountInString(s); pad > 0 {
		return s + strings.Repeat(" ", pad), nil
	}
	return d, nil
}

// cutRunes is the first n characters of s.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func applyBit(d Datum, typmod int32, explicit bool) (Datum, error) {
	b, n := d.(Bits), int(typmod)
	switch {
	case b.N == n:
		return d, nil
	case !explicit:
		return nil, pgerr.Newf(pgerr.StringDataLengthMismatch, "bit string length %d does not match type bit(%d)", b.N, n)
	}
	return b.resized(n), nil
}

func applyVarbit(d Datum, typmod int32, explicit bool) (Datum, error) {
	b, n := d.(Bits), int(typmod)
	switch {
	case b.N <= n:
		return d, nil
	case !explicit:
		return nil, pgerr.Newf(pgerr.StringDataRightTruncation, "bit string too long for type bit varying(%d)", n)
	}
	return b.resized(n), nil
}

// resized cuts or fills with zeros on the right.
func (b Bits) resized(n int) Bits {
	out := make([]byte, (n+7)/8)
	copy(out, b.B)
	if rest := n % 8; rest != 0 {
		out[len(out)-1] &= 0xff << (8 - rest)
	}
	return Bits{N: n, B: out}
}

func applyDimensions(d Datum, typmod int32, _ bool) (Datum, error) {
	n := 0
	switch v := d.(type) {
	case Vector:
		n = len(v)
	case HalfVector:
		n = len(v)
	case SparseVector:
		n = int(v.Dim)
	}
	if n != int(typmod) {
		return nil, pgerr.Newf(pgerr.DataException, "expected %d dimensions, not %d", typmod, n)
	}
	return d, nil
}

func applyNumericTypmod(d Datum, typmod int32, _ bool) (Datum, error) {
	v := d.(*Numeric)
	precision, scale := NumericTypmod(typmod)
	if isNaN(v) {
		return d, nil
	}
	overflow := func(detail string, args ...any) error {
		return pgerr.New(pgerr.NumericValueOutOfRange, "numeric field overflow").WithDetail(detail, args...)
	}
	if isInf(v) {
		return nil, overflow("A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
	}
	out := numericRescale(v, scale, roundHalfUp)
	if out.Coeff.Sign() != 0 && numericDigits(out)-numericScale(out) > precision-scale {
		bound := "1"
		if digits := precision - scale; digits != 0 {
			bound = "10^" + strconv.Itoa(digits)
		}
		return nil, overflow("A field with precision %d, scale %d must round to an absolute value less than %s.", precision, scale, bound)
	}
	return out, nil
}
