package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// textJoin is string_agg over text.
type textJoin struct {
	any bool
	out strings.Builder
}

func (j *textJoin) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	if j.any && args[1] != nil {
		j.out.WriteString(args[1].(string))
	}
	j.any = true
	j.out.WriteString(args[0].(string))
	return nil
}

func (j *textJoin) Result() (types.Datum, error) {
	if !j.any {
		return nil, nil
	}
	return j.out.String(), nil
}

// byteJoin is string_agg over bytea.
type byteJoin struct {
	any bool
	out []byte
}

func (j *byteJoin) Add(args []types.Datum) error {
	if args[0] == nil {
		return nil
	}
	if j.any && args[1] != nil {
		j.out = append(j.out, args[1].([]byte)...)
	}
	j.any = true
	j.out = append(j.out, args[0].([]byte)...)
	return nil
}

func (j *byteJoin) Result() (types.Datum, error) {
	if !j.any {
		return nil, nil
	}
	return append([]byte{}, j.out...), nil
}

// arrayOfValues is array_agg over a scalar type; NULLs are elements too.
type arrayOfValues struct {
	elem  types.OID
	elems []types.Datum
}

func (a *arrayOfValues) Add(args []types.Datum) error {
	a.elems = append(a.elems, args[0])
	return nil
}

func (a *arrayOfValues) Result() (types.Datum, error) {
	if a.elems == nil {
		return nil, nil
	}
	return types.NewArray(a.elem, a.elems[:len(a.elems):len(a.elems)]), nil
}

// arrayOfArrays is array_agg over arrays: one more dimension.
type arrayOfArrays struct{ parts []types.Datum }

func (a *arrayOfArrays) Add(args []types.Datum) error {
	if args[0] == nil {
		return pgerr.New(pgerr.NullValueNotAllowed, "cannot accumulate null arrays")
	}
	array := args[0].(*types.Array)
	if len(array.Elems) == 0 {
		return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate empty arrays")
	}
	if len(a.parts) > 0 && !sameInts(a.parts[0].(*types.Array).Dims, array.Dims) {
		return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	}
	a.parts = append(a.parts, array)
	return nil
}

func (a *arrayOfArrays) Result() (types.Datum, error) {
	if len(a.parts) == 0 {
		return nil, nil
	}
	return nestArrays(a.parts[0].(*types.Array).Elem, a.parts)
}

var listAggregates = []*Function{
	simple("string_agg(text, text) text", func() *textJoin { return &textJoin{} }),
	simple("string_agg(bytea, bytea) bytea", func() *byteJoin { return &byteJoin{} }),
	aggregate("array_agg(anynonarray) anyarray", func(_ *Context, args []Type) Accumulator {
		a := &arrayOfValues{}
		if len(args) > 0 {
			a.elem = args[0].OID
		}
		return a
	}),
	simple("array_agg(anyarray) anyarray", func() *arrayOfArrays { return &arrayOfArrays{} }),
}
