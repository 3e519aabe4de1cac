package expr

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions of POSIX regular expressions; regex.go translates the patterns.
var regexFunctions = []*Function{
	define("substring(text, text) text", evalSubstringRegex),
	define("substring(text, text, text) text", evalSubstringSimilar),
	define("regexp_replace(text, text, text) text", evalRegexpReplace),
	define("regexp_replace(text, text, text, text) text", evalRegexpReplace),
	define("regexp_replace(text, text, text, int4) text", evalRegexpReplaceAt),
	define("regexp_replace(text, text, text, int4, int4) text", evalRegexpReplaceAt),
	define("regexp_replace(text, text, text, int4, int4, text) text", evalRegexpReplaceAt),
	define("regexp_match(text, text) text[]", evalRegexpMatch),
	define("regexp_match(text, text, text) text[]", evalRegexpMatch),
	defineRows("regexp_matches(text, text) setof text[]", "", regexpMatches),
	defineRows("regexp_matches(text, text, text) setof text[]", "", regexpMatches),
	define("regexp_split_to_array(text, text) text[]", evalRegexpSplit),
	define("regexp_split_to_array(text, text, text) text[]", evalRegexpSplit),
	defineRows("regexp_split_to_table(text, text) setof text", "", regexpSplitRows),
	defineRows("regexp_split_to_table(text, text, text) setof text", "", regexpSplitRows),
	define("regexp_like(text, text) bool", evalRegexpLike),
	define("regexp_like(text, text, text) bool", evalRegexpLike),
	define("regexp_count(text, text) int4", evalRegexpCount),
	define("regexp_count(text, text, int4) int4", evalRegexpCount),
	define("regexp_count(text, text, int4, text) int4", evalRegexpCount),
	define("regexp_instr(text, text) int4", evalRegexpInstr),
	define("regexp_instr(text, text, int4) int4", evalRegexpInstr),
	define("regexp_instr(text, text, int4, int4) int4", evalRegexpInstr),
	define("regexp_instr(text, text, int4, int4, int4) int4", evalRegexpInstr),
	define("regexp_instr(text, text, int4, int4, int4, text) int4", evalRegexpInstr),
	define("regexp_instr(text, text, int4, int4, int4, text, int4) int4", evalRegexpInstr),
	define("regexp_substr(text, text) text", evalRegexpSubstr),
	define("regexp_substr(text, text, int4) text", evalRegexpSubstr),
	define("regexp_substr(text, text, int4, int4) text", evalRegexpSubstr),
	define("regexp_substr(text, text, int4, int4, text) text", evalRegexpSubstr),
	define("regexp_substr(text, text, int4, int4, text, int4) text", evalRegexpSubstr),
}

// patternOf compiles args[1] with the flags in args[flagsAt], if given; global
// is the flag g.
func patternOf(args []types.Datum, flagsAt int) (re *regexp.Regexp, global bool, err error) {
	flags := ""
	if f := optional(args, flagsAt); f != nil {
		flags = f.(string)
	}
	if strings.Contains(flags, "g") {
		global, flags = true, strings.ReplaceAll(flags, "g", "")
	}
	re, err = compileRegex(args[1].(string), flags)
	return re, global, err
}

func noGlobal(function, instead string) error {
	err := pgerr.Newf(pgerr.InvalidParameterValue, "%s does not support the \"global\" option", function)
	if instead != "" {
		return err.WithHint("Use the %s function instead.", instead)
	}
	return err
}

// hasAssertions says whether a pattern looks at what stands around a match.
func hasAssertions(re *regexp.Regexp) bool {
	p := re.String()
	return strings.ContainsAny(p, "^$") || strings.Contains(p, `\b`) || strings.Contains(p, `\B`) || strings.Contains(p, `\A`)
}

// allMatches returns every match as index pairs. Go leaves out an empty match
// right after another one and PostgreSQL does not, so those are put back.
func allMatches(re *regexp.Regexp, s string) [][]int {
	found := re.FindAllStringSubmatchIndex(s, -1)
	if hasAssertions(re) || !re.MatchString("") {
		return found
	}
	var out [][]int
	for i, m := range found {
		out = append(out, m)
		end := m[1]
		if m[0] == end || i+1 < len(found) && found[i+1][0] == end {
			continue
		}
		if next := re.FindStringSubmatchIndex(s[end:]); next != nil && next[1] == 0 {
			for j := range next {
				if next[j] >= 0 {
					next[j] += end
				}
			}
			out = append(out, next)
		}
	}
	return out
}

// group is the text of group n of a match, nil when it took no part.
func group(s string, m []int, n int) types.Datum {
	if m[2*n] < 0 {
		return nil
	}
	return s[m[2*n]:m[2*n+1]]
}

func evalSubstringRegex(_ *Context, args []types.Datum) (types.Datum, error) {
	re, _, err := patternOf(args, 2)
	if err != nil {
		return nil, err
	}
	return firstGroup(re, args[0].(string)), nil
}

// firstGroup is the first group of a match, or all of it without groups.
func firstGroup(re *regexp.Regexp, s string) types.Datum {
	m := re.FindStringSubmatchIndex(s)
	if m == nil {
		return nil
	}
	return group(s, m, min(re.NumSubexp(), 1))
}

// evalSubstringSimilar takes the part between the escape character's double
// quotes of an SQL pattern, or all that matches.
func evalSubstringSimilar(_ *Context, args []types.Datum) (types.Datum, error) {
	pattern, escape := args[1].(string), args[2].(string)
	esc, size := utf8.DecodeRuneInString(escape)
	if size != len(escape) {
		return nil, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").WithHint("Escape string must be empty or one character.")
	}
	parts := []string{pattern}
	if size > 0 {
		parts = strings.Split(pattern, escape+`"`)
	} else {
		esc = -1
	}
	plain := func(p string) string {
		return strings.TrimSuffix(strings.TrimPrefix(similarToRegex(p, esc), "^(?:"), ")$")
	}
	text := "^(" + plain(pattern) + ")$"
	switch {
	case len(parts) > 3:
		return nil, pgerr.New(pgerr.InvalidEscapeSequence, "SQL regular expression may not contain more than two escape-double-quote separators")
	case len(parts) == 3:
		first := strings.ReplaceAll(plain(parts[0]), ".*", ".*?")
		text = "^(?:" + first + ")(" + plain(parts[1]) + ")(?:" + plain(parts[2]) + ")$"
	}
	re, err := compileRegex(text, "")
	if err != nil {
		return nil, err
	}
	return firstGroup(re, args[0].(string)), nil
}

func evalRegexpReplace(_ *Context, args []types.Datum) (types.Datum, error) {
	if len(args) > 3 {
		// A digit where flags stand is what an unknown literal for start becomes.
		if f := args[3].(string); f != "" && f[0] >= '0' && f[0] <= '9' {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, "invalid regular expression option: \"%s\"", f[:1]).
				WithHint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer without quotes.")
		}
	}
	re, global, err := patternOf(args, 3)
	if err != nil {
		return nil, err
	}
	nth := int64(1)
	if global {
		nth = 0
	}
	return replaceMatches(re, args[0].(string), args[2].(string), 0, nth), nil
}

func evalRegexpReplaceAt(_ *Context, args []types.Datum) (types.Datum, error) {
	re, global, err := patternOf(args, 5)
	if err != nil {
		return nil, err
	}
	start, err := positive(args, 3, "start")
	if err != nil {
		return nil, err
	}
	nth := int64(1)
	if len(args) > 4 {
		if nth = args[4].(int64); nth < 0 {
			return nil, badParameter("n", nth)
		}
	} else if global {
		nth = 0
	}
	s := args[0].(string)
	return replaceMatches(re, s, args[2].(string), runeOffset(s, start-1), nth), nil
}

func badParameter(name string, v int64) error {
	return pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", name, v)
}

// positive is an optional argument that counts from 1.
func positive(args []types.Datum, i int, name string) (int64, error) {
	v := optional(args, i)
	if v == nil {
		return 1, nil
	}
	if v.(int64) < 1 {
		return 0, badParameter(name, v.(int64))
	}
	return v.(int64), nil
}

// replaceMatches replaces the nth match from byte offset start on, all of them
// when nth is 0.
func replaceMatches(re *regexp.Regexp, s, with string, start int, nth int64) string {
	var out strings.Builder
	out.WriteString(s[:start])
	s = s[start:]
	at := 0
	for i, m := range allMatches(re, s) {
		if nth != 0 && int64(i)+1 != nth {
			continue
		}
		out.WriteString(s[at:m[0]])
		appendReplacement(&out, s, with, m)
		at = m[1]
		if nth != 0 {
			break
		}
	}
	out.WriteString(s[at:])
	return out.String()
}

// appendReplacement resolves \1 … \9, \& and \\.
func appendReplacement(out *strings.Builder, s, with string, m []int) {
	for {
		i := strings.IndexByte(with, '\\')
		if i < 0 || i+1 == len(with) {
			break
		}
		out.WriteString(with[:i])
		c := with[i+1]
		switch {
		case c >= '1' && c <= '9':
			if n := int(c - '0'); 2*n < len(m) && m[2*n] >= 0 {
				out.WriteString(s[m[2*n]:m[2*n+1]])
			}
		case c == '&':
			out.WriteString(s[m[0]:m[1]])
		case c == '\\':
			out.WriteByte('\\')
		default:
			out.WriteByte('\\')
			with = with[i+1:]
			continue
		}
		with = with[i+2:]
	}
	out.WriteString(with)
}

// groupsOf is what regexp_match gives for a match: its groups, or itself.
func groupsOf(re *regexp.Regexp, s string, m []int) *types.Array {
	if re.NumSubexp() == 0 {
		return types.NewArray(types.TextOID, []types.Datum{group(s, m, 0)})
	}
	elems := make([]types.Datum, re.NumSubexp())
	for i := range elems {
		elems[i] = group(s, m, i+1)
	}
	return types.NewArray(types.TextOID, elems)
}

func evalRegexpMatch(_ *Context, args []types.Datum) (types.Datum, error) {
	re, global, err := patternOf(args, 2)
	if err != nil {
		return nil, err
	}
	if global {
		return nil, noGlobal("regexp_match()", "regexp_matches")
	}
	s := args[0].(string)
	m := re.FindStringSubmatchIndex(s)
	if m == nil {
		return nil, nil
	}
	return groupsOf(re, s, m), nil
}

func regexpMatches(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	re, global, err := patternOf(args, 2)
	if err != nil {
		return nil, err
	}
	s := args[0].(string)
	var out []types.Datum
	for _, m := range allMatches(re, s) {
		out = append(out, groupsOf(re, s, m))
		if !global {
			break
		}
	}
	return rowsOf(out), nil
}

func splitByRegex(function string, args []types.Datum) ([]types.Datum, error) {
	re, global, err := patternOf(args, 2)
	if err != nil {
		return nil, err
	}
	if global {
		return nil, noGlobal(function, "")
	}
	s := args[0].(string)
	var out []types.Datum
	at := 0
	for _, m := range allMatches(re, s) {
		// An empty match at the ends or after another one splits nothing.
		if m[0] == len(s) || m[1] <= at && m[0] == m[1] {
			continue
		}
		out = append(out, s[at:m[0]])
		at = m[1]
	}
	return append(out, s[at:]), nil
}

func evalRegexpSplit(_ *Context, args []types.Datum) (types.Datum, error) {
	parts, err := splitByRegex("regexp_split_to_array()", args)
	return datum(types.NewArray(types.TextOID, parts), err)
}

func regexpSplitRows(_ *Context, args []types.Datum) (func() (types.Row, error), error) {
	parts, err := splitByRegex("regexp_split_to_table()", args)
	return rowsOf(parts), err
}

func evalRegexpLike(_ *Context, args []types.Datum) (types.Datum, error) {
	re, global, err := patternOf(args, 2)
	if err != nil {
		return nil, err
	}
	if global {
		return nil, noGlobal("regexp_like()", "")
	}
	return re.MatchString(args[0].(string)), nil
}

func evalRegexpCount(_ *Context, args []types.Datum) (types.Datum, error) {
	re, global, err := patternOf(args, 3)
	if err != nil {
		return nil, err
	}
	if global {
		return nil, noGlobal("regexp_count()", "")
	}
	start, err := positive(args, 2, "start")
	if err != nil {
		return nil, err
	}
	s := args[0].(string)
	if start > int64(utf8.RuneCountInString(s))+1 {
		return int64(0), nil
	}
	return int64(len(allMatches(re, s[runeOffset(s, start-1):]))), nil
}

// nthMatch finds the match that regexp_instr and regexp_substr ask for; offset
// is where the searched part starts.
func nthMatch(function string, args []types.Datum, flagsAt, groupAt int) (m []int, s string, offset, sub int, err error) {
	re, global, err := patternOf(args, flagsAt)
	if err != nil {
		return nil, "", 0, 0, err
	}
	if global {
		return nil, "", 0, 0, noGlobal(function, "")
	}
	start, err := positive(args, 2, "start")
	if err != nil {
		return nil, "", 0, 0, err
	}
	n, err := positive(args, 3, "n")
	if err != nil {
		return nil, "", 0, 0, err
	}
	if g := optional(args, groupAt); g != nil {
		if g.(int64) < 0 {
			return nil, "", 0, 0, badParameter("subexpr", g.(int64))
		}
		sub = int(min(g.(int64), 1<<20))
	}
	s = args[0].(string)
	offset = runeOffset(s, start-1)
	all := allMatches(re, s[offset:])
	if sub > re.NumSubexp() || n > int64(len(all)) {
		return nil, s, offset, sub, nil
	}
	m = all[n-1]
	if m[2*sub] < 0 {
		return nil, s, offset, sub, nil
	}
	return m, s, offset, sub, nil
}

func evalRegexpInstr(_ *Context, args []types.Datum) (types.Datum, error) {
	end := 0
	if e := optional(args, 4); e != nil {
		if e.(int64) != 0 && e.(int64) != 1 {
			return nil, badParameter("endoption", e.(int64))
		}
		end = int(e.(int64))
	}
	m, s, offset, sub, err := nthMatch("regexp_instr()", args, 5, 6)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return int64(0), nil
	}
	return int64(utf8.RuneCountInString(s[:offset+m[2*sub+end]])) + 1, nil
}

func evalRegexpSubstr(_ *Context, args []types.Datum) (types.Datum, error) {
	m, s, offset, sub, err := nthMatch("regexp_substr()", args, 4, 5)
	if err != nil || m == nil {
		return nil, err
	}
	return s[offset+m[2*sub] : offset+m[2*sub+1]], nil
}
