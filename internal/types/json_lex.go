package types

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// jsonToken is the kind of a token; punctuation is its own byte.
type jsonToken byte

const (
	jsonEnd    jsonToken = 0
	jsonString jsonToken = '"'
	jsonNumber jsonToken = '0'
	jsonTrue   jsonToken = 't'
	jsonFalse  jsonToken = 'f'
	jsonNull   jsonToken = 'n'
	jsonWord   jsonToken = 'w' // not yet known which
)

// jsonLexer cuts JSON text into tokens. It reports errors with the details and
// the context line of PostgreSQL's json.
type jsonLexer struct {
	s string
	// decode tells to unescape strings into str. PostgreSQL checks surrogates
	// and \u0000 only then, so json keeps what jsonb refuses.
	decode bool

	tok        jsonToken
	start, end int // the token
	str        string
	line       int
	lineStart  int
}

func newJSONLexer(s string, decode bool) jsonLexer { return jsonLexer{s: s, decode: decode, line: 1} }

// next reads the token after the current one.
func (l *jsonLexer) next() error {
	i := l.end
	for i < len(l.s) && (l.s[i] == ' ' || l.s[i] == '\t' || l.s[i] == '\n' || l.s[i] == '\r') {
		if l.s[i] == '\n' {
			l.line++
			l.lineStart = i + 1
		}
		i++
	}
	l.start = i
	if i == len(l.s) {
		l.tok, l.end = jsonEnd, i
		return nil
	}
	switch c := l.s[i]; {
	case c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':':
		l.tok, l.end = jsonToken(c), i+1
		return nil
	case c == '"':
		l.tok = jsonString
		return l.string(i + 1)
	case c == '-':
		l.tok = jsonNumber
		return l.number(i + 1)
	case isDigit(c):
		l.tok = jsonNumber
		return l.number(i)
	}
	l.tok = jsonWord
	return l.word(i)
}

func (l *jsonLexer) word(i int) error {
	for i < len(l.s) && isJSONWord(l.s[i]) {
		i++
	}
	if i == l.start {
		l.end = i + 1
		return l.invalidToken()
	}
	l.end = i
	switch l.s[l.start:i] {
	case "true":
		l.tok = jsonTrue
	case "false":
		l.tok = jsonFalse
	case "null":
		l.tok = jsonNull
	default:
		return l.invalidToken()
	}
	return nil
}

func isJSONWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c >= 0x80
}

// number reads the digits from i on; a sign stands before.
func (l *jsonLexer) number(i int) error {
	digits := func() bool {
		from := i
		for i < len(l.s) && isDigit(l.s[i]) {
			i++
		}
		return i > from
	}
	at := func(set string) bool { return i < len(l.s) && strings.IndexByte(set, l.s[i]) >= 0 }
	ok := true
	if at("0") {
		i++
	} else {
		ok = digits()
	}
	if at(".") {
		i++
		ok = digits() && ok
	}
	if at("eE") {
		i++
		if at("+-") {
			i++
		}
		ok = digits() && ok
	}
	for i < len(l.s) && isJSONWord(l.s[i]) {
		i++
		ok = false
	}
	l.end = i
	if !ok {
		return l.invalidToken()
	}
	return nil
}

// string reads a string from after its quote; what has no escapes is not copied.
func (l *jsonLexer) string(i int) error {
	for from := i; i < len(l.s); i++ {
		switch c := l.s[i]; {
		case c == '"':
			l.str, l.end = l.s[from:i], i+1
			return nil
		case c == '\\':
			return l.escapedString(from, i)
		case c < 0x20:
			return l.bareControl(i)
		}
	}
	l.end = len(l.s)
	return l.invalidToken()
}

func (l *jsonLexer) escapedString(from, i int) error {
	var out []byte
	if l.decode {
		out = append(make([]byte, 0, len(l.s)-from), l.s[from:i]...)
	}
	high := rune(0)
	for i < len(l.s) {
		c := l.s[i]
		if high != 0 && (c != '\\' || i+1 >= len(l.s) || l.s[i+1] != 'u') {
			l.end = i + 1
			if c == '\\' {
				l.end = min(i+2, len(l.s))
			}
			return l.syntax("Unicode low surrogate must follow a high surrogate.")
		}
		switch {
		case c == '"':
			l.str, l.end = string(out), i+1
			return nil
		case c < 0x20:
			return l.bareControl(i)
		case c != '\\':
			out = append(out, c)
			i++
		case i+1 < len(l.s) && l.s[i+1] == 'u':
			r, err := l.unicodeEscape(i + 2)
			if err != nil {
				return err
			}
			i += 6
			if !l.decode {
				continue
			}
			l.end = i
			if out, high, err = l.appendUnicode(out, high, r); err != nil {
				return err
			}
		default:
			v, err := l.simpleEscape(i + 1)
			if err != nil {
				return err
			}
			out = append(out, v)
			i += 2
		}
	}
	l.end = len(l.s)
	return l.invalidToken()
}

// unicodeEscape reads four hexadecimal digits.
func (l *jsonLexer) unicodeEscape(i int) (rune, error) {
	var r rune
	for n := i; n < i+4; n++ {
		if n >= len(l.s) {
			l.end = len(l.s)
			return 0, l.invalidToken()
		}
		v, ok := hexValue(l.s[n])
		if !ok {
			_, size := utf8.DecodeRuneInString(l.s[n:])
			l.end = n + size
			return 0, l.syntax(`"\u" must be followed by four hexadecimal digits.`)
		}
		r = r<<4 | rune(v)
	}
	return r, nil
}

// appendUnicode joins surrogates: high is the one that waits for its low half.
func (l *jsonLexer) appendUnicode(out []byte, high, r rune) ([]byte, rune, error) {
	switch {
	case r >= 0xD800 && r < 0xDC00:
		if high != 0 {
			return nil, 0, l.syntax("Unicode high surrogate must not follow a high surrogate.")
		}
		return out, r, nil
	case r >= 0xDC00 && r < 0xE000:
		if high == 0 {
			return nil, 0, l.syntax("Unicode low surrogate must follow a high surrogate.")
		}
		return utf8.AppendRune(out, (high-0xD800)<<10+(r-0xDC00)+0x10000), 0, nil
	case high != 0:
		return nil, 0, l.syntax("Unicode low surrogate must follow a high surrogate.")
	case r == 0:
		err := pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").
			WithDetail(`\u0000 cannot be converted to text.`)
		err.Where = l.context()
		return nil, 0, err
	}
	return utf8.AppendRune(out, r), 0, nil
}

func (l *jsonLexer) simpleEscape(i int) (byte, error) {
	if i >= len(l.s) {
		l.end = len(l.s)
		return 0, l.invalidToken()
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if n := strings.IndexByte(from, l.s[i]); n >= 0 {
		return to[n], nil
	}
	_, size := utf8.DecodeRuneInString(l.s[i:])
	l.start, l.end = i, i+size
	return 0, l.syntax(`Escape sequence "\%s" is invalid.`, l.token())
}

func (l *jsonLexer) bareControl(i int) error {
	l.end = i
	return l.syntax("Character with value 0x%02x must be escaped.", l.s[i])
}

func (l *jsonLexer) token() string { return l.s[l.start:l.end] }

func (l *jsonLexer) invalidToken() error { return l.syntax(`Token "%s" is invalid.`, l.token()) }

// expected is the error for a token out of place; what is PostgreSQL's word for
// the ones that may stand here.
func (l *jsonLexer) expected(what string) error {
	if l.tok == jsonEnd {
		return l.syntax("The input string ended unexpectedly.")
	}
	return l.syntax(`Expected %s, but found "%s".`, what, l.token())
}

func (l *jsonLexer) syntax(detail string, args ...any) error {
	err := pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type json").WithDetail(detail, args...)
	err.Where = l.context()
	return err
}

// maxContextBytes bounds the excerpt of the line that context shows.
const maxContextBytes = 50

func (l *jsonLexer) context() string {
	from, end := l.lineStart, l.end
	for end-from >= maxContextBytes {
		_, n := utf8.DecodeRuneInString(l.s[from:])
		from += n
	}
	if from-l.lineStart <= 3 {
		from = l.lineStart
	}
	prefix, suffix := "", ""
	if from > l.lineStart {
		prefix = "..."
	}
	if l.tok != jsonEnd && end < len(l.s) && l.s[end] != '\n' && l.s[end] != '\r' {
		suffix = "..."
	}
	return "JSON data, line " + strconv.Itoa(l.line) + ": " + prefix + l.s[from:end] + suffix
}
