package run

import (
	"fmt"
	"testing"

	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/types"
)

func TestAPresortedSortReadsNoMoreThanTheTiesOfTheLastRow(t *testing.T) {
	rng := seeded(t)
	for _, n := range []int{0, 1, 50, 2000} {
		first := []plan.SortKey{{Expr: col(0, types.Int8OID)}}
		keys := append(first, plan.SortKey{Expr: col(1, types.TextOID), Desc: true, NullsFirst: true}, plan.SortKey{Expr: col(2, types.Float8OID)})
		rows := naiveSort(sortableRows(rng, n), first)
		want := naiveSort(rows, keys)
		for _, limit := range []int{1, 7, 60, 1500} {
			child := valuesNode(sortOIDs, rows...)
			s := &plan.Sort{Info: info(sortOIDs...), Child: child, Keys: keys, Limit: num(int64(limit)), Presorted: 1}
			env := testEnv(t, nil, 1<<20)
			env.Analyze = true
			got, x, err := tryCollect(t, node(s), env)
			if err != nil {
				t.Fatal(err)
			}
			top := want[:min(limit, n)]
			sameOrder(t, fmt.Sprintf("top %d of %d", limit, n), got, top)
			most := 0
			for _, r := range rows {
				if len(top) == limit && types.Compare(types.Int8OID, orLast(r[0]), orLast(top[limit-1][0])) <= 0 {
					most++
				}
			}
			if read := x.Stats(child).Rows; len(top) == limit && read > int64(most)+1 {
				t.Errorf("top %d of %d: %d rows were read, %d suffice", limit, n, read, most+1)
			}
		}
	}
}

// orLast puts NULL after all numbers.
func orLast(d types.Datum) types.Datum {
	if d == nil {
		return int64(1 << 60)
	}
	return d
}
