package tiersim

import (
	"math"
	"math/rand/v2"
	"time"
)

// A Profile is a kind of use.
type Profile struct {
	Name  string
	Title string
	// About says what is accessed when.
	About string
	// MedianRows is the size that half of the collections exceed; sizes are
	// log-normal with a sigma of Spread.
	MedianRows, Spread float64
	// sources make the accesses: each is asked once per step.
	sources func(collections int, random *rand.Rand) []source
}

// A source appends the collections that are accessed in the step that begins at
// an hour since the start (a Monday, midnight), in the order of the accesses.
type source func(hour, step float64, random *rand.Rand, out []uint32) []uint32

// Trace is who is accessed when: the same for every policy.
type Trace struct {
	Profile Profile
	Start   time.Time
	Step    time.Duration
	Rows    []int64    // of each collection
	Steps   [][]uint32 // collections in the order of their accesses, evenly spread over the step
}

// Profiles are the three that the tuning guide is about.
var Profiles = []Profile{
	{
		Name: "rag-chatbot", Title: "RAG chatbot",
		About: "10,000 knowledge bases, one a tenant. 40,000 conversations a working day, a third of that at weekends, most by day; " +
			"a tenant's share falls with its rank (Zipf, 1.05). A conversation searches six times within half an hour.",
		MedianRows: 4000, Spread: 1.4,
		sources: func(n int, random *rand.Rand) []source {
			return []source{sessions(zipf(shuffled(n, random), 1.05), 40000*float64(n)/10000, 6, 0.5, office)}
		},
	},
	{
		Name: "batch-analytics", Title: "Batch analytics",
		About: "10,000 data sets, each read by one job: 5 % hourly, 35 % daily, 45 % weekly, 15 % every four weeks. " +
			"A run makes 60 searches within 20 minutes; most run at night.",
		MedianRows: 12000, Spread: 1.2,
		sources: func(n int, random *rand.Rand) []source { return []source{jobs(n, random)} },
	},
	{
		Name: "e-commerce", Title: "E-commerce",
		About: "10,000 catalogues. The 200 largest shops have 80 % of 600,000 searches a day (Zipf, 0.9); 3,000 are seasonal: busy for one week " +
			"in four, silent in between; the rest is a long tail. Evenings and weekends are busiest.",
		MedianRows: 6000, Spread: 1.3,
		sources: func(n int, random *rand.Rand) []source {
			order := shuffled(n, random)
			head, seasonal := order[:n/50], order[n/50:n/50+n*3/10]
			perDay := 600000 * float64(n) / 10000
			return []source{
				sessions(zipf(head, 0.9), perDay*0.8, 1, 0, evenings),
				seasons(seasonal, perDay*0.15),
				sessions(zipf(order[n/50+n*3/10:], 1), perDay*0.05/3, 3, 0.2, evenings),
			}
		},
	},
}

// Find is the profile of a name.
func Find(name string) (Profile, bool) {
	for _, p := range Profiles {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// Trace makes the accesses of some days.
func (p Profile) Trace(collections, days int, step time.Duration, seed uint64) *Trace {
	random := rand.New(rand.NewPCG(seed, 0x5eed))
	t := &Trace{Profile: p, Start: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Step: step, Rows: make([]int64, collections)}
	for i := range t.Rows {
		t.Rows[i] = 1 + int64(p.MedianRows*math.Exp(p.Spread*random.NormFloat64()))
	}
	sources := p.sources(collections, random)
	t.Steps = make([][]uint32, int(time.Duration(days)*24*time.Hour/step))
	for i := range t.Steps {
		var out []uint32
		for _, s := range sources {
			out = s(float64(i)*step.Hours(), step.Hours(), random, out)
		}
		random.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
		t.Steps[i] = out
	}
	return t
}

// Accesses is how many there are.
func (t *Trace) Accesses() int64 {
	n := int64(0)
	for _, s := range t.Steps {
		n += int64(len(s))
	}
	return n
}

// shuffled are the collections in some order, so that rank says nothing of size.
func shuffled(n int, random *rand.Rand) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	random.Shuffle(n, func(a, b int) { out[a], out[b] = out[b], out[a] })
	return out
}

// A choice draws collections with given weights.
type choice struct {
	ids  []uint32
	upTo []float64 // running sum of the weights
}

func zipf(ids []uint32, s float64) choice {
	c := choice{ids: ids, upTo: make([]float64, len(ids))}
	sum := 0.0
	for i := range ids {
		sum += math.Pow(float64(i+1), -s)
		c.upTo[i] = sum
	}
	return c
}

func (c choice) draw(random *rand.Rand) uint32 {
	x := random.Float64() * c.upTo[len(c.upTo)-1]
	low, high := 0, len(c.upTo)-1
	for low < high {
		if mid := (low + high) / 2; c.upTo[mid] < x {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return c.ids[low]
}

// office is the rate at an hour of the week, 1 on average over a working day:
// most by day, and a third of it at weekends.
func office(hour float64) float64 {
	rate := 1 - 0.9*math.Cos(2*math.Pi*(hour-2)/24)
	if int(hour/24)%7 >= 5 {
		rate /= 3
	}
	return rate
}

// evenings is busiest at eight, and half as busy again at weekends.
func evenings(hour float64) float64 {
	rate := 1 + 0.7*math.Cos(2*math.Pi*(hour-20)/24)
	if int(hour/24)%7 >= 5 {
		rate *= 1.5
	}
	return rate
}

// later are accesses that follow in later steps.
type later struct {
	queue [][]uint32 // the first is the step that comes next
}

func (l *later) add(steps int, id uint32) {
	for len(l.queue) <= steps {
		l.queue = append(l.queue, nil)
	}
	l.queue[steps] = append(l.queue[steps], id)
}

func (l *later) next() []uint32 {
	if len(l.queue) == 0 {
		return nil
	}
	first := l.queue[0]
	l.queue = l.queue[1:]
	return first
}

// sessions are visits that begin at a rate per day and access one collection a
// number of times, spread over some hours.
func sessions(who choice, perDay float64, accesses int, hours float64, rate func(hour float64) float64) source {
	var l later
	return func(hour, step float64, random *rand.Rand, out []uint32) []uint32 {
		for range poisson(perDay*step/24*rate(hour), random) {
			id := who.draw(random)
			for range accesses {
				l.add(int(random.Float64()*hours/step), id)
			}
		}
		return append(out, l.next()...)
	}
}

// seasons are collections of which each is busy for one week in four.
func seasons(ids []uint32, perDay float64) source {
	const cycle, season = 4 * 7 * 24, 7 * 24
	return func(hour, step float64, random *rand.Rand, out []uint32) []uint32 {
		for range poisson(perDay*step/24*evenings(hour), random) {
			// The collection is one of those in season: their places form a range that moves on.
			place := math.Mod(hour/cycle+random.Float64()*season/cycle, 1)
			out = append(out, ids[int(place*float64(len(ids)))])
		}
		return out
	}
}

// jobs read each collection at a fixed hour of its period.
func jobs(n int, random *rand.Rand) source {
	const runAccesses, runHours = 60, 1.0 / 3
	type job struct {
		id           uint32
		period, next float64 // hours
		due          int     // accesses of the run under way
	}
	all := make([]job, n)
	for i := range all {
		x, night := random.Float64(), math.Mod(22+9*random.Float64(), 24)
		day := math.Floor(7 * random.Float64())
		week := math.Floor(4 * random.Float64())
		j := job{id: uint32(i)}
		switch {
		case x < 0.05:
			j.period, j.next = 1, random.Float64()
		case x < 0.40:
			j.period, j.next = 24, night
		case x < 0.85:
			j.period, j.next = 7*24, day*24+night
		default:
			j.period, j.next = 4*7*24, (week*7+day)*24+night
		}
		all[i] = j
	}
	return func(hour, step float64, _ *rand.Rand, out []uint32) []uint32 {
		for i := range all {
			j := &all[i]
			if j.next < hour+step {
				j.due, j.next = runAccesses, j.next+j.period
			}
			if j.due == 0 {
				continue
			}
			due := min(j.due, int(math.Ceil(runAccesses*step/runHours)))
			j.due -= due
			for range due {
				out = append(out, j.id)
			}
		}
		return out
	}
}

// poisson draws a number of events; from a mean of 50 on the normal distribution
// is near enough.
func poisson(mean float64, random *rand.Rand) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*random.NormFloat64())))
	}
	n, p, limit := 0, random.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= random.Float64()
	}
	return n
}
