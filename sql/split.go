package sql

import (
	"github.com/akidb/akidb/internal/pgerr"
)

// fragment is one statement of a query string: text[start:end], and text[end]
// is the semicolon unless end is the end of the string.
type fragment struct{ start, end int }

// maxDepth caps the depth of the tree a statement can make, in operators; a
// bracket counts bracketDepth. The parser's own recursion on an 8 MB stack ends
// at about 25,000 operators, protobuf's at 10,000 messages (two an operator, six
// a subquery in brackets), so this leaves room on all of them and for our
// own recursion over the tree.
const (
	maxDepth     = 3000
	bracketDepth = 3
)

// frame is what is counted inside one bracket, CASE or BEGIN ATOMIC.
type frame struct {
	kind     byte // '(' , 'c' for CASE, 'b' for BEGIN ATOMIC, 0 for the statement
	ops      int  // operators since the last comma, AND, OR or clause
	joins    int  // joins since the last comma or SELECT
	setOps   int
	betweens int // BETWEENs that still wait for their AND
}

// splitter cuts a query string into statements and refuses, before the parser
// sees them, those whose tree would be too deep. It is one linear pass.
type splitter struct {
	scan      scanner
	frames    []frame
	depth     int
	fragments []fragment
	// afterDot is true behind a dot, where a keyword is a plain name.
	afterDot      bool
	afterBegin    bool
	afterDistinct bool
}

func split(text string) ([]fragment, error) {
	s := splitter{scan: scanner{text: text}, frames: make([]frame, 1, 16)}
	start, any := -1, false
	for {
		t := s.scan.next()
		if t.kind == tokenEnd {
			break
		}
		if t.kind == tokenSemicolon && s.atTop() {
			if any {
				s.fragments = append(s.fragments, fragment{start, t.start})
			}
			any = false
			s.reset()
			continue
		}
		if !any {
			start, any = t.start, true
		}
		s.count(t)
		if s.depth > maxDepth {
			return nil, errTooDeep()
		}
	}
	if any {
		s.fragments = append(s.fragments, fragment{start, len(text)})
	}
	return s.fragments, nil
}

func errTooDeep() error {
	return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded").
		WithHint("Break the statement into smaller parts: an expression may have up to %d operators, joins and set operations in a row, and %d nested parentheses.",
			maxDepth-1, maxDepth/bracketDepth-1)
}

// atTop tells whether a semicolon ends the statement here. A CASE that is open
// may be a mere label, so it does not count.
func (s *splitter) atTop() bool {
	for _, f := range s.frames[1:] {
		if f.kind != 'c' {
			return false
		}
	}
	return true
}

func (s *splitter) reset() {
	s.frames = append(s.frames[:0], frame{})
	s.depth = 0
	s.afterDot, s.afterBegin, s.afterDistinct = false, false, false
}

func (s *splitter) top() *frame { return &s.frames[len(s.frames)-1] }

func (s *splitter) push(kind byte) {
	s.frames = append(s.frames, frame{kind: kind})
	s.depth += bracketDepth
}

// pop closes the innermost frame of a kind and all frames inside it.
func (s *splitter) pop(kind byte) {
	for i := len(s.frames) - 1; i > 0; i-- {
		if s.frames[i].kind != kind {
			continue
		}
		for _, f := range s.frames[i:] {
			s.depth -= f.ops + f.joins + f.setOps + bracketDepth
		}
		s.frames = s.frames[:i]
		return
	}
}

func (s *splitter) op(n int) {
	s.top().ops += n
	s.depth += n
}

func (s *splitter) clearOps() {
	f := s.top()
	s.depth -= f.ops
	f.ops = 0
}

func (s *splitter) clearJoins() {
	f := s.top()
	s.depth -= f.joins
	f.joins = 0
}

func (s *splitter) count(t token) {
	afterDot := s.afterDot
	s.afterDot = t.kind == tokenDot
	if t.kind != tokenWord {
		s.afterBegin, s.afterDistinct = false, false
	}
	switch t.kind {
	case tokenOperator:
		s.op(t.weight)
	case tokenCast, tokenDot, tokenOther:
		s.op(1)
	case tokenOpen:
		if s.scan.text[t.start] == '[' {
			s.op(1)
		}
		s.push('(')
	case tokenClose:
		s.pop('(')
	case tokenComma:
		s.clearOps()
		s.clearJoins()
	case tokenWord:
		if !afterDot && t.end-t.start <= maxGuardWord {
			s.countWord(s.scan.text[t.start:t.end])
		}
	}
}

// maxGuardWord is the length of the longest word countWord knows.
const maxGuardWord = 9

// countWord counts keywords. Only reserved words may set a count back: any
// other could be a column's name, and hide a chain of operators.
func (s *splitter) countWord(word string) {
	var buf [maxGuardWord]byte
	for i := range len(word) {
		c := word[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	afterBegin, afterDistinctWord := s.afterBegin, s.afterDistinct
	s.afterBegin, s.afterDistinct = false, false
	switch string(buf[:len(word)]) {
	case "is", "isnull", "notnull", "in", "like", "ilike", "similar", "not", "collate", "at", "operator", "escape", "overlaps":
		s.op(1)
	case "between":
		s.op(1)
		s.top().betweens++
	case "and":
		if f := s.top(); f.betweens > 0 {
			f.betweens--
			return
		}
		s.clearOps()
	case "join":
		s.top().joins++
		s.depth++
		s.clearOps()
	case "union", "intersect", "except":
		s.top().setOps++
		s.depth++
		s.clearOps()
		s.clearJoins()
	case "or", "when", "then", "else", "where", "group", "having", "order", "limit", "offset", "on", "returning", "window":
		s.clearOps()
	case "select":
		s.clearOps()
		s.clearJoins()
	case "from":
		if !afterDistinctWord {
			s.clearOps()
		}
	case "case":
		s.push('c')
	case "end":
		if k := s.top().kind; k == 'c' || k == 'b' {
			s.pop(k)
		}
	case "distinct":
		s.afterDistinct = true
	case "begin":
		s.afterBegin = true
	case "atomic":
		if afterBegin {
			s.push('b')
		}
	}
}
