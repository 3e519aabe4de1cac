package tiersim

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/akidb/akidb/tiering/state"
)

// small is a trace that takes no time.
func small(t *testing.T, p Profile) *Trace {
	t.Helper()
	return p.Trace(300, 14, 15*time.Minute, 7)
}

func run(t *testing.T, trace *Trace, v Variant) *Outcome {
	t.Helper()
	o, err := Run(trace, v, DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEveryStepsTotalsAddUp(t *testing.T) {
	for _, p := range Profiles {
		trace := small(t, p)
		for _, v := range DefaultVariants() {
			o := run(t, trace, v)
			if len(o.Samples) != len(trace.Steps) {
				t.Fatalf("%d samples of %d steps", len(o.Samples), len(trace.Steps))
			}
			here, served := [3]int{len(trace.Rows), 0, 0}, int64(0)
			for i, s := range o.Samples {
				for from := range 3 {
					served += o.Flows[i].Accesses[from]
					for to := range 3 {
						n := int(o.Flows[i].Moves[from][to])
						if n > 0 && from-to != 1 && to-from != 1 {
							t.Fatalf("%s, %s: a move from %d to %d", p.Name, v.Name, from, to)
						}
						here[from] -= n
						here[to] += n
					}
				}
				if here != s.Collections || here[0]+here[1]+here[2] != len(trace.Rows) {
					t.Fatalf("%s, %s, step %d: %v collections, %v by the moves", p.Name, v.Name, i, s.Collections, here)
				}
				if s.Usage.RAM < 0 || s.Usage.Disk <= 0 || s.Usage.Object < 0 || (s.Usage.Object > 0) != (s.Collections[2] > 0) {
					t.Fatalf("%s, %s, step %d: %+v", p.Name, v.Name, i, s.Usage)
				}
			}
			if served != trace.Accesses() {
				t.Errorf("%s, %s: %d accesses served of %d", p.Name, v.Name, served, trace.Accesses())
			}
		}
	}
}

func TestASummaryHasSharesOfOneAndCostsLessThanAllHot(t *testing.T) {
	for _, p := range Profiles {
		s := run(t, small(t, p), DefaultVariants()[0]).Summary(DefaultPrices())
		for _, share := range [][3]float64{s.Share, s.Served} {
			if sum := share[0] + share[1] + share[2]; sum < 0.999999 || sum > 1.000001 {
				t.Errorf("%s: %v is %v together", p.Name, share, sum)
			}
		}
		if s.Dollars <= 0 || s.Dollars >= s.AllHot {
			t.Errorf("%s costs $%.0f, all hot $%.0f", p.Name, s.Dollars, s.AllHot)
		}
	}
}

func TestTheSameSeedGivesTheSameOutcome(t *testing.T) {
	a, b := run(t, small(t, Profiles[2]), DefaultVariants()[6]), run(t, small(t, Profiles[2]), DefaultVariants()[6])
	if !reflect.DeepEqual(a.Samples, b.Samples) || !reflect.DeepEqual(a.Flows, b.Flows) {
		t.Error("two runs differ")
	}
	if other := Profiles[2].Trace(300, 14, 15*time.Minute, 8); reflect.DeepEqual(other.Steps, a.Trace.Steps) {
		t.Error("another seed gives the same accesses")
	}
}

func TestAPolicyMovesWhatItSays(t *testing.T) {
	never := state.DefaultPolicy()
	never.HotTTL = 1000 * time.Hour
	if s := run(t, small(t, Profiles[0]), Variant{"never", never}).Summary(DefaultPrices()); s.Share[0] < 0.999999 || s.Demotions != 0 {
		t.Errorf("without a demotion: %+v", s)
	}
	direct := state.DefaultPolicy()
	direct.WarmTTL, direct.ColdAccess = 24*time.Hour, state.ColdDirect
	if s := run(t, small(t, Profiles[0]), Variant{"direct", direct}).Summary(DefaultPrices()); s.Restores != 0 || s.Share[2] == 0 {
		t.Errorf("direct: %+v", s)
	}
	full := state.DefaultPolicy()
	full.MaxHotMemory = 1 << 30
	o := run(t, small(t, Profiles[0]), Variant{"full", full})
	if s := o.Summary(DefaultPrices()); s.Usage.RAM > 2<<30 || s.Share[0] == 0 {
		t.Errorf("with a limit of 1 GB: %+v", s)
	}
}

// The guide's tables are made by `make tiering-sim`. Here the first policy of each
// profile is simulated again, and its row and picture compared; with AKIDB_LONG=1
// all of them.
func TestTheGuideShowsWhatTheSimulationGives(t *testing.T) {
	if testing.Short() || runtime.GOARCH != "amd64" { // exp and log differ in their last bits
		t.Skip("a simulation of four weeks")
	}
	docs := filepath.Join("..", "..", "..", "docs")
	guide, err := os.ReadFile(filepath.Join(docs, GuideName))
	if err != nil {
		t.Fatal(err)
	}
	plan := DefaultPlan()
	if os.Getenv("AKIDB_LONG") == "" {
		plan.Variants = plan.Variants[:1]
	}
	for _, p := range plan.Profiles {
		block, found := Block(string(guide), p.Name)
		if !found {
			t.Errorf("the guide has no block for %s", p.Name)
			continue
		}
		trace := p.Trace(plan.Collections, plan.Days, plan.Step, plan.Seed)
		outcomes, err := plan.run(trace)
		if err != nil {
			t.Fatal(err)
		}
		var all []Summary
		for _, o := range outcomes {
			all = append(all, o.Summary(plan.Prices))
		}
		for line := range strings.Lines(Markdown(trace, all)) {
			if !strings.Contains(block, line) {
				t.Errorf("%s: the guide has no line\n%s: run make tiering-sim", p.Name, line)
			}
		}
		svg, err := os.ReadFile(filepath.Join(docs, PictureName(p)))
		if err != nil || string(svg) != Picture(outcomes[0]) {
			t.Errorf("%s: the picture is another (%v): run make tiering-sim", p.Name, err)
		}
	}
}

func TestASimulationPrintsEveryPolicyAndWritesTheGuide(t *testing.T) {
	docs := t.TempDir()
	if err := os.Mkdir(filepath.Join(docs, "benchmarks"), 0o755); err != nil {
		t.Fatal(err)
	}
	begin, end := marks(Profiles[1].Name)
	if err := os.WriteFile(filepath.Join(docs, GuideName), []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plan := DefaultPlan()
	plan.Profiles, plan.Collections, plan.Days, plan.Step, plan.Docs, plan.Daily = Profiles[1:2], 200, 7, time.Hour, docs, true
	var out bytes.Buffer
	if err := Simulate(plan, &out); err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(docs, GuideName))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range plan.Variants {
		if !strings.Contains(out.String(), v.Name) || !strings.Contains(string(guide), "| "+v.Name+" |") {
			t.Errorf("%s is missing", v.Name)
		}
	}
	if text := string(guide); strings.Contains(text, "\nold\n") || !strings.HasPrefix(text, "before\n") || !strings.HasSuffix(text, "after\n") {
		t.Errorf("the guide became\n%s", text)
	}
}
