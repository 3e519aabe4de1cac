package expr

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

// Stored expressions are texts that a deparser wrote: operators in parentheses
// but for the outermost. What follows prints them as ruleutils does, which adds
// parentheses outside, types to bare literals, and shortens qualified names.

// ExpressionText prints a stored expression whose value has a type (0: whatever).
func (d *Definer) ExpressionText(text string, typ types.OID) string {
	text = d.shortenRegclass(text)
	if typ != 0 && isLiteral(text) {
		return text + "::" + d.TypeName(typ, types.NoTypmod)
	}
	if number := withoutParentheses(text); typ != 0 && isNegative(number) {
		return "'" + number + "'::" + numberType(number)
	}
	return parenthesized(text)
}

// parenthesized puts an operation into parentheses.
func parenthesized(text string) string {
	if isOperation(text) {
		return "(" + text + ")"
	}
	return text
}

// expressionFor prints a stored expression with or without the outermost parentheses.
func (d *Definer) expressionFor(text string, pretty bool) string {
	text = d.shortenRegclass(text)
	if pretty {
		return prettyLogic(text)
	}
	return parenthesized(text)
}

// withoutParentheses takes off parentheses around the whole text.
func withoutParentheses(text string) string {
	if strings.HasPrefix(text, "(") && closing(text, 0) == len(text)-1 {
		return text[1 : len(text)-1]
	}
	return text
}

// closing is where the parenthesis that opens at open closes, -1 for nowhere.
func closing(text string, open int) int {
	depth := 0
	for i := open; i < len(text); {
		switch text[i] {
		case '\'', '"':
			i = skipQuoted(text, i)
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
		i++
	}
	return -1
}

// isNegative says whether a text is a negative number.
func isNegative(text string) bool {
	return len(text) > 1 && text[0] == '-' && strings.Trim(text[1:], "0123456789.") == ""
}

// numberType is the type that the grammar gives to a number.
func numberType(text string) string {
	if _, err := strconv.ParseInt(text, 10, 32); err == nil {
		return "integer"
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return "bigint"
	}
	return "numeric"
}

// prettyLogic takes the parentheses off comparisons that AND or OR join, as
// ruleutils does for reading.
func prettyLogic(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch text[i] {
		case '\'', '"':
			end := skipQuoted(text, i)
			b.WriteString(text[i:end])
			i = end
		case '(':
			end := closing(text, i)
			if end < 0 {
				return text
			}
			inner := text[i+1 : end]
			if joined(text, i, end) && !hasLogic(inner) {
				b.WriteString(inner)
			} else {
				b.WriteString(text[i : end+1])
			}
			i = end + 1
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}

// joined says whether text[open:end+1] is a whole operand of AND or OR.
func joined(text string, open, end int) bool {
	before, after := text[:open], text[end+1:]
	starts := before == "" || strings.HasSuffix(before, " AND ") || strings.HasSuffix(before, " OR ")
	ends := after == "" || strings.HasPrefix(after, " AND ") || strings.HasPrefix(after, " OR ")
	return starts && ends && (before != "" || after != "")
}

func hasLogic(text string) bool {
	return strings.Contains(text, " AND ") || strings.Contains(text, " OR ") || strings.HasPrefix(text, "NOT ")
}

// isLiteral says whether a text is one string literal.
func isLiteral(text string) bool {
	return strings.HasPrefix(text, "'") && skipQuoted(text, 0) == len(text)
}

// skipQuoted gives the end of the quoted piece that starts at i.
func skipQuoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(text)
}

// typeTail are the words that may follow a blank within a type's name.
var typeTail = wordSet("precision varying with without time zone year month day hour minute second to")

// isOperation says whether a text has an operator or keyword outside of all
// parentheses, brackets and quotes.
func isOperation(text string) bool {
	if strings.HasPrefix(text, "CASE ") && strings.HasSuffix(text, " END") {
		return false
	}
	depth := 0
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\'', '"':
			i = skipQuoted(text, i)
			continue
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ' ':
			if depth == 0 && !typeTail[firstWord(text[i+1:])] {
				return true
			}
		}
		i++
	}
	return false
}

func firstWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
	if end < 0 {
		return text
	}
	return text[:end]
}

// isCall says whether a text is one call of a function, which an index
// definition prints without parentheses.
func isCall(text string) bool {
	open := strings.IndexByte(text, '(')
	if open <= 0 || isOperation(text) || strings.ContainsAny(text[:open], " ':[") {
		return false
	}
	return closing(text, open) == len(text)-1
}

// shortenRegclass takes the schema off 'schema.name'::regclass where the search
// path finds the relation, as the output of a regclass does.
func (d *Definer) shortenRegclass(text string) string {
	const cast = "::regclass"
	for from := 0; ; {
		at := strings.Index(text[from:], cast)
		if at < 0 {
			return text
		}
		end := from + at
		from = end + len(cast)
		start := literalBefore(text, end)
		if start < 0 {
			continue
		}
		parts := splitQualified(strings.ReplaceAll(text[start+1:end-1], "''", "'"))
		if len(parts) != 2 {
			continue
		}
		if o := d.Catalog.Relation(parts[0], parts[1]); o != nil {
			name := quoteLiteral(d.RelationName(o))
			text = text[:start] + name + text[end:]
			from = start + len(name) + len(cast)
		}
	}
}

// literalBefore is where the string literal that ends at end starts, -1 for none.
func literalBefore(text string, end int) int {
	if end < 2 || text[end-1] != '\'' {
		return -1
	}
	for i := 0; i < end; {
		if c := text[i]; c != '\'' && c != '"' {
			i++
			continue
		}
		next := skipQuoted(text, i)
		if next == end {
			return i
		}
		i = next
	}
	return -1
}

// splitQualified splits a dotted name; quotes are taken off, other parts folded.
func splitQualified(name string) []string {
	var parts []string
	for name != "" {
		var part string
		if name[0] == '"' {
			end := skipQuoted(name, 0)
			part = strings.ReplaceAll(strings.Trim(name[:end], `"`), `""`, `"`)
			name = name[end:]
		} else {
			end := strings.IndexByte(name, '.')
			if end < 0 {
				end = len(name)
			}
			part, name = strings.ToLower(strings.TrimSpace(name[:end])), name[end:]
		}
		parts = append(parts, part)
		name = strings.TrimPrefix(name, ".")
	}
	return parts
}

// SplitQualified splits a written, perhaps quoted, dotted name into its parts.
func SplitQualified(name string) []string { return splitQualified(strings.TrimSpace(name)) }

// DefaultText prints a column's default or generation expression; "" for none.
func (d *Definer) DefaultText(c *catalog.Column) string {
	if c.Generated != "" {
		return d.ExpressionText(c.Generated, 0)
	}
	if c.Default == "" {
		return ""
	}
	return d.ExpressionText(c.Default, c.Type)
}
