package ast

import "reflect"

// Children calls visit for each expression, statement and FROM item directly
// below node, in the order of the fields.
func Children(node any, visit func(child any)) {
	v := reflect.ValueOf(node)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		fields(v.Elem(), visit)
	}
}

// Walk calls visit for node and, while it returns true, for everything below it.
func Walk(node any, visit func(node any) bool) {
	if visit(node) {
		Children(node, func(child any) { Walk(child, visit) })
	}
}

func fields(v reflect.Value, visit func(any)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fields(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fields(v.Index(i), visit)
		}
	case reflect.Interface:
		if !v.IsNil() {
			fields(v.Elem(), visit)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch n := v.Interface().(type) {
		case Expr, Stmt, FromItem:
			visit(n)
		default: // With, Window, Frame and the like are no nodes of their own
			fields(v.Elem(), visit)
		}
	}
}
