package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

var quoteFunctions = []*Function{
	define1("quote_ident(text) text", func(a types.Datum) (types.Datum, error) { return quoteIdent(a.(string)), nil }),
	define1("quote_literal(text) text", func(a types.Datum) (types.Datum, error) { return quoteLiteral(a.(string)), nil }),
	defineBound("quote_literal(anyelement) text", func(args []Type, _ bool) evalFunc {
		return func(ctx *Context, v []types.Datum) (types.Datum, error) {
			return quoteLiteral(textFor(ctx, typeAt(args, 0), v[0])), nil
		}
	}).stable(),
	define("quote_nullable(text) text", func(_ *Context, v []types.Datum) (types.Datum, error) {
		if v[0] == nil {
			return "NULL", nil
		}
		return quoteLiteral(v[0].(string)), nil
	}).withNulls(),
	defineBound("quote_nullable(anyelement) text", func(args []Type, _ bool) evalFunc {
		return func(ctx *Context, v []types.Datum) (types.Datum, error) {
			if v[0] == nil {
				return "NULL", nil
			}
			return quoteLiteral(textFor(ctx, typeAt(args, 0), v[0])), nil
		}
	}).stable().withNulls(),
	define("parse_ident(str text, strict bool = true) text[]", evalParseIdent),
}

// reservedWords are PostgreSQL 16's keywords that are not unreserved; an
// identifier like one of them is quoted.
var reservedWords = wordSet(`
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
char character check coalesce collate collation column concurrently constraint create cross current_catalog
current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
grouping having ilike in initially inner inout int integer intersect interval into is isnull join json_array
json_arrayagg json_object json_objectagg lateral leading least left like limit localtime localtimestamp national
natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
placing position precision primary real references returning right row select session_user setof similar smallint
some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique
user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// quoteIdent returns s so that it reads back as the identifier s.
func quoteIdent(s string) string {
	plain := s != "" && !reservedWords[s]
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c >= 'a' && c <= 'z' || c == '_' || i > 0 && c >= '0' && c <= '9'
	}
	if plain {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// quoteQualified is schema.name.

// quoteLiteral returns s as a string constant, in the E form when it has backslashes.
func quoteLiteral(s string) string {
	quoted := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if strings.Contains(s, `\`) {
		return `E` + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

func evalParseIdent(_ *Context, args []types.Datum) (types.Datum, error) {
	parts, err := splitIdent(args[0].(string), args[1].(bool))
	if err != nil {
		return nil, err
	}
	elems := make([]types.Datum, len(parts))
	for i, p := range parts {
		elems[i] = p
	}
	return types.NewArray(types.TextOID, elems), nil
}

func badIdent(s string) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidParameterValue, "string is not a valid identifier: \"%s\"", s)
}

// splitIdent reads a qualified name; strict refuses what follows it.
func splitIdent(s string, strict bool) ([]string, error) {
	var parts []string
	in := strings.TrimLeft(s, " \t\n\r\f\v")
	for afterDot := false; ; afterDot = true {
		part, rest, err := oneIdent(s, in, afterDot)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		in = strings.TrimLeft(rest, " \t\n\r\f\v")
		if !strings.HasPrefix(in, ".") {
			break
		}
		in = strings.TrimLeft(in[1:], " \t\n\r\f\v")
	}
	if in != "" && strict {
		return nil, badIdent(s)
	}
	return parts, nil
}

func oneIdent(whole, in string, afterDot bool) (part, rest string, err error) {
	if strings.HasPrefix(in, `"`) {
		end := 1
		for {
			i := strings.IndexByte(in[end:], '"')
			if i < 0 {
				return "", "", badIdent(whole).WithDetail("String has unclosed double quotes.")
			}
			end += i + 1
			if !strings.HasPrefix(in[end:], `"`) {
				break
			}
			end++
		}
		part = strings.ReplaceAll(in[1:end-1], `""`, `"`)
		if part == "" {
			return "", "", badIdent(whole).WithDetail("Quoted identifier must not be empty.")
		}
		return part, in[end:], nil
	}
	n := 0
	for n < len(in) && (isWordChar(in[n]) || n > 0 && (in[n] >= '0' && in[n] <= '9' || in[n] == '$')) {
		n++
	}
	if n > 0 {
		return types.TruncateName(strings.ToLower(in[:n])), in[n:], nil
	}
	switch {
	case strings.HasPrefix(in, "."):
		return "", "", badIdent(whole).WithDetail(`No valid identifier before ".".`)
	case afterDot:
		return "", "", badIdent(whole).WithDetail(`No valid identifier after ".".`)
	}
	return "", "", badIdent(whole)
}

func isWordChar(c byte) bool { return isLetter(c) || c == '_' || c >= utf8.RuneSelf }
