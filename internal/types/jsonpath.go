package types

import (
	"strconv"
)

// JSONPath is a parsed jsonpath expression.
type JSONPath struct {
	Strict bool
	Root   *JSONPathItem
}

// JSONPathOp is what an item of a path does.
type JSONPathOp uint8

// The items. Operators stand in the order of their priorities.
const (
	PathNull JSONPathOp = iota
	PathBool
	PathNumber
	PathString
	PathVariable
	PathRoot
	PathCurrent
	PathLast
	PathKey
	PathAnyKey
	PathAnyElement
	PathIndex
	PathAnyLevel
	PathFilter
	PathType
	PathSize
	PathAbs
	PathFloor
	PathCeiling
	PathDouble
	PathKeyValue
	PathDatetime
	PathExists
	PathNot
	PathIsUnknown
	PathLikeRegex
	PathOr
	PathAnd
	PathEqual
	PathNotEqual
	PathLess
	PathGreater
	PathLessEqual
	PathGreaterEqual
	PathStartsWith
	PathAdd
	PathSub
	PathMul
	PathDiv
	PathMod
	PathPlus
	PathMinus
)

// pathWords are the spellings of operators and methods.
var pathWords = map[JSONPathOp]string{
	PathOr: "||", PathAnd: "&&", PathEqual: "==", PathNotEqual: "!=", PathLess: "<", PathGreater: ">", PathLessEqual: "<=",
	PathGreaterEqual: ">=", PathStartsWith: "starts with", PathAdd: "+", PathSub: "-", PathMul: "*", PathDiv: "/", PathMod: "%",
	PathPlus: "+", PathMinus: "-", PathType: "type", PathSize: "size", PathAbs: "abs", PathFloor: "floor", PathCeiling: "ceiling",
	PathDouble: "double", PathKeyValue: "keyvalue", PathDatetime: "datetime",
}

// String is the operator or the method's name.
func (op JSONPathOp) String() string { return pathWords[op] }

// JSONPathItem is one step of a path, or an operator over paths. Next is the
// step that follows.
type JSONPathItem struct {
	Op     JSONPathOp
	Bool   bool
	Number *Numeric
	// Text is a key, a string, a variable's name, the pattern of like_regex or
	// the template of datetime; Flags are those of like_regex.
	Text, Flags string
	// Left and Right are the operands; a unary operator has Left alone.
	Left, Right *JSONPathItem
	Indexes     []JSONPathRange
	// First and Last are the levels of .**; LastLevel is "last".
	First, Last int64
	Next        *JSONPathItem
}

// LastLevel is the level that .**{… to last} names.
const LastLevel = 1<<32 - 1

// JSONPathRange is a subscript: From alone, or From to To.
type JSONPathRange struct{ From, To *JSONPathItem }

// Predicate tells whether the item by itself is true, false or unknown.
func (it *JSONPathItem) Predicate() bool {
	return it.Op >= PathExists && it.Op <= PathStartsWith && it.Next == nil
}

func (op JSONPathOp) priority() int {
	switch {
	case op == PathOr:
		return 0
	case op == PathAnd:
		return 1
	case op >= PathEqual && op <= PathStartsWith:
		return 2
	case op == PathAdd || op == PathSub:
		return 3
	case op == PathMul || op == PathDiv || op == PathMod:
		return 4
	case op == PathPlus || op == PathMinus:
		return 5
	}
	return 6
}

// String prints the path as PostgreSQL does: keys quoted, the whole of an
// operator in parentheses.
func (p *JSONPath) String() string {
	var dst []byte
	if p.Strict {
		dst = append(dst, "strict "...)
	}
	return string(appendPath(dst, p.Root, true))
}

func appendPath(dst []byte, it *JSONPathItem, brackets bool) []byte {
	dst = appendPathItem(dst, it, brackets || it.Next != nil)
	for next := it.Next; next != nil; next = next.Next {
		dst = appendPathItem(dst, next, true)
	}
	return dst
}

func appendPathItem(dst []byte, it *JSONPathItem, brackets bool) []byte {
	switch it.Op {
	case PathNull:
		return append(dst, "null"...)
	case PathBool:
		return strconv.AppendBool(dst, it.Bool)
	case PathNumber:
		if it.Next != nil {
			return append(appendNumeric(append(dst, '('), it.Number), ')')
		}
		return appendNumeric(dst, it.Number)
	case PathString:
		return AppendJSONString(dst, it.Text)
	case PathVariable:
		return AppendJSONString(append(dst, '$'), it.Text)
	case PathRoot:
		return append(dst, '$')
	case PathCurrent:
		return append(dst, '@')
	case PathLast:
		return append(dst, "last"...)
	case PathKey:
		return AppendJSONString(append(dst, '.'), it.Text)
	case PathAnyKey:
		return append(dst, ".*"...)
	case PathAnyElement:
		return append(dst, "[*]"...)
	case PathIndex:
		return appendPathIndexes(dst, it)
	case PathAnyLevel:
		return appendPathLevels(dst, it)
	case PathFilter:
		return append(appendPath(append(dst, "?("...), it.Left, false), ')')
	case PathDatetime:
		dst = append(dst, ".datetime("...)
		if it.Left != nil {
			dst = AppendJSONString(dst, it.Left.Text)
		}
		return append(dst, ')')
	}
	if it.Op >= PathType && it.Op <= PathKeyValue {
		return append(append(append(dst, '.'), it.Op.String()...), "()"...)
	}
	return appendPathOperator(dst, it, brackets)
}

func appendPathIndexes(dst []byte, it *JSONPathItem) []byte {
	dst = append(dst, '[')
	for i, r := range it.Indexes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPath(dst, r.From, false)
		if r.To != nil {
			dst = appendPath(append(dst, " to "...), r.To, false)
		}
	}
	return append(dst, ']')
}

func appendPathLevels(dst []byte, it *JSONPathItem) []byte {
	dst = append(dst, ".**"...)
	if it.First == 0 && it.Last == LastLevel {
		return dst
	}
	dst = appendPathLevel(append(dst, '{'), it.First)
	if it.First != it.Last {
		dst = appendPathLevel(append(dst, " to "...), it.Last)
	}
	return append(dst, '}')
}

func appendPathLevel(dst []byte, level int64) []byte {
	if level == LastLevel {
		return append(dst, "last"...)
	}
	return strconv.AppendInt(dst, level, 10)
}

func appendPathOperator(dst []byte, it *JSONPathItem, brackets bool) []byte {
	switch it.Op {
	case PathExists:
		return append(appendPath(append(dst, "exists ("...), it.Left, false), ')')
	case PathNot:
		return append(appendPath(append(dst, "!("...), it.Left, false), ')')
	case PathIsUnknown:
		return append(appendPath(append(dst, '('), it.Left, false), ") is unknown"...)
	}
	operand := func(dst []byte, o *JSONPathItem) []byte {
		return appendPath(dst, o, o.Op.priority() <= it.Op.priority())
	}
	if brackets {
		dst = append(dst, '(')
	}
	switch {
	case it.Op == PathLikeRegex:
		dst = AppendJSONString(append(operand(dst, it.Left), " like_regex "...), it.Text)
		if it.Flags != "" {
			dst = AppendJSONString(append(dst, " flag "...), it.Flags)
		}
	case it.Right == nil:
		dst = operand(append(dst, it.Op.String()...), it.Left)
	default:
		dst = append(append(append(operand(dst, it.Left), ' '), it.Op.String()...), ' ')
		dst = operand(dst, it.Right)
	}
	if brackets {
		dst = append(dst, ')')
	}
	return dst
}
