package ddl

import (
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// Names of sequences stand in defaults as text: nextval('s.seq'::regclass). This
// file reads and writes them.

// defaultUses says whether a default takes its value from a sequence.
func (s *statement) defaultUses(text string, q *catalog.Sequence) bool {
	e, err := sql.ParseExpr(text)
	if err != nil {
		return false
	}
	found := false
	ast.Walk(e, func(n any) bool {
		if k := sequenceLiteral(n); k != nil && s.literalNames(k.Text, q) {
			found = true
		}
		return !found
	})
	return found
}

// sequenceLiteral is the literal that names a relation in 'x'::regclass, or in
// the first argument of nextval and its like; nil elsewhere.
func sequenceLiteral(n any) *ast.Const {
	var arg ast.Expr
	switch v := n.(type) {
	case *ast.TypeCast:
		if len(v.Type.Names) == 0 || v.Type.Names[len(v.Type.Names)-1] != "regclass" {
			return nil
		}
		arg = v.Arg
	case *ast.FuncCall:
		switch v.Name[len(v.Name)-1] {
		case "nextval", "currval", "setval":
		default:
			return nil
		}
		if len(v.Args) > 0 {
			arg = v.Args[0]
		}
	}
	if k, ok := arg.(*ast.Const); ok && k.Kind == ast.ConstString {
		return k
	}
	return nil
}

// literalNames says whether a literal names a relation.
func (s *statement) literalNames(text string, o catalog.Object) bool {
	names := splitName(text)
	if names == nil {
		return false
	}
	found, err := s.relation(rangeVar(names))
	return err == nil && found != nil && found.ObjectID() == o.ObjectID()
}

// splitName reads a qualified name as regclass does: folded, but where quoted.
func splitName(text string) []string {
	var out []string
	for text = strings.TrimSpace(text); ; {
		var part string
		if strings.HasPrefix(text, `"`) {
			end := closingQuote(text)
			if end < 0 {
				return nil
			}
			part, text = strings.ReplaceAll(text[1:end], `""`, `"`), text[end+1:]
		} else {
			end := strings.IndexByte(text, '.')
			if end < 0 {
				end = len(text)
			}
			part, text = strings.ToLower(text[:end]), text[end:]
		}
		if part == "" {
			return nil
		}
		out = append(out, part)
		if text == "" {
			return out
		}
		if text[0] != '.' {
			return nil
		}
		text = text[1:]
	}
}

// closingQuote is the place of the quote that ends a quoted identifier, -1 if there is none.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}

// qualifyLiterals writes the schema of sequences into the literals that name
// them, so that the text means the same under another search path.
func (s *statement) qualifyLiterals(node any) {
	s.qualifyTypes(node)
	ast.Walk(node, func(n any) bool {
		k := sequenceLiteral(n)
		if k == nil {
			return true
		}
		if names := splitName(k.Text); names != nil {
			if o, err := s.relation(rangeVar(names)); err == nil && o != nil {
				k.Text = qualifiedName(nameOf(o))
			}
		}
		return true
	})
}
