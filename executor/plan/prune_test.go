package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
)

func text(s string) *string { return &s }

// partitioned is a catalog with a table of an integer and a text, divided by bounds.
func partitioned(strategy string, columns []int16, bounds []catalog.PartitionBound) (*Env, *catalog.Table) {
	root := &catalog.Table{ID: 20000, Schema: "public", Name: "p", Partitioned: &catalog.Partitioning{Strategy: strategy}}
	root.Columns = []catalog.Column{
		{Num: 1, Name: "a", Type: types.Int4OID, Typmod: types.NoTypmod}, {Num: 2, Name: "b", Type: types.TextOID, Typmod: types.NoTypmod},
	}
	for _, n := range columns {
		c := root.Columns[n-1]
		root.Partitioned.Keys = append(root.Partitioned.Keys, catalog.PartitionKey{Column: n, Type: c.Type, Typmod: c.Typmod})
	}
	cat := catalog.Empty().Apply(catalog.Put(root))
	for i := range bounds {
		child := &catalog.Table{
			ID: types.OID(20001 + i), Schema: "public", Name: fmt.Sprintf("p%d", i), Columns: root.Columns, Parent: root.ID, Bound: &bounds[i],
		}
		cat = cat.Apply(catalog.Put(child))
	}
	return &Env{Catalog: cat, Types: types.DefaultEnv()}, root
}

func limit(values ...any) (out []catalog.PartitionLimit) {
	for _, v := range values {
		switch v := v.(type) {
		case int8:
			out = append(out, catalog.PartitionLimit{Infinite: v})
		default:
			out = append(out, catalog.PartitionLimit{Value: fmt.Sprint(v)})
		}
	}
	return out
}

func TestAPartitionThatIsLeftOutHasNoRowThatPasses(t *testing.T) {
	const below, above = int8(-1), int8(1)
	tables := map[string]func() (*Env, *catalog.Table){
		"list": func() (*Env, *catalog.Table) {
			return partitioned("list", []int16{1}, []catalog.PartitionBound{
				{In: []*string{text("1"), text("2")}}, {In: []*string{text("5"), nil}}, {In: []*string{text("7")}}, {Default: true},
			})
		},
		"range": func() (*Env, *catalog.Table) {
			return partitioned("range", []int16{1}, []catalog.PartitionBound{
				{From: limit(below), To: limit(0)}, {From: limit(0), To: limit(4)}, {From: limit(4), To: limit(9)}, {Default: true},
			})
		},
		"range of two": func() (*Env, *catalog.Table) {
			return partitioned("range", []int16{1, 2}, []catalog.PartitionBound{
				{From: limit(below, below), To: limit(3, "b")}, {From: limit(3, "b"), To: limit(3, "d")}, {From: limit(3, "d"), To: limit(above, above)}, {Default: true},
			})
		},
		"hash": func() (*Env, *catalog.Table) {
			return partitioned("hash", []int16{1, 2}, []catalog.PartitionBound{
				{Modulus: 3, Remainder: 0}, {Modulus: 3, Remainder: 1}, {Modulus: 3, Remainder: 2},
			})
		},
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for name, make := range tables {
		t.Run(name, func(t *testing.T) {
			env, root := make()
			parts, err := NewPartitions(env, root)
			if err != nil {
				t.Fatal(err)
			}
			excluded := 0
			for range 3000 {
				where := randomWhere(rnd)
				b := newBinder(env, nil)
				cond, err := b.storedExpr(root, where, boolType)
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				keep, err := b.pruning(parts, conjuncts(expr.Fold(env.Types, cond))).Keep(nil, true)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range keep {
					if !k {
						excluded++
					}
				}
				for range 20 {
					row := randomPartRow(rnd)
					ec := &expr.Context{Row: row, Env: env.Types}
					eval := func(e expr.Expr, row types.Row) (types.Datum, error) {
						ec.Row = row
						return e.Eval(ec)
					}
					part, err := parts.Route(eval, row)
					if err != nil {
						t.Fatalf("row %v: %v", row, err)
					}
					passes, err := eval(cond, row)
					if err != nil {
						t.Fatal(err)
					}
					for i, c := range parts.Children() {
						if c == part && passes == true && !keep[i] {
							t.Fatalf("WHERE %s leaves out %s, where row %v lies", where, c.Table.Name, row)
						}
					}
				}
			}
			if excluded == 0 {
				t.Error("no condition ever left out a partition")
			}
		})
	}
}

func randomPartRow(rnd *rand.Rand) types.Row {
	row := types.Row{int64(rnd.IntN(12) - 1), string(rune('a' + rnd.IntN(5)))}
	if rnd.IntN(10) == 0 {
		row[0] = nil
	}
	if rnd.IntN(10) == 0 {
		row[1] = nil
	}
	return row
}

func randomWhere(rnd *rand.Rand) string {
	n := func() int { return rnd.IntN(12) - 1 }
	c := func() string { return "'" + string(rune('a'+rnd.IntN(5))) + "'" }
	one := func() string {
		switch rnd.IntN(9) {
		case 0:
			return fmt.Sprintf("a = %d", n())
		case 1:
			return fmt.Sprintf("a IN (%d, %d)", n(), n())
		case 2:
			return fmt.Sprintf("a %s %d", []string{"<", "<=", ">", ">="}[rnd.IntN(4)], n())
		case 3:
			return fmt.Sprintf("a BETWEEN %d AND %d", n(), n())
		case 4:
			return "a IS NULL"
		case 5:
			return "b = " + c()
		case 6:
			return fmt.Sprintf("b %s %s", []string{"<", "<=", ">", ">="}[rnd.IntN(4)], c())
		case 7:
			return "b IS NULL"
		}
		return "a = NULL"
	}
	where := one()
	for range rnd.IntN(3) {
		where += " AND " + one()
	}
	return where
}
