package sql

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/akidb/akidb/sql/ast"
)

// dump prints a tree in one line: type names and the fields that are not zero,
// expressions as SQL, positions left out.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v))
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value) {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case ast.Expr:
			b.WriteString(Deparse(x))
			return
		case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
			b.WriteString("{" + DeparseStmt(x.(ast.Stmt)) + "}")
			return
		case *ast.TypeName:
			p := &printer{}
			p.typeName(x)
			b.WriteString(p.String())
			return
		case *ast.RangeVar:
			p := &printer{}
			p.table(x)
			if x.Temp {
				p.write(" temp")
			}
			b.WriteString(p.String())
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		dumpValue(b, v.Elem())
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			dumpValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.Struct:
		dumpStruct(b, v)
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func dumpStruct(b *strings.Builder, v reflect.Value) {
	b.WriteString(v.Type().Name() + "(")
	first := true
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() || name == "Pos" || (name != "Text" && strings.HasSuffix(name, "Text")) {
			continue
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		b.WriteString(name + "=")
		dumpValue(b, v.Field(i))
	}
	b.WriteByte(')')
}
