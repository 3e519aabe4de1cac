package types

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
)

// maxPathDepth bounds the nesting of a jsonpath expression.
const maxPathDepth = 1000

// pathParser is a recursive descent over the grammar of PostgreSQL's jsonpath.
type pathParser struct {
	pathLexer
	depth  int
	filter int // filters around: @ is allowed
	index  int // subscripts around: last is allowed
}

// ParseJSONPath reads a jsonpath expression.
func ParseJSONPath(s string) (*JSONPath, error) {
	p := pathParser{pathLexer: pathLexer{s: s}}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok == pathEnd {
		return nil, invalidSyntax("jsonpath", s)
	}
	path := &JSONPath{}
	if p.isWord("strict") || p.isWord("lax") {
		path.Strict = p.isWord("strict")
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	var err error
	if path.Root, err = p.or(); err != nil {
		return nil, err
	}
	if p.tok != pathEnd {
		return nil, p.unexpected()
	}
	return path, nil
}

func (p *pathParser) isWord(w string) bool {
	return p.tok == pathWord && strings.EqualFold(p.text, w)
}

func (p *pathParser) isPunct(s string) bool { return p.tok == pathPunct && p.text == s }

// expect reads over a punctuation mark.
func (p *pathParser) expect(s string) error {
	if !p.isPunct(s) {
		return p.unexpected()
	}
	return p.next()
}

func (p *pathParser) or() (*JSONPathItem, error) {
	if p.depth++; p.depth > maxPathDepth {
		return nil, stackTooDeep()
	}
	defer func() { p.depth-- }()
	return p.logic("||", PathOr, func() (*JSONPathItem, error) { return p.logic("&&", PathAnd, p.not) })
}

// logic reads predicates joined by an operator.
func (p *pathParser) logic(word string, op JSONPathOp, operand func() (*JSONPathItem, error)) (*JSONPathItem, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for p.isPunct(word) {
		if !left.Predicate() {
			return nil, p.unexpected()
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		if !right.Predicate() {
			return nil, p.unexpected()
		}
		left = &JSONPathItem{Op: op, Left: left, Right: right}
	}
	return left, nil
}

func (p *pathParser) not() (*JSONPathItem, error) {
	if !p.isPunct("!") {
		return p.comparison()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.isPunct("(") && !p.isWord("exists") {
		return nil, p.unexpected()
	}
	arg, err := p.primary()
	if err != nil {
		return nil, err
	}
	if !arg.Predicate() {
		return nil, p.unexpected()
	}
	return &JSONPathItem{Op: PathNot, Left: arg}, nil
}

var pathComparisons = map[string]JSONPathOp{
	"==": PathEqual, "!=": PathNotEqual, "<>": PathNotEqual, "<": PathLess, ">": PathGreater, "<=": PathLessEqual, ">=": PathGreaterEqual,
}

func (p *pathParser) comparison() (*JSONPathItem, error) {
	left, err := p.sum()
	if err != nil || left.Predicate() {
		return left, err
	}
	switch op, ok := pathComparisons[p.text]; {
	case ok && p.tok == pathPunct:
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		if right.Predicate() {
			return nil, p.unexpected()
		}
		return &JSONPathItem{Op: op, Left: left, Right: right}, nil
	case p.isWord("starts"):
		return p.startsWith(left)
	case p.isWord("like_regex"):
		return p.likeRegex(left)
	}
	return left, nil
}

func (p *pathParser) startsWith(left *JSONPathItem) (*JSONPathItem, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.isWord("with") {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	right := &JSONPathItem{Op: PathString, Text: p.text}
	switch p.tok {
	case pathQuoted:
	case pathVariable:
		right.Op = PathVariable
	default:
		return nil, p.unexpected()
	}
	return &JSONPathItem{Op: PathStartsWith, Left: left, Right: right}, p.next()
}

func (p *pathParser) likeRegex(left *JSONPathItem) (*JSONPathItem, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok != pathQuoted {
		return nil, p.unexpected()
	}
	it := &JSONPathItem{Op: PathLikeRegex, Left: left, Text: p.text}
	if err := p.next(); err != nil || !p.isWord("flag") {
		return it, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok != pathQuoted {
		return nil, p.unexpected()
	}
	for i := 0; i < len(p.text); i++ {
		if strings.IndexByte("ismxq", p.text[i]) < 0 {
			return nil, pgerr.New(pgerr.SyntaxError, "invalid input syntax for type jsonpath").
				WithDetail("Unrecognized flag character \"%s\" in LIKE_REGEX predicate.", p.text[i:i+1])
		}
	}
	// Flags print in one order, each once.
	for _, c := range "ismxq" {
		if strings.ContainsRune(p.text, c) {
			it.Flags += string(c)
		}
	}
	if strings.Contains(it.Flags, "x") && !strings.Contains(it.Flags, "q") {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "XQuery \"x\" flag (expanded regular expressions) is not implemented")
	}
	return it, p.next()
}

func (p *pathParser) sum() (*JSONPathItem, error) {
	return p.arithmetic(map[string]JSONPathOp{"+": PathAdd, "-": PathSub}, func() (*JSONPathItem, error) {
		return p.arithmetic(map[string]JSONPathOp{"*": PathMul, "/": PathDiv, "%": PathMod}, p.unary)
	})
}

func (p *pathParser) arithmetic(ops map[string]JSONPathOp, operand func() (*JSONPathItem, error)) (*JSONPathItem, error) {
	left, err := operand()
	if err != nil || left.Predicate() {
		return left, err
	}
	for p.tok == pathPunct {
		op, ok := ops[p.text]
		if !ok {
			break
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		if right.Predicate() {
			return nil, p.unexpected()
		}
		left = &JSONPathItem{Op: op, Left: left, Right: right}
	}
	return left, nil
}

func (p *pathParser) unary() (*JSONPathItem, error) {
	op := PathPlus
	switch {
	case p.isPunct("-"):
		op = PathMinus
	case !p.isPunct("+"):
		return p.primary()
	}
	if p.depth++; p.depth > maxPathDepth {
		return nil, stackTooDeep()
	}
	defer func() { p.depth-- }()
	if err := p.next(); err != nil {
		return nil, err
	}
	arg, err := p.unary()
	if err != nil {
		return nil, err
	}
	if arg.Predicate() {
		return nil, p.unexpected()
	}
	if arg.Op == PathNumber && arg.Next == nil {
		if op == PathMinus {
			arg.Number = NumericNeg(arg.Number)
		}
		return arg, nil
	}
	return &JSONPathItem{Op: op, Left: arg}, nil
}

// primary reads a value, a parenthesis or exists(…), and the steps after it.
func (p *pathParser) primary() (*JSONPathItem, error) {
	if p.isWord("exists") {
		return p.exists()
	}
	parenthesis := p.isPunct("(")
	head, err := p.atom()
	if err != nil {
		return nil, err
	}
	if parenthesis && head.Predicate() && p.isWord("is") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if !p.isWord("unknown") {
			return nil, p.unexpected()
		}
		return &JSONPathItem{Op: PathIsUnknown, Left: head}, p.next()
	}
	tail := head
	for tail.Next != nil {
		tail = tail.Next
	}
	for {
		step, err := p.step()
		if err != nil {
			return nil, err
		}
		if step == nil {
			return head, nil
		}
		tail.Next, tail = step, step
	}
}

func (p *pathParser) exists() (*JSONPathItem, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	arg, err := p.or()
	if err != nil {
		return nil, err
	}
	if arg.Predicate() {
		return nil, p.unexpected()
	}
	return &JSONPathItem{Op: PathExists, Left: arg}, p.expect(")")
}

func (p *pathParser) atom() (*JSONPathItem, error) {
	it := &JSONPathItem{Text: p.text}
	switch p.tok {
	case pathQuoted:
		it.Op = PathString
	case pathVariable:
		it.Op = PathVariable
	case pathInteger, pathDecimal:
		n, err := ParseNumeric(p.text)
		if err != nil {
			return nil, err
		}
		it.Op, it.Number, it.Text = PathNumber, n, ""
	case pathWord:
		if err := p.wordAtom(it); err != nil {
			return nil, err
		}
	case pathPunct:
		return p.punctAtom(it)
	default:
		return nil, p.unexpected()
	}
	return it, p.next()
}

func (p *pathParser) wordAtom(it *JSONPathItem) error {
	it.Text = ""
	switch {
	case p.text == "null":
		it.Op = PathNull
	case p.text == "true" || p.text == "false":
		it.Op, it.Bool = PathBool, p.text == "true"
	case p.isWord("last"):
		if p.index == 0 {
			return pathError("LAST is allowed only in array subscripts")
		}
		it.Op = PathLast
	default:
		return p.unexpected()
	}
	return nil
}

func (p *pathParser) punctAtom(it *JSONPathItem) (*JSONPathItem, error) {
	it.Text = ""
	switch p.text {
	case "$":
		it.Op = PathRoot
	case "@":
		if p.filter == 0 {
			return nil, pathError("@ is not allowed in root expressions")
		}
		it.Op = PathCurrent
	case "(":
		if err := p.next(); err != nil {
			return nil, err
		}
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	default:
		return nil, p.unexpected()
	}
	return it, p.next()
}

// step reads one accessor; nil when there is none.
func (p *pathParser) step() (*JSONPathItem, error) {
	switch {
	case p.isPunct("."):
		if err := p.next(); err != nil {
			return nil, err
		}
		return p.member()
	case p.isPunct("["):
		return p.subscript()
	case p.isPunct("?"):
		return p.filterStep()
	}
	return nil, nil
}

var pathMethods = map[string]JSONPathOp{
	"type": PathType, "size": PathSize, "abs": PathAbs, "floor": PathFloor, "ceiling": PathCeiling, "double": PathDouble,
	"keyvalue": PathKeyValue, "datetime": PathDatetime,
}

func (p *pathParser) member() (*JSONPathItem, error) {
	switch {
	case p.isPunct("*"):
		return &JSONPathItem{Op: PathAnyKey}, p.next()
	case p.isPunct("**"):
		return p.levels()
	case p.tok != pathWord && p.tok != pathQuoted:
		return nil, p.unexpected()
	}
	it := &JSONPathItem{Op: PathKey, Text: p.text}
	method, ok := pathMethods[strings.ToLower(p.text)]
	ok = ok && p.tok == pathWord
	if err := p.next(); err != nil || !ok || !p.isPunct("(") {
		return it, err
	}
	it = &JSONPathItem{Op: method}
	if err := p.next(); err != nil {
		return nil, err
	}
	if method == PathDatetime && p.tok == pathQuoted {
		it.Left = &JSONPathItem{Op: PathString, Text: p.text}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return it, p.expect(")")
}

func (p *pathParser) levels() (*JSONPathItem, error) {
	it := &JSONPathItem{Op: PathAnyLevel, Last: LastLevel}
	if err := p.next(); err != nil || !p.isPunct("{") {
		return it, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	var err error
	if it.First, err = p.level(); err != nil {
		return nil, err
	}
	it.Last = it.First
	if p.isWord("to") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if it.Last, err = p.level(); err != nil {
			return nil, err
		}
	}
	return it, p.expect("}")
}

func (p *pathParser) level() (int64, error) {
	if p.isWord("last") {
		return LastLevel, p.next()
	}
	if p.tok != pathInteger {
		return 0, p.unexpected()
	}
	n, err := strconv.ParseInt(p.text, 10, 32)
	if err != nil {
		return 0, outOfRange(p.text, "integer")
	}
	return n, p.next()
}

func (p *pathParser) subscript() (*JSONPathItem, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.isPunct("*") {
		if err := p.next(); err != nil {
			return nil, err
		}
		return &JSONPathItem{Op: PathAnyElement}, p.expect("]")
	}
	p.index++
	defer func() { p.index-- }()
	it := &JSONPathItem{Op: PathIndex}
	for {
		r, err := p.subscriptRange()
		if err != nil {
			return nil, err
		}
		it.Indexes = append(it.Indexes, r)
		if !p.isPunct(",") {
			return it, p.expect("]")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

func (p *pathParser) subscriptRange() (r JSONPathRange, err error) {
	if r.From, err = p.subscriptBound(); err != nil || !p.isWord("to") {
		return r, err
	}
	if err = p.next(); err != nil {
		return r, err
	}
	r.To, err = p.subscriptBound()
	return r, err
}

func (p *pathParser) subscriptBound() (*JSONPathItem, error) {
	it, err := p.or()
	if err != nil {
		return nil, err
	}
	if it.Predicate() {
		return nil, p.unexpected()
	}
	return it, nil
}

func (p *pathParser) filterStep() (*JSONPathItem, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	p.filter++
	defer func() { p.filter-- }()
	arg, err := p.or()
	if err != nil {
		return nil, err
	}
	if !arg.Predicate() {
		return nil, p.unexpected()
	}
	return &JSONPathItem{Op: PathFilter, Left: arg}, p.expect(")")
}
