package sql

import "strings"

// tokenKind is the class of a token; only what splitting, the guard and our own grammar need is told apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenQuoted
	tokenString
	tokenNumber
	tokenParam
	tokenOperator
	tokenOpen
	tokenClose
	tokenComma
	tokenSemicolon
	tokenDot
	tokenCast
	tokenOther
)

// token is s[start:end] of the scanned text.
type token struct {
	kind       tokenKind
	start, end int
	weight     int // operators: how many PostgreSQL's lexer may make of this run
}

// scanner follows PostgreSQL's lexer (scan.l) closely enough that no operator,
// quote or bracket can hide from the guard. Where it is not exact it sees more
// operators than PostgreSQL, never fewer.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) next() token {
	s.skipBlank()
	if s.pos >= len(s.text) {
		return token{kind: tokenEnd, start: len(s.text), end: len(s.text)}
	}
	start := s.pos
	kind, weight := s.scan(s.text[start])
	return token{kind: kind, start: start, end: s.pos, weight: weight}
}

func (s *scanner) scan(c byte) (tokenKind, int) {
	switch {
	case isIdentStart(c):
		return s.word(), 0
	case isDigit(c):
		s.number()
		return tokenNumber, 0
	case isOperatorByte(c):
		return tokenOperator, s.operator()
	}
	s.pos++
	switch c {
	case '\'':
		s.quoted('\'')
		return tokenString, 0
	case '"':
		s.quoted('"')
		return tokenQuoted, 0
	case '(', '[':
		return tokenOpen, 0
	case ')', ']':
		return tokenClose, 0
	case ',':
		return tokenComma, 0
	case ';':
		return tokenSemicolon, 0
	case '.':
		return tokenDot, 0
	case '$':
		return s.dollar(), 0
	case ':':
		if s.peek(0) == ':' {
			s.pos++
			return tokenCast, 0
		}
	}
	return tokenOther, 0
}

func (s *scanner) peek(ahead int) byte {
	if s.pos+ahead < len(s.text) {
		return s.text[s.pos+ahead]
	}
	return 0
}

// skipBlank skips white space and comments.
func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case isSpace(c):
			s.pos++
		case c == '-' && s.peek(1) == '-':
			s.skipLine()
		case c == '/' && s.peek(1) == '*':
			s.skipBlock()
		default:
			return
		}
	}
}

func (s *scanner) skipLine() {
	for s.pos < len(s.text) && s.text[s.pos] != '\n' && s.text[s.pos] != '\r' {
		s.pos++
	}
}

// skipBlock skips a block comment; they nest.
func (s *scanner) skipBlock() {
	depth := 0
	for s.pos < len(s.text) {
		switch {
		case s.text[s.pos] == '/' && s.peek(1) == '*':
			depth++
			s.pos += 2
		case s.text[s.pos] == '*' && s.peek(1) == '/':
			depth--
			s.pos += 2
			if depth == 0 {
				return
			}
		default:
			s.pos++
		}
	}
}

func (s *scanner) word() tokenKind {
	start := s.pos
	for s.pos < len(s.text) && isIdentByte(s.text[s.pos]) {
		s.pos++
	}
	if s.pos-start == 1 && s.text[start]|0x20 == 'e' && s.peek(0) == '\'' {
		s.pos++
		s.escaped()
		return tokenString
	}
	return tokenWord
}

// quoted skips to the end of a quoted text whose quote is escaped by doubling;
// a doubled quote is simply two adjacent quoted texts in one token.
func (s *scanner) quoted(quote byte) {
	for {
		n := strings.IndexByte(s.text[s.pos:], quote)
		if n < 0 {
			s.pos = len(s.text)
			return
		}
		s.pos += n + 1
		if s.peek(0) != quote {
			return
		}
		s.pos++
	}
}

// escaped skips an E'…' string with its continuations on further lines, which
// keep the escapes.
func (s *scanner) escaped() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case '\\':
			s.pos += 2
		case '\'':
			s.pos++
			if s.peek(0) == '\'' {
				s.pos++
			} else if !s.continued() {
				return
			}
		default:
			s.pos++
		}
	}
	s.pos = len(s.text)
}

// continued moves behind the opening quote of a string's continuation, if there is one.
func (s *scanner) continued() bool {
	saved, newline := s.pos, false
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '\n' || c == '\r':
			newline = true
			s.pos++
		case isSpace(c):
			s.pos++
		case c == '-' && s.peek(1) == '-':
			s.skipLine()
		case c == '\'' && newline:
			s.pos++
			return true
		default:
			s.pos = saved
			return false
		}
	}
	s.pos = saved
	return false
}

// number skips a numeric literal, with an exponent only behind decimal digits:
// 0x1e+1 is an addition.
func (s *scanner) number() {
	if s.text[s.pos] == '0' && (s.peek(1)|0x20 == 'x' || s.peek(1)|0x20 == 'o' || s.peek(1)|0x20 == 'b') {
		s.pos += 2
		for s.pos < len(s.text) && (isDigit(s.text[s.pos]) || isLetter(s.text[s.pos]) || s.text[s.pos] == '_') {
			s.pos++
		}
		return
	}
	s.digits()
	if s.peek(0) == '.' && isDigit(s.peek(1)) {
		s.pos++
		s.digits()
	}
	if s.peek(0)|0x20 != 'e' {
		return
	}
	if isDigit(s.peek(1)) || ((s.peek(1) == '+' || s.peek(1) == '-') && isDigit(s.peek(2))) {
		s.pos += 2
		s.digits()
	}
}

func (s *scanner) digits() {
	for s.pos < len(s.text) && (isDigit(s.text[s.pos]) || (s.text[s.pos] == '_' && isDigit(s.peek(1)))) {
		s.pos++
	}
}

// dollar skips $1 or $tag$…$tag$; the first $ is already behind.
func (s *scanner) dollar() tokenKind {
	if isDigit(s.peek(0)) {
		s.digits()
		return tokenParam
	}
	end := s.pos
	if end < len(s.text) && isIdentStart(s.text[end]) {
		for end < len(s.text) && isIdentByte(s.text[end]) && s.text[end] != '$' {
			end++
		}
	}
	if end >= len(s.text) || s.text[end] != '$' {
		return tokenOther
	}
	tag := s.text[s.pos-1 : end+1]
	n := strings.Index(s.text[end+1:], tag)
	if n < 0 {
		s.pos = len(s.text)
		return tokenString
	}
	s.pos = end + 1 + n + len(tag)
	return tokenString
}

// operator skips a run of operator characters, which ends before a comment, and
// returns how many operators PostgreSQL may see: a run that ends in + or - and
// has none of the special characters falls apart into single ones.
func (s *scanner) operator() int {
	start, special := s.pos, false
	for s.pos < len(s.text) && isOperatorByte(s.text[s.pos]) {
		if s.pos > start && (s.text[s.pos] == '-' && s.peek(1) == '-' || s.text[s.pos] == '/' && s.peek(1) == '*') {
			break
		}
		special = special || isSpecialOperatorByte(s.text[s.pos])
		s.pos++
	}
	last := s.text[s.pos-1]
	if !special && (last == '+' || last == '-') {
		return s.pos - start
	}
	return 1
}

func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isIdentStart(c byte) bool { return isLetter(c) || c == '_' || c >= 0x80 }

func isIdentByte(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }

func isOperatorByte(c byte) bool {
	switch c {
	case '+', '-', '*', '/', '<', '>', '=':
		return true
	}
	return isSpecialOperatorByte(c)
}

func isSpecialOperatorByte(c byte) bool {
	switch c {
	case '~', '!', '@', '#', '%', '^', '&', '|', '`', '?':
		return true
	}
	return false
}
