package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// queries makes random queries over the tables of joinTables.
type queries struct {
	rng   *rand.Rand
	items int
}

var joinTables = map[string][]string{"t1": {"a", "b"}, "t2": {"a", "b", "d"}, "t3": {"b", "d"}}

// names are the aliases that an expression may refer to, with their columns.
type names map[string][]string

func (q *queries) pick(list ...string) string { return list[q.rng.IntN(len(list))] }

func (q *queries) column(n names) string {
	aliases := make([]string, 0, len(n))
	for a := range n {
		aliases = append(aliases, a)
	}
	slices.Sort(aliases)
	alias := q.pick(aliases...)
	return alias + "." + q.pick(n[alias]...)
}

func (n names) and(other names) names {
	out := names{}
	for _, m := range []names{n, other} {
		for a, c := range m {
			out[a] = c
		}
	}
	return out
}

func (q *queries) from(n names, items, depth int) string {
	text := q.item(n, depth)
	for range items - 1 {
		right := names{}
		next := q.item(right, depth)
		on := q.column(n) + " = " + q.column(right)
		if q.rng.IntN(3) == 0 {
			on += " AND " + q.condition(n.and(right), nil, 2)
		}
		text = fmt.Sprintf("%s %s %s ON %s", text, q.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), next, on)
		for a, c := range right {
			n[a] = c
		}
	}
	return text
}

func (q *queries) item(n names, depth int) string {
	q.items++
	alias := fmt.Sprintf("x%d", q.items)
	table := q.pick("t1", "t2", "t3")
	if depth > 0 || q.rng.IntN(3) > 0 {
		n[alias] = joinTables[table]
		return table + " " + alias
	}
	inner := names{}
	from := q.from(inner, 1+q.rng.IntN(2), 1)
	outputs := q.pick("%s AS p, %s AS q", "%s + 1 AS p, %s AS q", "DISTINCT %s AS p, %s AS q", "coalesce(%s, 0) AS p, %s AS q")
	n[alias] = []string{"p", "q"}
	return fmt.Sprintf("(SELECT "+outputs+" FROM %s WHERE %s) %s", q.column(inner), q.column(inner), from, q.condition(inner, nil, 1), alias)
}

func (q *queries) condition(n, outer names, depth int) string {
	all := n.and(outer)
	switch q.rng.IntN(8) {
	case 0:
		return fmt.Sprintf("%s %s %d", q.column(n), q.pick("=", "<", ">=", "<>"), q.rng.IntN(6))
	case 1:
		return q.column(all) + q.pick(" IS NULL", " IS NOT NULL")
	case 2:
		if depth < 2 {
			return fmt.Sprintf("(%s OR %s)", q.condition(n, outer, depth+1), q.condition(n, outer, depth+1))
		}
	case 3, 4:
		if depth < 2 {
			inner := names{}
			from := q.from(inner, 1+q.rng.IntN(2), 1)
			return fmt.Sprintf("%sEXISTS (SELECT 1 FROM %s WHERE %s)", q.pick("", "NOT "), from, q.condition(inner, all, depth+1))
		}
	case 5:
		if depth < 2 {
			inner := names{}
			from := q.from(inner, 1, 1)
			return fmt.Sprintf("%s %sIN (SELECT %s FROM %s WHERE %s)", q.column(all), q.pick("", "NOT "), q.column(inner), from, q.condition(inner, all, depth+1))
		}
	}
	return q.column(n) + " = " + q.column(all)
}

func (q *queries) query() string {
	q.items = 0
	n := names{}
	from := q.from(n, 1+q.rng.IntN(3), 0)
	return fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s AND %s", q.column(n), q.column(n), from, q.condition(n, nil, 0), q.condition(n, nil, 0))
}

func (q *queries) value(n int) string {
	if q.rng.IntN(5) == 0 {
		return "NULL"
	}
	return fmt.Sprint(q.rng.IntN(n))
}

// Planner settings decide how rows are read and joined, never which rows.
func TestPlannerSettingsDoNotChangeAnswers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	q := &queries{rng: rand.New(rand.NewPCG(seed, 0))}
	d := newDatabase(t)
	setup := []string{"CREATE TABLE t1 (a int PRIMARY KEY, b int)", "CREATE TABLE t2 (a int, b int, d int)", "CREATE TABLE t3 (b int, d int)",
		"CREATE INDEX t2_b ON t2 (b)", "CREATE INDEX t3_bd ON t3 (b, d)"}
	for i := range 10 {
		setup = append(setup, fmt.Sprintf("INSERT INTO t1 VALUES (%d, %s)", i, q.value(6)))
	}
	for range 20 {
		setup = append(setup, fmt.Sprintf("INSERT INTO t2 VALUES (%s, %s, %s)", q.value(10), q.value(6), q.value(4)),
			fmt.Sprintf("INSERT INTO t3 VALUES (%s, %s)", q.value(6), q.value(4)))
	}
	for _, s := range setup {
		if out := d.run(s); out != "" {
			t.Fatalf("%s: %s", s, out)
		}
	}
	off := []string{"", "enable_hashjoin", "enable_nestloop", "enable_indexscan", "enable_seqscan"}
	for range 250 {
		text := q.query()
		var first string
		for _, name := range off {
			d.settings = map[string]string{name: "off"}
			lines := strings.Split(d.run(text), "\n")
			slices.Sort(lines)
			switch out := strings.Join(lines, "\n"); {
			case strings.Contains(out, "ERROR"):
				t.Fatalf("%s: %s", text, out)
			case name == "":
				first = out
			case out != first:
				t.Fatalf("%s\nwith %s off gives%s\nelse%s", text, name, out, first)
			}
		}
	}
}
