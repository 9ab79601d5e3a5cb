package sakuli

import (
	"reflect"

	"github.com/grafana/sobek/ast"
)

// walk calls visit for each node below n, n itself first, in the order of the source.
// visit returns what to go down into: true is all of it.
func walk(n ast.Node, visit func(ast.Node) bool) {
	walkValue(reflect.ValueOf(n), map[any]bool{}, visit)
}

// walkValue goes through everything, since the syntax tree has no walker of its own.
func walkValue(v reflect.Value, seen map[any]bool, visit func(ast.Node) bool) {
	switch v.Kind() { //nolint:exhaustive // the rest holds no node
	case reflect.Interface:
		walkValue(v.Elem(), seen, visit)
	case reflect.Pointer:
		if v.IsNil() || seen[v.Interface()] {
			return
		}
		seen[v.Interface()] = true // declarations are in the tree twice
		if n, ok := reflect.TypeAssert[ast.Node](v); ok && !visit(n) {
			return
		}
		walkValue(v.Elem(), seen, visit)
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), seen, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if !v.Type().Field(i).IsExported() || v.Type().Field(i).Name == "DeclarationList" || v.Type().Field(i).Name == "File" {
				continue
			}
			if f.Kind() == reflect.Struct && f.CanAddr() {
				f = f.Addr() // an identifier is a value in some nodes
			}
			walkValue(f, seen, visit)
		}
	}
}
