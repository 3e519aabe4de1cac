package expr

import (
	"hash/fnv"
	"slices"
	"sync"

	"github.com/akidb/akidb/internal/types"
)

// The lists of families: each family file adds its slice here, one line each.
// They are filled in init, not in the declaration, because functions look
// other functions up and Go would call that an initialization cycle.
var (
	families         [][]*Function
	operatorFamilies [][]*Operator
	castFamilies     [][]CastRow
)

func init() {
	families = [][]*Function{
		likeFunctions,
		plainAggregates,
		sumAggregates,
		statisticAggregates,
		listAggregates,
		orderedAggregates,
		windowFunctions,
		vectorFunctions,
		distanceFunctions,
		vectorCompareFunctions,
		vectorAggregates,
		stringFunctions,
		stringListFunctions,
		quoteFunctions,
		byteFunctions,
		unicodeFunctions,
		regexFunctions,
		mathFunctions,
		trigFunctions,
		randomFunctions,
		bucketFunctions,
		clockFunctions,
		timeFunctions,
		makeTimeFunctions,
		zoneFunctions,
		overlapsFunctions,
		partFunctions,
		truncFunctions,
		formatTimeFunctions,
		formatNumberFunctions,
		parseTimeFunctions,
		systemFunctions,
		lockFunctions,
		sequenceFunctions,
		tierFunctions,
		sizeFunctions,
		catalogFunctions,
		describeFunctions,
		procedureFunctions,
		privilegeFunctions,
		arrayFunctions,
		seriesFunctions,
		jsonReadFunctions,
		jsonRowFunctions,
		jsonBuildFunctions,
		jsonbEditFunctions,
		jsonPathFunctions,
		jsonRecordFunctions,
		enumFunctions,
		jsonPopulateFunctions,
	}
	operatorFamilies = [][]*Operator{
		integerOperators,
		floatOperators,
		numericOperators,
		comparisonOperators,
		textOperatorRows,
		bitOperators,
		arrayOperators,
		timeOperators,
		vectorOperators,
		jsonGetOperators,
		jsonbContainOperators,
		jsonbEditOperators,
		jsonPathOperators,
	}
	castFamilies = [][]CastRow{
		vectorCasts,
		numberCasts,
		oidCasts,
		textCasts,
		timeCasts,
		bitCasts,
		jsonCasts,
	}
}

// castKey names a row of pg_cast.
type castKey struct{ source, target types.OID }

// operatorKey names a row of pg_operator but for its schema.
type operatorKey struct {
	name        string
	left, right types.OID
}

// registry is the three tables with their indexes. It is built once, at the
// first look-up.
type registry struct {
	functions       []*Function
	functionsByName map[string][]*Function
	operators       []*Operator
	operatorsByName map[string][]*Operator
	operatorsByKey  map[operatorKey]*Operator
	casts           []CastRow
	castsByKey      map[castKey]*CastRow
}

var tables = sync.OnceValue(buildRegistry)

func buildRegistry() *registry {
	r := &registry{
		functionsByName: map[string][]*Function{},
		operatorsByName: map[string][]*Operator{},
		operatorsByKey:  map[operatorKey]*Operator{},
		castsByKey:      map[castKey]*CastRow{},
	}
	seen := map[*Function]bool{}
	add := func(f *Function) {
		if f == nil || f.Name == "" || seen[f] {
			return
		}
		seen[f] = true
		if r.has(f) {
			return // an operator or cast over a function that a family lists
		}
		r.functions = append(r.functions, f)
		r.functionsByName[f.Name] = append(r.functionsByName[f.Name], f)
	}
	for _, family := range families {
		for _, f := range family {
			add(f)
		}
	}
	for _, family := range operatorFamilies {
		for _, o := range family {
			add(o.Func)
			r.operators = append(r.operators, o)
			r.operatorsByName[o.Name] = append(r.operatorsByName[o.Name], o)
			r.operatorsByKey[operatorKey{o.Name, o.Left, o.Right}] = o
		}
	}
	for _, family := range castFamilies {
		for _, c := range family {
			add(c.Func)
			r.casts = append(r.casts, c)
		}
	}
	for i := range r.casts {
		c := &r.casts[i]
		r.castsByKey[castKey{c.Source, c.Target}] = c
	}
	assignOIDs(r)
	return r
}

// has says whether the table has a function of this name and arguments.
func (r *registry) has(f *Function) bool {
	return slices.ContainsFunc(r.functionsByName[f.Name], func(o *Function) bool {
		return o.Schema == f.Schema && slices.Equal(o.Args, f.Args)
	})
}

// The object ids of functions and operators that PostgreSQL does not have lie
// between those of the types and types.FirstUserOID.
const (
	firstOwnOID types.OID = 16500
	lastOwnOID            = types.FirstUserOID - 1
)

// assignOIDs gives every row without an object id one that follows from its
// name and arguments, so that it is the same in every process.
func assignOIDs(r *registry) {
	used := map[types.OID]bool{}
	for _, f := range r.functions {
		used[f.OID] = true
	}
	for _, f := range r.functions {
		if f.OID == 0 {
			f.OID = ownOID(used, "f:"+f.Schema+"."+f.Name, f.Args...)
		}
	}
	clear(used)
	for _, o := range r.operators {
		used[o.OID] = true
	}
	for _, o := range r.operators {
		if o.OID == 0 {
			o.OID = ownOID(used, "o:"+o.Name, o.Left, o.Right)
		}
	}
}

func ownOID(used map[types.OID]bool, name string, args ...types.OID) types.OID {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	for _, a := range args {
		_, _ = h.Write([]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
	}
	oid := firstOwnOID + types.OID(h.Sum32())%(lastOwnOID-firstOwnOID)
	for used[oid] {
		if oid++; oid > lastOwnOID {
			oid = firstOwnOID
		}
	}
	used[oid] = true
	return oid
}

// Functions returns the whole function table, aggregates and window functions included.
func Functions() []*Function { return slices.Clone(tables().functions) }

// Operators returns the operator table.
func Operators() []*Operator { return slices.Clone(tables().operators) }

// Casts returns the cast table.
func Casts() []CastRow { return slices.Clone(tables().casts) }

// FunctionsNamed returns the functions of a name in the order of the table.
func FunctionsNamed(name string) []*Function { return tables().functionsByName[name] }

// FindOperator finds the exact row of the operator table.
func FindOperator(name string, left, right types.OID) (*Operator, bool) {
	o, ok := tables().operatorsByKey[operatorKey{name, left, right}]
	return o, ok
}

// FindCast finds the row of the cast table from source to target.
func FindCast(source, target types.OID) (*CastRow, bool) {
	c, ok := tables().castsByKey[castKey{source, target}]
	return c, ok
}

// evalFunc computes a scalar function; see Function.Eval.
type evalFunc = func(ctx *Context, args []types.Datum) (types.Datum, error)

// scalar is a strict immutable function, the common row of a family's table.
func scalar(name string, result types.OID, eval evalFunc, args ...types.OID) *Function {
	return &Function{Name: name, Args: args, Result: result, Volatility: Immutable, Eval: eval}
}

// binary is the row of a binary operator over a strict immutable function with
// the name that pg_operator.oprcode gives.
func binary(name string, left, right, result types.OID, code string, eval evalFunc) *Operator {
	return &Operator{Name: name, Left: left, Right: right, Result: result, Func: scalar(code, result, eval, left, right)}
}

// prefix is the row of a prefix operator.
func prefix(name string, right, result types.OID, code string, eval evalFunc) *Operator {
	return &Operator{Name: name, Right: right, Result: result, Func: scalar(code, result, eval, right)}
}

// with sets the commutator and negator of o.
func (o *Operator) with(commutator, negator string) *Operator {
	o.Commutator, o.Negator = commutator, negator
	return o
}
