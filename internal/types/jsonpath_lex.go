package types

import (
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
)

// pathToken is the kind of a jsonpath token.
type pathToken uint8

const (
	pathEnd      pathToken = iota
	pathPunct              // text is the operator or bracket
	pathWord               // an identifier or keyword
	pathQuoted             // a string
	pathVariable           // text is the name
	pathInteger
	pathDecimal
)

// pathLexer cuts jsonpath text into tokens.
type pathLexer struct {
	s          string
	tok        pathToken
	text       string // decoded
	start, end int
}

// pathSpecial ends an identifier.
const pathSpecial = "?%$.[]{}()|&!=<>@#,*:-+/\"\\ \t\n\r\f\v"

// pathOperators are the tokens of two bytes; all other punctuation has one.
var pathOperators = []string{"&&", "||", "==", "<>", "!=", "<=", ">=", "**"}

func (l *pathLexer) next() error {
	if err := l.skipBlanks(); err != nil {
		return err
	}
	l.start = l.end
	if l.end == len(l.s) {
		l.tok, l.text = pathEnd, ""
		return nil
	}
	c := l.s[l.end]
	switch {
	case c == '"':
		l.tok, l.end = pathQuoted, l.end+1
		return l.quoted()
	case c == '$':
		return l.dollar()
	case isDigit(c) || (c == '.' && l.end+1 < len(l.s) && isDigit(l.s[l.end+1])):
		return l.number()
	case c == '\\' || strings.IndexByte(pathSpecial, c) < 0:
		l.tok = pathWord
		return l.word()
	}
	l.tok, l.end = pathPunct, l.end+1
	for _, op := range pathOperators {
		if strings.HasPrefix(l.s[l.start:], op) {
			l.end = l.start + 2
		}
	}
	l.text = l.s[l.start:l.end]
	return nil
}

func (l *pathLexer) skipBlanks() error {
	for l.end < len(l.s) {
		switch {
		case isSpace(l.s[l.end]):
			l.end++
		case strings.HasPrefix(l.s[l.end:], "/*"):
			i := strings.Index(l.s[l.end+2:], "*/")
			if i < 0 {
				return pathError("unexpected end of comment at end of jsonpath input")
			}
			l.end += i + 4
		default:
			return nil
		}
	}
	return nil
}

func pathError(message string) error { return pgerr.New(pgerr.SyntaxError, message) }

// unexpected is the parser's error at the current token.
func (l *pathLexer) unexpected() error { return l.fail("syntax error") }

func (l *pathLexer) fail(message string) error {
	if l.start >= len(l.s) {
		return pathError(message + " at end of jsonpath input")
	}
	return pgerr.Newf(pgerr.SyntaxError, "%s at or near \"%s\" of jsonpath input", message, l.s[l.start:max(l.end, l.start+1)])
}

func (l *pathLexer) dollar() error {
	l.end++
	if l.end < len(l.s) && l.s[l.end] == '"' {
		l.tok, l.end = pathVariable, l.end+1
		return l.quoted()
	}
	if l.end < len(l.s) && strings.IndexByte(pathSpecial, l.s[l.end]) < 0 {
		l.tok = pathVariable
		return l.word()
	}
	l.tok, l.text = pathPunct, "$"
	return nil
}

func (l *pathLexer) number() error {
	i := l.end
	digits := func() {
		for i < len(l.s) && isDigit(l.s[i]) {
			i++
		}
	}
	l.tok = pathInteger
	digits()
	leadingZero := i > l.end+1 && l.s[l.end] == '0'
	if i < len(l.s) && l.s[i] == '.' {
		l.tok = pathDecimal
		i++
		digits()
	}
	if i < len(l.s) && (l.s[i] == 'e' || l.s[i] == 'E') {
		l.tok = pathDecimal
		if i++; i < len(l.s) && (l.s[i] == '+' || l.s[i] == '-') {
			i++
		}
		if i == len(l.s) || !isDigit(l.s[i]) {
			l.end = i
			return l.fail("invalid numeric literal")
		}
		digits()
	}
	l.end = i
	l.text = l.s[l.start:i]
	if leadingZero || (i < len(l.s) && strings.IndexByte(pathSpecial, l.s[i]) < 0) {
		if !leadingZero {
			_, n := utf8.DecodeRuneInString(l.s[i:])
			l.end += n
		}
		return l.fail("trailing junk after numeric literal")
	}
	return nil
}

func (l *pathLexer) word() error {
	var out []byte
	for l.end < len(l.s) {
		c := l.s[l.end]
		if c == '\\' {
			var err error
			if out, err = l.escape(out); err != nil {
				return err
			}
			continue
		}
		if strings.IndexByte(pathSpecial, c) >= 0 {
			break
		}
		out = append(out, c)
		l.end++
	}
	l.text = string(out)
	return nil
}

func (l *pathLexer) quoted() error {
	var out []byte
	for l.end < len(l.s) {
		switch c := l.s[l.end]; c {
		case '"':
			l.end++
			l.text = string(out)
			return nil
		case '\\':
			var err error
			if out, err = l.escape(out); err != nil {
				return err
			}
		default:
			out = append(out, c)
			l.end++
		}
	}
	return pathError("unexpected end of quoted string at end of jsonpath input")
}

// escape reads from a backslash on.
func (l *pathLexer) escape(out []byte) ([]byte, error) {
	l.end++
	if l.end == len(l.s) {
		return nil, pathError("unexpected end after backslash at end of jsonpath input")
	}
	c := l.s[l.end]
	const from, to = "bfnrtv", "\b\f\n\r\t\v"
	if i := strings.IndexByte(from, c); i >= 0 {
		l.end++
		return append(out, to[i]), nil
	}
	switch c {
	case 'x':
		r, ok := l.hex(l.end+1, 2, 2)
		if !ok {
			return nil, l.badEscape("invalid hexadecimal character sequence")
		}
		return l.appendRune(out, r)
	case 'u':
		return l.unicode(out)
	}
	_, n := utf8.DecodeRuneInString(l.s[l.end:])
	out = append(out, l.s[l.end:l.end+n]...)
	l.end += n
	return out, nil
}

func (l *pathLexer) badEscape(message string) error {
	l.start, l.end = l.end-1, min(l.end+1, len(l.s))
	return l.fail(message)
}

// hex reads between least and most digits and moves behind them.
func (l *pathLexer) hex(i, least, most int) (rune, bool) {
	var r rune
	n := 0
	for ; n < most && i < len(l.s); n++ {
		v, ok := hexValue(l.s[i])
		if !ok {
			break
		}
		r = r<<4 | rune(v)
		i++
	}
	if n < least {
		return 0, false
	}
	l.end = i
	return r, true
}

// unicode reads u1234 or u{1F600}, and two of the first for a surrogate pair.
func (l *pathLexer) unicode(out []byte) ([]byte, error) {
	at := l.end + 1
	if at < len(l.s) && l.s[at] == '{' {
		r, ok := l.hex(at+1, 1, 6)
		if !ok || l.end >= len(l.s) || l.s[l.end] != '}' {
			return nil, l.badEscape("invalid Unicode escape sequence")
		}
		l.end++
		return l.appendRune(out, r)
	}
	r, ok := l.hex(at, 4, 4)
	if !ok {
		return nil, l.badEscape("invalid Unicode escape sequence")
	}
	if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(l.s[l.end:], `\u`) {
		low, ok := l.hex(l.end+2, 4, 4)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return nil, surrogateError("Unicode low surrogate must follow a high surrogate.")
		}
		r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
	}
	return l.appendRune(out, r)
}

func surrogateError(detail string) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type jsonpath").WithDetail("%s", detail)
}

func (l *pathLexer) appendRune(out []byte, r rune) ([]byte, error) {
	switch {
	case r == 0:
		return nil, pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").
			WithDetail(`\u0000 cannot be converted to text.`)
	case r >= 0xD800 && r <= 0xDFFF:
		return nil, surrogateError("Unicode low surrogate must follow a high surrogate.")
	case r > utf8.MaxRune:
		return nil, l.badEscape("invalid Unicode escape sequence")
	}
	return utf8.AppendRune(out, r), nil
}
