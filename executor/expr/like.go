package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

func evalLike(a, b types.Datum) (types.Datum, error) {
	ok, err := Like(a.(string), b.(string))
	if err != nil {
		return nil, err
	}
	return ok, nil
}

func evalILike(a, b types.Datum) (types.Datum, error) {
	ok, err := Like(strings.ToLower(a.(string)), strings.ToLower(b.(string)))
	if err != nil {
		return nil, err
	}
	return ok, nil
}

func evalByteaLike(a, b types.Datum) (types.Datum, error) {
	ok, err := likeBytes(string(a.([]byte)), string(b.([]byte)))
	if err != nil {
		return nil, err
	}
	return ok, nil
}

func patternEndsInEscape() error {
	return pgerr.New(pgerr.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
}

// Like matches s with an SQL LIKE pattern: % is any string, _ any character and
// a backslash takes the next character literally.
func Like(s, pattern string) (bool, error) { return matchLike(s, pattern, runeLen) }

func likeBytes(s, pattern string) (bool, error) {
	return matchLike(s, pattern, func(string) int { return 1 })
}

func runeLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// matchLike goes back only to the last %, which suffices: what an earlier one
// could match, the last one can match too. step is the length of one character.
// A bad escape is an error only when the match gets to it, as in PostgreSQL.
func matchLike(s, p string, step func(string) int) (bool, error) {
	i, j := 0, 0
	star, mark := -1, 0
	for {
		if j < len(p) && p[j] == '%' {
			star, mark = j+1, i
			j++
			continue
		}
		if i == len(s) {
			return j == len(p), nil
		}
		matched := false
		if j < len(p) {
			switch p[j] {
			case '_':
				i, j, matched = i+step(s[i:]), j+1, true
			case '\\':
				if j+1 == len(p) {
					return false, patternEndsInEscape()
				}
				if p[j+1] == s[i] {
					i, j, matched = i+1, j+2, true
				}
			default:
				if p[j] == s[i] {
					i, j, matched = i+1, j+1, true
				}
			}
		}
		if matched {
			continue
		}
		if star < 0 {
			return false, nil
		}
		mark += step(s[mark:])
		i, j = mark, star
		if mark > len(s) {
			return false, nil
		}
	}
}

// evalLikeEscape turns a pattern with another escape character into one with
// the backslash.
func evalLikeEscape(_ *Context, args []types.Datum) (types.Datum, error) {
	pattern, escape := args[0].(string), args[1].(string)
	if escape == `\` {
		return pattern, nil
	}
	if utf8.RuneCountInString(escape) > 1 {
		return nil, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").WithHint("Escape string must be empty or one character.")
	}
	if escape == "" {
		return strings.ReplaceAll(pattern, `\`, `\\`), nil
	}
	esc, _ := utf8.DecodeRuneInString(escape)
	var out strings.Builder
	after := false
	for _, r := range pattern {
		switch {
		case r == esc && !after:
			out.WriteByte('\\')
			after = true
			continue
		case r == '\\' && !after:
			out.WriteString(`\\`)
		default:
			out.WriteRune(r)
		}
		after = false
	}
	return out.String(), nil
}

// evalSimilarEscape turns an SQL regular expression (SIMILAR TO) into
// PostgreSQL's own, anchored. Without a second argument the escape is a backslash.
func evalSimilarEscape(_ *Context, args []types.Datum) (types.Datum, error) {
	esc := '\\'
	if len(args) == 2 {
		e := args[1].(string)
		switch utf8.RuneCountInString(e) {
		case 0:
			esc = -1
		case 1:
			esc, _ = utf8.DecodeRuneInString(e)
		default:
			return nil, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").WithHint("Escape string must be empty or one character.")
		}
	}
	return similarToRegex(args[0].(string), esc), nil
}

func similarToRegex(pattern string, esc rune) string {
	var out strings.Builder
	out.WriteString("^(?:")
	after, inClass := false, false
	for _, r := range pattern {
		switch {
		case after:
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r < utf8.RuneSelf {
				out.WriteByte('\\')
			}
			out.WriteRune(r)
			after = false
		case r == esc:
			after = true
		case inClass:
			if r == '\\' {
				out.WriteByte('\\')
			}
			out.WriteRune(r)
			inClass = r != ']'
		case r == '[':
			out.WriteRune(r)
			inClass = true
		case r == '%':
			out.WriteString(".*")
		case r == '_':
			out.WriteByte('.')
		case r == '(':
			out.WriteString("(?:")
		case r == '\\' || r == '.' || r == '^' || r == '$':
			out.WriteByte('\\')
			out.WriteRune(r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteString(")$")
	return out.String()
}
