package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions of text: chapter "String Functions and Operators".
var stringFunctions = []*Function{
	define1("length(text) int4", textLength),
	define1("length(bpchar) int4", bpcharLength),
	define1("char_length(text) int4", textLength),
	define1("char_length(bpchar) int4", bpcharLength),
	define1("character_length(text) int4", textLength),
	define1("character_length(bpchar) int4", bpcharLength),
	define1("octet_length(text) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(string))), nil }),
	define1("octet_length(bpchar) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(string))), nil }),
	define1("bit_length(text) int4", func(a types.Datum) (types.Datum, error) { return int64(len(a.(string))) * 8, nil }),
	define1("upper(text) text", func(a types.Datum) (types.Datum, error) { return strings.ToUpper(a.(string)), nil }),
	define1("lower(text) text", func(a types.Datum) (types.Datum, error) { return strings.ToLower(a.(string)), nil }),
	define1("initcap(text) text", func(a types.Datum) (types.Datum, error) { return initcap(a.(string)), nil }),
	define("substr(text, int4) text", evalSubstr),
	define("substr(text, int4, int4) text", evalSubstr),
	define("substring(text, int4) text", evalSubstr),
	define("substring(text, int4, int4) text", evalSubstr),
	define2("position(text, text) int4", textPosition),
	define2("strpos(text, text) int4", textPosition),
	define("overlay(text, text, int4) text", evalOverlay),
	define("overlay(text, text, int4, int4) text", evalOverlay),
	define("btrim(text) text", trimWith(strings.Trim)),
	define("btrim(text, text) text", trimWith(strings.Trim)),
	define("ltrim(text) text", trimWith(strings.TrimLeft)),
	define("ltrim(text, text) text", trimWith(strings.TrimLeft)),
	define("rtrim(text) text", trimWith(strings.TrimRight)),
	define("rtrim(text, text) text", trimWith(strings.TrimRight)),
	define("lpad(text, int4) text", padWith(true)),
	define("lpad(text, int4, text) text", padWith(true)),
	define("rpad(text, int4) text", padWith(false)),
	define("rpad(text, int4, text) text", padWith(false)),
	define2("repeat(text, int4) text", evalRepeat),
	define("replace(text, text, text) text", evalReplace),
	define("translate(text, text, text) text", evalTranslate),
	define1("reverse(text) text", func(a types.Datum) (types.Datum, error) { return reverseText(a.(string)), nil }),
	define2("left(text, int4) text", func(a, b types.Datum) (types.Datum, error) { return leftText(a.(string), b.(int64)), nil }),
	define2("right(text, int4) text", func(a, b types.Datum) (types.Datum, error) { return rightText(a.(string), b.(int64)), nil }),
	define("split_part(text, text, int4) text", evalSplitPart),
	define2("starts_with(text, text) bool", func(a, b types.Datum) (types.Datum, error) {
		return strings.HasPrefix(a.(string), b.(string)), nil
	}),
	define1("ascii(text) int4", evalASCII),
	define1("chr(int4) text", evalChr),
	define2("textcat(text, text) text", func(a, b types.Datum) (types.Datum, error) { return a.(string) + b.(string), nil }),
}

// maxText is the limit of one value, PostgreSQL's 1 GB.
const maxText = 1<<30 - 1

func textTooLong() error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "requested length too large")
}

func textLength(a types.Datum) (types.Datum, error) {
	return int64(utf8.RuneCountInString(a.(string))), nil
}

func bpcharLength(a types.Datum) (types.Datum, error) {
	return int64(utf8.RuneCountInString(strings.TrimRight(a.(string), " "))), nil
}

func initcap(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// runeOffset is the byte offset of the n-th character (0-based), len(s) beyond the end.
func runeOffset(s string, n int64) int {
	if n <= 0 {
		return 0
	}
	if n >= int64(len(s)) {
		return len(s)
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// clipRange turns SQL's start and length into 0-based half-open bounds; length
// nil is to the end (size).
func clipRange(start int64, length types.Datum, size int64) (from, to int64, err error) {
	to = size
	if length != nil {
		n := length.(int64)
		if n < 0 {
			return 0, 0, negativeSubstring()
		}
		to = min(size, start-1+n)
	}
	from = min(max(start-1, 0), size)
	return from, max(from, to), nil
}

func negativeSubstring() error {
	return pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
}

func optional(args []types.Datum, i int) types.Datum {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func evalSubstr(_ *Context, args []types.Datum) (types.Datum, error) {
	s := args[0].(string)
	// No character is shorter than a byte, so len(s) bounds the characters.
	from, to, err := clipRange(args[1].(int64), optional(args, 2), int64(len(s)))
	if err != nil {
		return nil, err
	}
	s = s[runeOffset(s, from):]
	return s[:runeOffset(s, to-from)], nil
}

// textPosition is the 1-based character position of b in a, 0 when absent.
func textPosition(a, b types.Datum) (types.Datum, error) {
	s := a.(string)
	i := strings.Index(s, b.(string))
	if i < 0 {
		return int64(0), nil
	}
	return int64(utf8.RuneCountInString(s[:i])) + 1, nil
}

func evalOverlay(_ *Context, args []types.Datum) (types.Datum, error) {
	s, with, start := args[0].(string), args[1].(string), args[2].(int64)
	count := int64(utf8.RuneCountInString(with))
	if n := optional(args, 3); n != nil {
		count = n.(int64)
	}
	if start <= 0 {
		return nil, negativeSubstring()
	}
	end := max(start-1+count, 0)
	return s[:runeOffset(s, start-1)] + with + s[runeOffset(s, end):], nil
}

// trimWith takes the characters to trim as second argument; a blank by default.
func trimWith(trim func(s, cutset string) string) evalFunc {
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		cutset := " "
		if len(args) > 1 {
			cutset = args[1].(string)
		}
		return trim(args[0].(string), cutset), nil
	}
}

func padWith(left bool) evalFunc {
	return func(_ *Context, args []types.Datum) (types.Datum, error) {
		s, n, fill := args[0].(string), max(args[1].(int64), 0), " "
		if len(args) > 2 {
			fill = args[2].(string)
		}
		missing := n - int64(utf8.RuneCountInString(s))
		if missing <= 0 {
			return s[:runeOffset(s, n)], nil
		}
		if fill == "" {
			return s, nil
		}
		if missing > maxText/4 {
			return nil, textTooLong()
		}
		width := int64(utf8.RuneCountInString(fill))
		padding := strings.Repeat(fill, int(missing/width)) + fill[:runeOffset(fill, missing%width)]
		if left {
			return padding + s, nil
		}
		return s + padding, nil
	}
}

func evalRepeat(a, b types.Datum) (types.Datum, error) {
	s, n := a.(string), max(b.(int64), 0)
	if n > 0 && int64(len(s)) > maxText/n {
		return nil, textTooLong()
	}
	return strings.Repeat(s, int(n)), nil
}

func evalReplace(_ *Context, args []types.Datum) (types.Datum, error) {
	if args[1].(string) == "" {
		return args[0], nil
	}
	return strings.ReplaceAll(args[0].(string), args[1].(string), args[2].(string)), nil
}

// evalTranslate replaces characters one by one; those without a counterpart vanish.
func evalTranslate(_ *Context, args []types.Datum) (types.Datum, error) {
	from, to := []rune(args[1].(string)), []rune(args[2].(string))
	return strings.Map(func(r rune) rune {
		for i, f := range from {
			if f != r {
				continue
			}
			if i < len(to) {
				return to[i]
			}
			return -1
		}
		return r
	}, args[0].(string)), nil
}

func reverseText(s string) string {
	out := make([]byte, len(s))
	at := len(s)
	for _, r := range s {
		at -= utf8.RuneLen(r)
		utf8.EncodeRune(out[at:], r)
	}
	return string(out)
}

// leftText is the first n characters, or all but the last -n.
func leftText(s string, n int64) string {
	if n < 0 {
		n += int64(utf8.RuneCountInString(s))
	}
	return s[:runeOffset(s, n)]
}

// rightText is the last n characters, or all but the first -n.
func rightText(s string, n int64) string {
	if n < 0 {
		return s[runeOffset(s, -n):]
	}
	return s[runeOffset(s, int64(utf8.RuneCountInString(s))-n):]
}

func evalSplitPart(_ *Context, args []types.Datum) (types.Datum, error) {
	s, sep, n := args[0].(string), args[1].(string), args[2].(int64)
	if n == 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "field position must not be zero")
	}
	if s == "" {
		return "", nil
	}
	parts := []string{s}
	if sep != "" {
		parts = strings.Split(s, sep)
	}
	if n < 0 {
		n += int64(len(parts)) + 1
	}
	if n < 1 || n > int64(len(parts)) {
		return "", nil
	}
	return parts[n-1], nil
}

func evalASCII(a types.Datum) (types.Datum, error) {
	if a.(string) == "" {
		return int64(0), nil
	}
	r, _ := utf8.DecodeRuneInString(a.(string))
	return int64(r), nil
}

func evalChr(a types.Datum) (types.Datum, error) {
	n := a.(int64)
	switch {
	case n < 0:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "character number must be positive")
	case n == 0:
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "null character not permitted")
	case n > utf8.MaxRune:
		return nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "requested character too large for encoding: %d", n)
	case !utf8.ValidRune(rune(n)):
		return nil, pgerr.Newf(pgerr.ProgramLimitExceeded, "requested character not valid for encoding: %d", n)
	}
	return string(rune(n)), nil
}
