package expr

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func evalRegex(a, b types.Datum) (types.Datum, error) { return matchRegex(a, b, "") }

func evalIRegex(a, b types.Datum) (types.Datum, error) { return matchRegex(a, b, "i") }

func matchRegex(a, b types.Datum, flags string) (types.Datum, error) {
	re, err := compileRegex(b.(string), flags)
	if err != nil {
		return nil, err
	}
	return re.MatchString(a.(string)), nil
}

// regexKey names a compiled expression in the cache.
type regexKey struct{ pattern, flags string }

// maxRegexes bounds the cache; a full one is emptied, which costs only compiling again.
const maxRegexes = 1000

// regexCache keeps compiled expressions. mu guards all.
var regexCache struct {
	mu  sync.RWMutex
	all map[regexKey]*regexp.Regexp
}

// compileRegex compiles one of PostgreSQL's advanced regular expressions; flags
// are its embedded options' letters (i, n, s, x, q …), without g. Back
// references and lookaround constraints get 0A000: the matcher is an automaton,
// which takes linear time and has neither.
func compileRegex(pattern, flags string) (*regexp.Regexp, error) {
	key := regexKey{pattern, flags}
	regexCache.mu.RLock()
	re := regexCache.all[key]
	regexCache.mu.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := newRegex(pattern, flags)
	if err != nil {
		return nil, err
	}
	regexCache.mu.Lock()
	if regexCache.all == nil || len(regexCache.all) >= maxRegexes {
		regexCache.all = map[regexKey]*regexp.Regexp{}
	}
	regexCache.all[key] = re
	regexCache.mu.Unlock()
	return re, nil
}

func newRegex(pattern, flags string) (*regexp.Regexp, error) {
	t := regexTranslator{}
	for _, f := range flags {
		if !t.option(f) {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", f)
		}
	}
	text, err := t.translate(pattern)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, invalidRegex(regexReason(err))
	}
	if !t.lazy {
		re.Longest() // POSIX: the longest of the leftmost matches
	}
	return re, nil
}

func invalidRegex(reason string) error {
	return pgerr.New(pgerr.InvalidRegularExpression, "invalid regular expression: "+reason)
}

// regexReason is what PostgreSQL says of the same mistake.
func regexReason(err error) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return "invalid regexp"
	}
	switch e.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return "parentheses () not balanced"
	case syntax.ErrMissingBracket:
		return "brackets [] not balanced"
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return "quantifier operand invalid"
	case syntax.ErrInvalidRepeatSize:
		return "invalid repetition count(s)"
	case syntax.ErrInvalidCharRange:
		return "invalid character range"
	case syntax.ErrInvalidCharClass:
		return "invalid character class"
	case syntax.ErrInvalidEscape, syntax.ErrTrailingBackslash:
		return "invalid escape \\ sequence"
	}
	return "regular expression is too complex"
}

// regexTranslator rewrites an advanced regular expression for Go's matcher.
type regexTranslator struct {
	in        string
	out       strings.Builder
	fold      bool // i
	expanded  bool // x
	literal   bool // q
	dotStops  bool // n, p: . and [^…] do not match a newline
	lineBound bool // n, w: ^ and $ match at newlines
	lazy      bool // there is a non-greedy quantifier
}

func (t *regexTranslator) option(f rune) bool {
	switch f {
	case 'i':
		t.fold = true
	case 'c':
		t.fold = false
	case 'x':
		t.expanded = true
	case 't':
		t.expanded = false
	case 'q':
		t.literal = true
	case 'n', 'm':
		t.dotStops, t.lineBound = true, true
	case 'p':
		t.dotStops, t.lineBound = true, false
	case 'w':
		t.dotStops, t.lineBound = false, true
	case 's':
		t.dotStops, t.lineBound = false, false
	case 'b', 'e':
	default:
		return false
	}
	return true
}

func (t *regexTranslator) translate(pattern string) (string, error) {
	switch {
	case strings.HasPrefix(pattern, "***="):
		t.literal, pattern = true, pattern[4:]
	case strings.HasPrefix(pattern, "***:"):
		pattern = pattern[4:]
	}
	pattern, err := t.embedded(pattern)
	if err != nil {
		return "", err
	}
	if t.literal {
		return t.flags() + regexp.QuoteMeta(pattern), nil
	}
	t.in = pattern
	for t.in != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.flags() + t.out.String(), nil
}

// embedded takes the options (?i) at the start.
func (t *regexTranslator) embedded(pattern string) (string, error) {
	if len(pattern) < 3 || pattern[0] != '(' || pattern[1] != '?' || !isLetter(pattern[2]) {
		return pattern, nil
	}
	end := strings.IndexByte(pattern, ')')
	if end < 0 {
		return pattern, nil
	}
	for _, f := range pattern[2:end] {
		if !t.option(f) {
			return "", invalidRegex("invalid embedded option")
		}
	}
	return pattern[end+1:], nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (t *regexTranslator) flags() string {
	out := "(?"
	if t.fold {
		out += "i"
	}
	if t.lineBound {
		out += "m"
	}
	if !t.dotStops {
		out += "s"
	}
	if out == "(?" {
		return ""
	}
	return out + ")"
}

// next takes one atom, quantifier or bracket.
func (t *regexTranslator) next() error {
	c := t.in[0]
	switch {
	case c == '\\':
		return t.escape()
	case c == '[':
		return t.bracket()
	case c == '(' && strings.HasPrefix(t.in, "(?"):
		return t.group()
	case c == '?' || c == '*' || c == '+' || c == '}':
		t.out.WriteByte(c)
		t.in = t.in[1:]
		if strings.HasPrefix(t.in, "?") {
			t.lazy = true
			t.out.WriteByte('?')
			t.in = t.in[1:]
		}
	case t.expanded && (c == ' ' || c >= '\t' && c <= '\r'):
		t.in = t.in[1:]
	case t.expanded && c == '#':
		if end := strings.IndexByte(t.in, '\n'); end >= 0 {
			t.in = t.in[end+1:]
		} else {
			t.in = ""
		}
	default:
		_, n := utf8.DecodeRuneInString(t.in)
		t.out.WriteString(t.in[:n])
		t.in = t.in[n:]
	}
	return nil
}

func (t *regexTranslator) group() error {
	switch {
	case strings.HasPrefix(t.in, "(?:"):
		t.out.WriteString("(?:")
		t.in = t.in[3:]
		return nil
	case strings.HasPrefix(t.in, "(?#"):
		end := strings.IndexByte(t.in, ')')
		if end < 0 {
			return invalidRegex("parentheses () not balanced")
		}
		t.in = t.in[end+1:]
		return nil
	case strings.HasPrefix(t.in, "(?="), strings.HasPrefix(t.in, "(?!"), strings.HasPrefix(t.in, "(?<"):
		return pgerr.Unsupported("a lookaround constraint in a regular expression")
	}
	return invalidRegex("quantifier operand invalid")
}

// classEscapes are the escapes with another spelling in Go. The word classes
// know all letters, not only those of ASCII.
var classEscapes = map[byte]string{
	'd': `\d`, 'D': `\D`, 's': `\s`, 'S': `\S`,
	'w': `[\p{L}\p{Nd}\p{Pc}]`, 'W': `[^\p{L}\p{Nd}\p{Pc}]`,
	'A': `\A`, 'Z': `\z`, 'y': `\b`, 'Y': `\B`, 'm': `\b`, 'M': `\b`,
	'a': `\x07`, 'b': `\x08`, 'B': `\\`, 'e': `\x1b`, 'f': `\f`, 'n': `\n`, 'r': `\r`, 't': `\t`, 'v': `\v`, '0': `\x00`,
}

// bracketEscapes are those inside brackets.
var bracketEscapes = map[byte]string{
	'd': `\d`, 's': `\s`, 'w': `\p{L}\p{Nd}\p{Pc}`,
	'a': `\x07`, 'b': `\x08`, 'B': `\\`, 'e': `\x1b`, 'f': `\f`, 'n': `\n`, 'r': `\r`, 't': `\t`, 'v': `\v`, '0': `\x00`,
}

func (t *regexTranslator) escape() error { return t.escapeBy(classEscapes) }

func (t *regexTranslator) escapeBy(known map[byte]string) error {
	if len(t.in) < 2 {
		return invalidRegex("invalid escape \\ sequence")
	}
	c := t.in[1]
	if s, ok := known[c]; ok {
		t.out.WriteString(s)
		t.in = t.in[2:]
		return nil
	}
	switch {
	case c == 'u', c == 'U', c == 'x':
		return t.codePoint(c)
	case c == 'c' && len(t.in) > 2:
		t.writeRune(rune(t.in[2] & 31))
		t.in = t.in[3:]
		return nil
	case c >= '1' && c <= '9':
		return pgerr.Unsupported("a back reference in a regular expression")
	case isLetter(c):
		return invalidRegex("invalid escape \\ sequence")
	}
	r, n := utf8.DecodeRuneInString(t.in[1:])
	t.writeRune(r)
	t.in = t.in[1+n:]
	return nil
}

// writeRune writes a character so that it stands for itself.
func (t *regexTranslator) writeRune(r rune) {
	t.out.WriteString(`\x{` + strconv.FormatInt(int64(r), 16) + `}`)
}

// codePoint is \uXXXX, \UXXXXXXXX or \x and hex digits.
func (t *regexTranslator) codePoint(c byte) error {
	digits := map[byte]int{'u': 4, 'U': 8, 'x': 8}[c]
	n := 0
	for n < digits && 2+n < len(t.in) && isHex(t.in[2+n]) {
		n++
	}
	if n == 0 || c != 'x' && n < digits {
		return invalidRegex("invalid escape \\ sequence")
	}
	v, err := strconv.ParseInt(t.in[2:2+n], 16, 64)
	if err != nil || v > utf8.MaxRune {
		return invalidRegex("invalid escape \\ sequence")
	}
	t.writeRune(rune(v))
	t.in = t.in[2+n:]
	return nil
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// posixClasses are the named classes inside brackets.
var posixClasses = map[string]string{
	"alpha": `\p{L}`, "digit": `\p{Nd}`, "alnum": `\p{L}\p{Nd}`, "upper": `\p{Lu}`, "lower": `\p{Ll}`,
	"space": `\s\v`, "blank": ` \t`, "punct": `[:punct:]`, "cntrl": `[:cntrl:]`, "xdigit": `0-9A-Fa-f`,
	"graph": `\p{L}\p{M}\p{N}\p{P}\p{S}`, "print": `\p{L}\p{M}\p{N}\p{P}\p{S} `, "word": `\p{L}\p{Nd}\p{Pc}`, "ascii": `\x00-\x7f`,
}

func (t *regexTranslator) bracket() error {
	for _, word := range []string{"[[:<:]]", "[[:>:]]"} {
		if strings.HasPrefix(t.in, word) {
			t.out.WriteString(`\b`)
			t.in = t.in[len(word):]
			return nil
		}
	}
	t.out.WriteByte('[')
	t.in = t.in[1:]
	if strings.HasPrefix(t.in, "^") {
		t.out.WriteByte('^')
		if t.dotStops {
			t.out.WriteString(`\n`)
		}
		t.in = t.in[1:]
	}
	for first := true; ; first = false {
		switch {
		case t.in == "":
			return invalidRegex("brackets [] not balanced")
		case t.in[0] == ']' && !first:
			t.out.WriteByte(']')
			t.in = t.in[1:]
			return nil
		case t.in[0] == '\\':
			if err := t.escapeBy(bracketEscapes); err != nil {
				return err
			}
		case strings.HasPrefix(t.in, "[:"), strings.HasPrefix(t.in, "[."), strings.HasPrefix(t.in, "[="):
			if err := t.named(); err != nil {
				return err
			}
		case t.in[0] == '-':
			t.out.WriteByte('-')
			t.in = t.in[1:]
		default:
			r, n := utf8.DecodeRuneInString(t.in)
			t.writeRune(r)
			t.in = t.in[n:]
		}
	}
}

// named is [:class:], [.element.] or [=element=].
func (t *regexTranslator) named() error {
	kind := t.in[1]
	end := strings.Index(t.in, string(kind)+"]")
	if end < 2 {
		return invalidRegex("brackets [] not balanced")
	}
	name := t.in[2:end]
	t.in = t.in[end+2:]
	if kind == ':' {
		class, ok := posixClasses[name]
		if !ok {
			return invalidRegex("invalid character class")
		}
		t.out.WriteString(class)
		return nil
	}
	if utf8.RuneCountInString(name) != 1 {
		return invalidRegex("invalid collating element")
	}
	r, _ := utf8.DecodeRuneInString(name)
	t.writeRune(r)
	return nil
}
