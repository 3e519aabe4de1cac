package sql

import (
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// words reads leading tokens of a statement for our own grammar. The first
// error sticks.
type words struct {
	scan scanner
	tok  token
	err  error
}

func newWords(text string) *words {
	w := &words{scan: scanner{text: text}}
	w.advance()
	return w
}

func (w *words) advance() { w.tok = w.scan.next() }

func (w *words) text() string { return w.scan.text[w.tok.start:w.tok.end] }

func (w *words) is(word string) bool {
	return w.tok.kind == tokenWord && strings.EqualFold(w.text(), word)
}

// accept moves over the given words in a row, or over nothing.
func (w *words) accept(list ...string) bool {
	saved := *w
	for _, word := range list {
		if !w.is(word) {
			*w = saved
			return false
		}
		w.advance()
	}
	return true
}

func (w *words) expect(word string) {
	if !w.accept(word) {
		w.fail()
	}
}

// fail notes a syntax error at the current token.
func (w *words) fail() {
	if w.err != nil {
		return
	}
	pos := charPosition(w.scan.text, w.tok.start)
	if w.tok.kind == tokenEnd {
		w.err = pgerr.New(pgerr.SyntaxError, "syntax error at end of input").At(pos)
		return
	}
	w.err = pgerr.Newf(pgerr.SyntaxError, `syntax error at or near "%s"`, w.text()).At(pos)
}

// end demands that the statement ends here.
func (w *words) end() {
	if w.tok.kind != tokenEnd && w.tok.kind != tokenSemicolon {
		w.fail()
	}
}

// name reads an identifier, folded as PostgreSQL folds it.
func (w *words) name() string {
	text := w.text()
	switch w.tok.kind {
	case tokenWord:
		text = strings.ToLower(text)
		if keywordCategories[text] == Reserved {
			w.fail()
		}
	case tokenQuoted:
		if len(text) < 2 || text[len(text)-1] != '"' {
			w.fail()
			return ""
		}
		text = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	default:
		w.fail()
		return ""
	}
	w.advance()
	return text
}

// table reads [schema.]name.
func (w *words) table() *ast.RangeVar {
	v := &ast.RangeVar{Pos: charPosition(w.scan.text, w.tok.start)}
	v.Name = w.name()
	for w.tok.kind == tokenDot && w.err == nil {
		w.advance()
		v.Catalog, v.Schema, v.Name = v.Schema, v.Name, w.name()
	}
	return v
}

// parseDialect parses what PostgreSQL's grammar has not. It returns a
// statement, or the text to give to PostgreSQL's parser: the same, or with the
// word COLLECTION written TABLE and padded so that all positions stay.
func parseDialect(text string) (ast.Stmt, string, error) {
	w := newWords(text)
	if w.tok.kind != tokenWord {
		return nil, text, nil
	}
	switch strings.ToLower(w.text()) {
	case "create", "drop", "restore":
		return w.createOrDrop()
	case "alter":
		return w.alter()
	case "truncate":
		w.advance()
		if w.nameFollows() {
			return nil, w.asTable(), nil
		}
	case "comment":
		w.accept("comment", "on")
		return nil, w.asTable(), nil
	}
	return nil, text, nil
}

// nameFollows says whether a name comes after the current token, which then is
// no table's name itself (TRUNCATE collection).
func (w *words) nameFollows() bool {
	next := *w
	next.advance()
	switch next.tok.kind {
	case tokenQuoted:
		return true
	case tokenWord:
		switch strings.ToLower(next.text()) {
		case "restart", "continue", "cascade", "restrict":
			return false
		}
		return true
	}
	return false
}

// asTable returns the text with COLLECTION at the current token written TABLE.
func (w *words) asTable() string {
	text := w.scan.text
	if !w.is("collection") {
		return text
	}
	return text[:w.tok.start] + "TABLE     " + text[w.tok.end:]
}

func (w *words) createOrDrop() (ast.Stmt, string, error) {
	action := strings.ToUpper(w.text())
	w.advance()
	if w.accept("snapshot") {
		stmt := w.snapshot(action)
		return stmt, "", w.err
	}
	if action == "CREATE" && !w.accept("temporary") && !w.accept("temp") {
		w.accept("unlogged")
	}
	return nil, w.asTable(), nil
}

// snapshot reads CREATE SNAPSHOT [IF NOT EXISTS] n OF t, DROP SNAPSHOT [IF EXISTS] n [, …]
// and RESTORE SNAPSHOT n [AS t].
func (w *words) snapshot(action string) ast.Stmt {
	s := &ast.Snapshot{Action: action}
	switch action {
	case "DROP":
		s.IfExists = w.accept("if", "exists")
	case "CREATE":
		s.IfNotExists = w.accept("if", "not", "exists")
	}
	s.Name = w.name()
	switch action {
	case "CREATE":
		w.expect("of")
		s.Table = w.table()
	case "RESTORE":
		if w.accept("as") {
			s.Table = w.table()
		}
	case "DROP":
		for w.tok.kind == tokenComma && w.err == nil {
			w.advance()
			s.More = append(s.More, w.name())
		}
	}
	w.end()
	return s
}

func (w *words) alter() (ast.Stmt, string, error) {
	w.advance()
	if !w.is("collection") {
		return nil, w.scan.text, nil
	}
	rewritten := w.asTable()
	w.advance()
	a := &ast.AlterCollection{IfExists: w.accept("if", "exists")}
	a.Table = w.table()
	switch {
	case w.accept("pin"):
		a.Action = "PIN"
	case w.accept("unpin"):
		a.Action = "UNPIN"
	case w.accept("cancel"):
		a.Action = "CANCEL"
	case w.accept("set", "tier"):
		a.Action = "SET TIER"
		a.Tier = w.tier()
		a.Wait = w.accept("wait")
	default:
		return nil, rewritten, nil
	}
	w.end()
	return a, "", w.err
}

// tier reads hot, warm or cold, as a word or as a string.
func (w *words) tier() string {
	pos := charPosition(w.scan.text, w.tok.start)
	word := w.text()
	switch w.tok.kind {
	case tokenWord:
	case tokenString:
		word = strings.Trim(word, "'")
	default:
		w.fail()
		return ""
	}
	w.advance()
	switch tier := strings.ToLower(word); tier {
	case "hot", "warm", "cold":
		return tier
	}
	if w.err == nil {
		w.err = pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for parameter "tier": "%s"`, word).
			WithHint("Available values: hot, warm, cold.").At(pos)
	}
	return ""
}

// asCollection makes ALTER COLLECTION … SET (options), which went through
// PostgreSQL's grammar as ALTER TABLE, an AlterCollection.
func asCollection(stmt ast.Stmt, collection bool) ast.Stmt {
	alter, ok := stmt.(*ast.AlterTable)
	if !collection || !ok || len(alter.Actions) != 1 || alter.Actions[0].Op != "SET OPTIONS" || alter.Actions[0].Name != "" {
		return stmt
	}
	return &ast.AlterCollection{Table: alter.Table, IfExists: alter.IfExists, Action: "SET", Options: alter.Actions[0].Options}
}
