package sql

import "strings"

// QuoteIdent returns s as an identifier: as it is where PostgreSQL would read it
// back unchanged, in double quotes otherwise.
func QuoteIdent(s string) string {
	if isPlainIdent(s) {
		if category, ok := keywordCategories[s]; !ok || category == Unreserved {
			return s
		}
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

func isPlainIdent(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c == '_' || (i > 0 && isDigit(c))) {
			return false
		}
	}
	return s != ""
}

// QuoteLiteral returns s as a string constant, in the E form when it has backslashes.
func QuoteLiteral(s string) string {
	quoted := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if strings.Contains(s, `\`) {
		return `E` + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
