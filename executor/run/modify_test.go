package run

import (
	"strings"
	"testing"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
)

// modifyFixture is table t(a bigint not null, b bigint check (b < 100), c generated as a + b).
type modifyFixture struct {
	rows  *fakeRows
	table *catalog.Table
	i8    types.OID
}

func newModifyFixture(rows ...types.Row) *modifyFixture {
	i8 := types.Int8OID
	f := &modifyFixture{rows: newFake(), table: testTable(1, i8, i8, i8), i8: i8}
	f.table.Columns[0].NotNull = true
	f.rows.uniques = []*catalog.Index{{ID: 5, Table: 1, Name: "t_pkey", Unique: true, Keys: []catalog.IndexKey{{Column: 1, Type: i8}}}}
	f.rows.add(f.table, rows...)
	return f
}

func (f *modifyFixture) modify(op string, child plan.Node) *plan.ModifyTable {
	return &plan.ModifyTable{Op: op, Table: f.table, Child: child, RowID: 3,
		Generated: []plan.Assignment{{Column: 3, Value: add(col(0, f.i8), col(1, f.i8))}},
		Checks:    []plan.CheckExpr{{Name: "t_b_check", Cond: less(col(1, f.i8), num(100))}}}
}

func (f *modifyFixture) values(rows ...types.Row) *plan.Values {
	return valuesNode([]types.OID{f.i8, f.i8, f.i8}, rows...)
}

// content is the table after the statement.
func (f *modifyFixture) content() []types.Row {
	f.rows.advance()
	var out []types.Row
	ft := f.rows.table(f.table)
	for _, id := range ft.ids {
		out = append(out, ft.rows[id])
	}
	return out
}

func (f *modifyFixture) run(t *testing.T, n *plan.ModifyTable, affected int64) []types.Row {
	t.Helper()
	rows, x, err := tryCollect(t, node(n), testEnv(t, f.rows, 0))
	if err != nil {
		t.Fatal(err)
	}
	if x.Affected() != affected {
		t.Errorf("%d rows affected, want %d", x.Affected(), affected)
	}
	return rows
}

func r3(a, b, c int64) types.Row { return types.Row{a, b, c} }

func TestInsertFillsDefaultsAndGeneratedColumns(t *testing.T) {
	f := newModifyFixture()
	n := f.modify("INSERT", f.values(types.Row{int64(1), nil, nil}, types.Row{int64(2), nil, nil}))
	n.Defaults = []expr.Expr{nil, num(10), nil}
	n.Returning = []expr.Expr{col(2, f.i8), col(0, f.i8)}
	n.Info = info(f.i8, f.i8)
	sameOrder(t, "RETURNING c, a", f.run(t, n, 2), []types.Row{{int64(11), int64(1)}, {int64(12), int64(2)}})
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 10, 11), r3(2, 10, 12)})
}

func TestInsertWithoutReturningGivesNoRows(t *testing.T) {
	f := newModifyFixture()
	if rows := f.run(t, f.modify("INSERT", f.values(r3(1, 1, 0))), 1); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func TestConstraintsNameTheFailingRow(t *testing.T) {
	for _, c := range []struct {
		row                   types.Row
		code, message, detail string
	}{
		{types.Row{nil, int64(5), nil}, pgerr.NotNullViolation,
			`null value in column "a" of relation "t" violates not-null constraint`, "Failing row contains (null, 5, null)."},
		{types.Row{int64(1), int64(100), nil}, pgerr.CheckViolation,
			`new row for relation "t" violates check constraint "t_b_check"`, "Failing row contains (1, 100, 101)."},
	} {
		f := newModifyFixture()
		_, _, err := tryCollect(t, node(f.modify("INSERT", f.values(c.row))), testEnv(t, f.rows, 0))
		e := pgerr.As(err)
		if e == nil || e.Code != c.code || e.Message != c.message || e.Detail != c.detail || e.Table != "t" {
			t.Errorf("got %+v", err)
		}
	}
	f := newModifyFixture()
	if rows := f.run(t, f.modify("INSERT", f.values(types.Row{int64(1), nil, nil})), 1); rows != nil {
		t.Error("a CHECK that is NULL must pass")
	}
}

func TestLongValuesAreClippedInMessages(t *testing.T) {
	if got := clip(strings.Repeat("é", 40)); got != strings.Repeat("é", 32)+"..." {
		t.Errorf("%q", got)
	}
	if got := clip(strings.Repeat("x", 64)); len(got) != 64 {
		t.Errorf("%q", got)
	}
}

func TestUpdateChangesEachRowOnce(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2), r3(2, 2, 4))
	twice := &plan.NestLoop{Info: info(f.i8, f.i8, f.i8, f.i8, f.i8), Left: scanNode(f.table, true, nil),
		Right: valuesNode([]types.OID{f.i8}, types.Row{int64(10)}, types.Row{int64(20)})}
	n := f.modify("UPDATE", twice)
	n.Set = []plan.Assignment{{Column: 2, Value: add(col(1, f.i8), col(4, f.i8))}}
	n.OtherOffset = 4
	n.Returning = []expr.Expr{col(1, f.i8), col(3, f.i8)}
	n.Info = info(f.i8, f.i8)
	sameOrder(t, "RETURNING b, other", f.run(t, n, 2), []types.Row{{int64(11), int64(10)}, {int64(12), int64(10)}})
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 11, 12), r3(2, 12, 14)})
}

func TestUpdateReadsTheColumnsThatItsScanLeftOut(t *testing.T) {
	f := newModifyFixture(r3(1, 7, 8))
	scan := scanNode(f.table, true, nil)
	scan.Cols = []int16{1}
	n := f.modify("UPDATE", scan)
	n.Set = []plan.Assignment{{Column: 1, Value: num(3)}}
	f.run(t, n, 1)
	sameOrder(t, "table", f.content(), []types.Row{r3(3, 7, 10)})
}

func TestAChangedRowIsLookedAtAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		locked   storage.LockedRow
		affected int64
		want     []types.Row
	}{
		{"still matches", storage.LockedRow{Outcome: storage.LockChanged, ID: 1, Row: r3(1, 4, 5)}, 1, []types.Row{r3(1, 5, 6)}},
		{"matches no more", storage.LockedRow{Outcome: storage.LockChanged, ID: 1, Row: r3(1, 60, 61)}, 0, []types.Row{r3(1, 1, 2)}},
		{"is gone", storage.LockedRow{Outcome: storage.LockDeleted}, 0, []types.Row{r3(1, 1, 2)}},
		{"is locked", storage.LockedRow{Outcome: storage.LockSkipped}, 0, []types.Row{r3(1, 1, 2)}},
	} {
		f := newModifyFixture(r3(1, 1, 2))
		f.rows.onLock = func(types.RowID) (storage.LockedRow, bool, error) { return c.locked, true, nil }
		n := f.modify("UPDATE", scanNode(f.table, true, nil))
		n.Set = []plan.Assignment{{Column: 2, Value: add(col(1, f.i8), num(1))}}
		n.Recheck = less(col(1, f.i8), num(50))
		f.run(t, n, c.affected)
		sameOrder(t, c.name, f.content(), c.want)
	}
}

func TestDeleteGivesTheOldRow(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2), r3(2, 2, 4))
	n := f.modify("DELETE", scanNode(f.table, true, less(col(0, f.i8), num(2))))
	n.Returning = []expr.Expr{col(2, f.i8)}
	n.Info = info(f.i8)
	sameOrder(t, "RETURNING", f.run(t, n, 1), []types.Row{{int64(2)}})
	sameOrder(t, "table", f.content(), []types.Row{r3(2, 2, 4)})
}

func TestOnConflictDoNothingSkipsTheRow(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2))
	n := f.modify("INSERT", f.values(r3(1, 9, 0), r3(2, 9, 0), r3(2, 8, 0)))
	n.Conflict = &plan.ConflictSpec{}
	f.run(t, n, 1)
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 1, 2), r3(2, 9, 11)})
}

func (f *modifyFixture) upsert(rows ...types.Row) *plan.ModifyTable {
	n := f.modify("INSERT", f.values(rows...))
	n.Conflict = &plan.ConflictSpec{DoUpdate: true,
		Set:   []plan.Assignment{{Column: 2, Value: add(col(1, f.i8), col(4, f.i8))}},
		Where: less(col(1, f.i8), num(50))}
	return n
}

func TestOnConflictDoUpdateSeesExistingAndExcluded(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2), r3(3, 60, 63))
	n := f.upsert(r3(1, 9, 0), r3(2, 5, 0), r3(3, 7, 0))
	n.Returning = []expr.Expr{col(1, f.i8)}
	n.Info = info(f.i8)
	sameOrder(t, "RETURNING", f.run(t, n, 2), []types.Row{{int64(10)}, {int64(5)}})
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 10, 11), r3(3, 60, 63), r3(2, 5, 7)})
}

func TestOnConflictRefusesARowASecondTime(t *testing.T) {
	for _, rows := range [][]types.Row{{r3(1, 1, 0), r3(1, 2, 0)}, {r3(2, 1, 0), r3(2, 2, 0)}} {
		f := newModifyFixture(r3(1, 1, 2))
		_, _, err := tryCollect(t, node(f.upsert(rows...)), testEnv(t, f.rows, 0))
		e := pgerr.As(err)
		if e == nil || e.Code != pgerr.CardinalityViolation || e.Hint == "" {
			t.Errorf("got %v", err)
		}
	}
}

func TestOnConflictTriesAgainWhenTheOtherRowIsGone(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2))
	f.rows.onLock = func(id types.RowID) (storage.LockedRow, bool, error) {
		f.rows.table(f.table).pending[id] = nil // deleted by somebody else
		return storage.LockedRow{Outcome: storage.LockDeleted}, true, nil
	}
	f.run(t, f.upsert(r3(1, 9, 0)), 1)
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 9, 10)})
}

func TestOnConflictUpdatesTheNewestVersion(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2))
	f.rows.onLock = func(id types.RowID) (storage.LockedRow, bool, error) {
		return storage.LockedRow{Outcome: storage.LockChanged, ID: id, Row: r3(1, 30, 31)}, true, nil
	}
	f.run(t, f.upsert(r3(1, 9, 0)), 1)
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 39, 40)})
}

func TestLockRowsBringsRowsUpToDate(t *testing.T) {
	f := newModifyFixture(r3(1, 1, 2), r3(2, 2, 4), r3(3, 3, 6), r3(4, 4, 8))
	f.rows.onLock = func(id types.RowID) (storage.LockedRow, bool, error) {
		return map[types.RowID]storage.LockedRow{
			1: {Outcome: storage.LockUnchanged, ID: 1},
			2: {Outcome: storage.LockChanged, ID: 9, Row: r3(2, 20, 22)},
			3: {Outcome: storage.LockChanged, ID: 3, Row: r3(3, 90, 93)},
			4: {Outcome: storage.LockSkipped},
		}[id], true, nil
	}
	n := &plan.LockRows{Info: info(f.i8, f.i8, f.i8, f.i8), Child: scanNode(f.table, true, nil),
		Locks: []plan.RowLockSpec{{Table: f.table, RowID: 3, Strength: storage.ForUpdate, Recheck: less(col(1, f.i8), num(50))}}}
	sameOrder(t, "locked", collect(t, node(n), testEnv(t, f.rows, 0)), []types.Row{{int64(1), int64(1), int64(2), int64(1)}, {int64(2), int64(20), int64(22), int64(9)}})
}

func TestAModifyingCTERunsEvenWhenNobodyReadsIt(t *testing.T) {
	f := newModifyFixture()
	p := &plan.Plan{Root: f.values(r3(7, 7, 7)),
		CTEs: []*plan.CTE{{Name: "w", Root: f.modify("INSERT", f.values(r3(1, 1, 0))), Modifies: true}}}
	sameOrder(t, "main query", collect(t, p, testEnv(t, f.rows, 0)), []types.Row{r3(7, 7, 7)})
	sameOrder(t, "table", f.content(), []types.Row{r3(1, 1, 2)})
}
