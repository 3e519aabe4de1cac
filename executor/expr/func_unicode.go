package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var unicodeFunctions = []*Function{
	define2("normalize(text, text = 'NFC') text", func(a, b types.Datum) (types.Datum, error) {
		form, err := normalForm(b.(string))
		if err != nil {
			return nil, err
		}
		return form.String(a.(string)), nil
	}),
	define2("is_normalized(text, text = 'NFC') bool", func(a, b types.Datum) (types.Datum, error) {
		form, err := normalForm(b.(string))
		if err != nil {
			return nil, err
		}
		return form.IsNormalString(a.(string)), nil
	}),
	define1("unistr(text) text", func(a types.Datum) (types.Datum, error) { return datum(unistr(a.(string))) }),
}

func normalForm(name string) (norm.Form, error) {
	switch strings.ToUpper(name) {
	case "NFC":
		return norm.NFC, nil
	case "NFD":
		return norm.NFD, nil
	case "NFKC":
		return norm.NFKC, nil
	case "NFKD":
		return norm.NFKD, nil
	}
	return 0, pgerr.Newf(pgerr.InvalidParameterValue, "invalid normalization form: %s", name)
}

// unistr resolves \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX.
func unistr(s string) (string, error) {
	var out strings.Builder
	high := rune(0)
	for s != "" {
		i := strings.IndexByte(s, '\\')
		if i != 0 && high != 0 {
			return "", pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
		}
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i+1:]
		if strings.HasPrefix(s, `\`) {
			out.WriteByte('\\')
			s = s[1:]
			continue
		}
		r, rest, err := unicodeEscape(s)
		if err != nil {
			return "", err
		}
		s = rest
		if r, high, err = joinSurrogates(high, r); err != nil {
			return "", err
		}
		if high == 0 {
			out.WriteRune(r)
		}
	}
	if high != 0 {
		return "", pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
	}
	return out.String() + s, nil
}

func unicodeEscape(s string) (rune, string, error) {
	digits, skip := 4, 0
	switch {
	case strings.HasPrefix(s, "+"):
		digits, skip = 6, 1
	case strings.HasPrefix(s, "u"):
		skip = 1
	case strings.HasPrefix(s, "U"):
		digits, skip = 8, 1
	}
	if len(s) >= skip+digits {
		v, err := strconv.ParseUint(s[skip:skip+digits], 16, 32)
		if err == nil {
			if v == 0 || v > utf8.MaxRune {
				return 0, "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid Unicode code point: %04X", v)
			}
			return rune(v), s[skip+digits:], nil
		}
	}
	return 0, "", pgerr.New(pgerr.SyntaxError, "invalid Unicode escape").
		WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
}

// joinSurrogates returns the character, or the high half that waits for its low one.
func joinSurrogates(high, r rune) (rune, rune, error) {
	isHigh, isLow := r >= 0xd800 && r < 0xdc00, r >= 0xdc00 && r < 0xe000
	switch {
	case high == 0 && isHigh:
		return 0, r, nil
	case high == 0 && !isLow:
		return r, 0, nil
	case high != 0 && isLow:
		return (high-0xd800)<<10 + (r - 0xdc00) + 0x10000, 0, nil
	}
	return 0, 0, pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
}
