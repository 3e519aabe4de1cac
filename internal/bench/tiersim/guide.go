package tiersim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Plan is what Simulate does.
type Plan struct {
	Profiles    []Profile
	Variants    []Variant
	Collections int
	Days        int
	Step        time.Duration // the worker's interval
	Seed        uint64
	Model       Model
	Prices      Prices
	// Daily prints the first variant day by day.
	Daily bool
	// Docs is the folder of the guide, whose tables and pictures are written anew; "" writes nothing.
	Docs string
}

// DefaultPlan is what the tuning guide shows.
func DefaultPlan() Plan {
	return Plan{Profiles: Profiles, Variants: DefaultVariants(), Collections: 10000, Days: 28, Step: 5 * time.Minute, Seed: 1,
		Model: DefaultModel(), Prices: DefaultPrices()}
}

// GuideName is the page that has a block for each profile.
const GuideName = "TIERING-TUNING-GUIDE.md"

// PictureName is the picture of a profile, below the folder of the guide.
func PictureName(p Profile) string { return filepath.Join("benchmarks", "tiering-"+p.Name+".svg") }

// Simulate runs every profile under every variant, prints the tables to out, and
// writes them into the guide.
func Simulate(plan Plan, out io.Writer) error {
	if len(plan.Profiles) == 0 || len(plan.Variants) == 0 || plan.Collections < 100 || plan.Days < 1 || plan.Step <= 0 {
		return errors.New("nothing to simulate: give a profile, a policy, at least 100 collections and a day")
	}
	for _, p := range plan.Profiles {
		trace := p.Trace(plan.Collections, plan.Days, plan.Step, plan.Seed)
		outcomes, err := plan.run(trace)
		if err != nil {
			return err
		}
		var all []Summary
		for _, o := range outcomes {
			all = append(all, o.Summary(plan.Prices))
		}
		if plan.Daily {
			if err := WriteDaily(out, outcomes[0], plan.Prices); err != nil {
				return err
			}
		}
		if err := WriteText(out, trace, all); err != nil {
			return err
		}
		if plan.Docs == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(plan.Docs, PictureName(p)), []byte(Picture(outcomes[0])), 0o644); err != nil {
			return err
		}
		if err := replaceBlock(filepath.Join(plan.Docs, GuideName), p.Name, Markdown(trace, all)); err != nil {
			return err
		}
	}
	return nil
}

// run simulates the variants, two at a time.
func (p Plan) run(t *Trace) ([]*Outcome, error) {
	outcomes := make([]*Outcome, len(p.Variants))
	var group errgroup.Group
	group.SetLimit(2)
	for i, v := range p.Variants {
		group.Go(func() (err error) {
			outcomes[i], err = Run(t, v, p.Model)
			return err
		})
	}
	return outcomes, group.Wait()
}

// marks are the lines around a profile's block.
func marks(name string) (begin, end string) {
	return fmt.Sprintf("<!-- simulated: %s -->\n", name), fmt.Sprintf("<!-- end of %s -->\n", name)
}

// Block is the part of the guide between a profile's marks.
func Block(guide, name string) (string, bool) {
	begin, end := marks(name)
	_, rest, found := strings.Cut(guide, begin)
	block, _, ended := strings.Cut(rest, end)
	return block, found && ended
}

func replaceBlock(path, name, text string) error {
	guide, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, found := Block(string(guide), name)
	if !found {
		return fmt.Errorf("%s has no block for %s", path, name)
	}
	begin, end := marks(name)
	return os.WriteFile(path, []byte(strings.Replace(string(guide), begin+old+end, begin+text+end, 1)), 0o644)
}
