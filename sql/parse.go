package sql

import (
	"errors"
	"runtime"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/sql/ast"
)

// parsing bounds the parses that run at once: each pins a thread while it is in C.
var parsing = make(chan struct{}, runtime.GOMAXPROCS(0))

// Parse returns the statements of a query string. Empty statements give none.
// An error anywhere fails the whole string, so nothing of it has been run; its
// position counts characters of the whole string.
func Parse(text string) ([]Statement, error) {
	if err := checkEncoding(text); err != nil {
		return nil, err
	}
	fragments, err := split(text)
	if err != nil {
		return nil, err
	}
	statements := make([]Statement, 0, len(fragments))
	offset, counted := 0, 0
	for _, f := range fragments {
		offset += utf8.RuneCountInString(text[counted:f.start])
		counted = f.start
		end := f.end
		if end < len(text) {
			end++ // with the semicolon, so that errors are found at it
		}
		tree, err := parseFragment(text[f.start:end])
		if err != nil {
			return nil, moveError(err, offset)
		}
		body := strings.TrimRight(text[f.start:f.end], " \t\n\r\v\f")
		statements = append(statements, Statement{Tree: tree, Text: body, Offset: offset})
	}
	return statements, nil
}

// parseFragment parses one statement; positions are relative to its text.
func parseFragment(text string) (ast.Stmt, error) {
	stmt, rewritten, err := parseDialect(text)
	if stmt != nil || err != nil {
		return stmt, err
	}
	tree, err := parseTree(rewritten)
	if err != nil {
		return nil, err
	}
	if len(tree.Stmts) != 1 {
		return nil, pgerr.New(pgerr.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	c := newConverter(rewritten)
	stmt = c.stmt(tree.Stmts[0].Stmt)
	if c.err != nil {
		return nil, c.err
	}
	return asCollection(stmt, rewritten != text), nil
}

// ParseExpr parses one expression, such as a stored default or check.
func ParseExpr(text string) (ast.Expr, error) {
	const prefix = "SELECT "
	if err := checkEncoding(text); err != nil {
		return nil, err
	}
	whole := prefix + text
	if _, err := split(whole); err != nil {
		return nil, err
	}
	tree, err := parseTree(whole)
	if err != nil {
		return nil, moveError(err, -len(prefix))
	}
	node := loneExpr(tree)
	if node == nil {
		return nil, pgerr.Newf(pgerr.SyntaxError, "syntax error in expression %s", QuoteLiteral(text))
	}
	c := newConverter(whole)
	c.base = -len(prefix)
	e := c.expr(node)
	if c.err != nil {
		return nil, c.err
	}
	return e, nil
}

// loneExpr returns the expression of a query that is SELECT expression and
// nothing else, or nil.
func loneExpr(tree *pg.ParseResult) *pg.Node {
	if len(tree.Stmts) != 1 {
		return nil
	}
	q := tree.Stmts[0].Stmt.GetSelectStmt()
	if q == nil || len(q.TargetList) != 1 || q.Op != pg.SetOperation_SETOP_NONE || q.IntoClause != nil || q.WhereClause != nil ||
		q.HavingClause != nil || q.LimitCount != nil || q.LimitOffset != nil ||
		len(q.FromClause)+len(q.GroupClause)+len(q.SortClause)+len(q.WindowClause)+len(q.LockingClause)+len(q.DistinctClause) > 0 {
		return nil
	}
	target := q.TargetList[0].GetResTarget()
	if target == nil || target.Name != "" {
		return nil
	}
	return target.Val
}

func parseTree(text string) (*pg.ParseResult, error) {
	parsing <- struct{}{}
	tree, err := pg.Parse(text)
	<-parsing
	if err != nil {
		return nil, parserError(err)
	}
	return tree, nil
}

// moveError shifts an error's position by so many characters.
func moveError(err error, by int) error {
	if e := pgerr.As(err); e != nil && e.Position > 0 && by != 0 {
		e.Position = max(e.Position+by, 1)
	}
	return err
}

// parserError gives an error of the parser its SQLSTATE, which pg_query drops.
func parserError(err error) error {
	var e *parser.Error
	if !errors.As(err, &e) {
		// Not from the parser, so from decoding a tree that is deeper than protobuf allows.
		return errTooDeep()
	}
	out := pgerr.New(parserErrorCode(e.Message), e.Message)
	if strings.HasPrefix(e.Message, "memory exhausted") {
		out = pgerr.As(errTooDeep())
	}
	return out.At(e.Cursorpos)
}

func parserErrorCode(message string) string {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("not yet implemented"), has("not yet supported"), has("not supported"), has("not implemented"):
		return pgerr.FeatureNotSupported
	case has("memory exhausted"):
		return pgerr.StatementTooComplex
	case has("invalid byte sequence"):
		return pgerr.CharacterNotInRepertoire
	case has("invalid Unicode escape"), has("invalid escape"):
		return pgerr.InvalidEscapeSequence
	case has("frame"):
		return pgerr.WindowingError
	case strings.HasSuffix(message, " is reserved"):
		return pgerr.ReservedName
	case has("precision"), has("out of range"):
		return pgerr.InvalidParameterValue
	}
	return pgerr.SyntaxError
}
