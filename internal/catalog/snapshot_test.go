package catalog

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/akidb/akidb/internal/types"
)

func table(id types.OID, schema, name string) *Table {
	return &Table{ID: id, Schema: schema, Name: name, Columns: []Column{{Num: 1, Name: "a"}, {Num: 2, Name: "b", Dropped: true}, {Num: 3, Name: "c"}}}
}

func TestAChangeLeavesOlderSnapshotsAsTheyWere(t *testing.T) {
	first := Empty().Apply(Put(table(1, "public", "a")))
	second := first.Apply(Put(table(1, "public", "renamed")), Put(table(2, "public", "a")))
	third := second.Apply(Delete(table(2, "public", "a")))
	for _, tc := range []struct {
		snapshot *Snapshot
		name     string
		id       types.OID
	}{
		{first, "a", 1}, {first, "renamed", 0}, {second, "a", 2}, {second, "renamed", 1}, {third, "a", 0}, {third, "renamed", 1},
	} {
		var got types.OID
		if o := tc.snapshot.Relation("public", tc.name); o != nil {
			got = o.ObjectID()
		}
		if got != tc.id {
			t.Errorf("version %d: %q is %d, want %d", tc.snapshot.Version(), tc.name, got, tc.id)
		}
	}
	if first.Version() != 1 || third.Version() != 3 {
		t.Errorf("versions %d and %d", first.Version(), third.Version())
	}
}

func TestIndexesOfATableComeOldestFirst(t *testing.T) {
	s := Empty().Apply(Put(table(1, "public", "t")),
		Put(&Index{ID: 9, Table: 1, Schema: "public", Name: "a"}), Put(&Index{ID: 5, Table: 1, Schema: "public", Name: "z"}), Put(&Index{ID: 7, Table: 2, Schema: "public", Name: "other"}))
	ids := func(s *Snapshot) (out []types.OID) {
		for _, x := range s.Indexes(1) {
			out = append(out, x.ID)
		}
		return out
	}
	if got := ids(s); len(got) != 2 || got[0] != 5 || got[1] != 9 {
		t.Errorf("%v", got)
	}
	s = s.Apply(Delete(&Index{ID: 5, Table: 1}))
	if got := ids(s); len(got) != 1 || got[0] != 9 {
		t.Errorf("after a drop: %v", got)
	}
}

func TestRelationsOfAllKindsShareTheirNames(t *testing.T) {
	s := Empty().Apply(Put(table(1, "s", "x")), Put(&Role{ID: 2, Name: "x"}), Put(&Schema{ID: 3, Name: "x"}))
	if s.Relation("s", "x").ObjectKind() != KindTable || s.Role("x") == nil || s.Schema("x") == nil {
		t.Error("a role, a schema and a table may share a name")
	}
	s = s.Apply(Delete(&Role{ID: 2, Name: "x"}), Put(&View{ID: 4, Schema: "s", Name: "y"}), Put(&Sequence{ID: 5, Schema: "s", Name: "z", OwnerTable: 1}))
	if s.Role("x") != nil || s.Relation("s", "y") == nil || s.Relation("s", "z") == nil || len(s.Sequences(1)) != 1 {
		t.Error("a view and a sequence are relations too")
	}
}

// TestRandomChangesAgreeWithAPlainMap makes the same changes to a snapshot and to a map.
func TestRandomChangesAgreeWithAPlainMap(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	s, plain := Empty(), map[types.OID]Object{}
	for range 2000 {
		id := types.OID(1 + rng.IntN(40))
		o, exists := plain[id]
		switch {
		case exists && rng.IntN(3) == 0:
			s = s.Apply(Delete(o))
			delete(plain, id)
		case rng.IntN(2) == 0:
			// names are the object's own, so that they never collide
			o = table(id, "public", string(rune('a'+rng.IntN(3)))+string(rune(1000+id)))
			s, plain[id] = s.Apply(Put(o)), o
		default:
			o = &Index{ID: id, Table: types.OID(1 + rng.IntN(5)), Schema: "public", Name: string(rune('i'+rng.IntN(3))) + string(rune(1000+id))}
			s, plain[id] = s.Apply(Put(o)), o
		}
		listed := 0
		for table := range types.OID(6) {
			for _, x := range s.Indexes(table) {
				if plain[x.ID] != Object(x) || x.Table != table {
					t.Fatalf("seed %d: index %d is listed with table %d", seed, x.ID, table)
				}
				listed++
			}
		}
		indexes := 0
		for id, o := range plain {
			schema, name := o.ObjectName()
			if s.Object(id) != o || s.Relation(schema, name) != o {
				t.Fatalf("seed %d: object %d is not found by id or by name", seed, id)
			}
			if o.ObjectKind() == KindIndex {
				indexes++
			}
		}
		if listed != indexes {
			t.Fatalf("seed %d: %d indexes are listed, there are %d", seed, listed, indexes)
		}
	}
}

func TestACloneSharesNothingThatChanges(t *testing.T) {
	a := table(1, "public", "t")
	a.Options = map[string]string{"x": "1"}
	b := a.Clone()
	b.Columns[0].Name, b.Options["x"] = "changed", "2"
	if a.Columns[0].Name != "a" || a.Options["x"] != "1" {
		t.Error("changing a clone changed the table")
	}
	if a.Column("b") != nil || a.Column("c") == nil || len(a.Live()) != 2 {
		t.Error("dropped columns are not found by name")
	}
}
