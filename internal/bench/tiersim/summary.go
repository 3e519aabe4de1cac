package tiersim

import "time"

// Summary is an Outcome in numbers, from its second half: in the first one
// everything comes from hot.
type Summary struct {
	Profile string `json:"profile"`
	Variant string `json:"variant"`
	// Share of the collections, Usage in bytes: averages over time.
	Share [3]float64 `json:"share"`
	Usage Usage      `json:"usage"`
	// Served is the share of the accesses by the tier that served them.
	Served                                 [3]float64 `json:"served"`
	AccessesPerDay, ColdPerDay             float64
	Promotions, Demotions                  float64 // a day
	WarmUps, Restores, CoolDowns, Archives float64 // warm to hot, cold to warm, hot to warm, warm to cold, a day
	// Dollars is for 30 days; AllHot is what it would be without tiers.
	Dollars float64 `json:"dollars"`
	AllHot  float64 `json:"all_hot"`
}

// half is where the second half begins.
func (o *Outcome) half() int { return len(o.Samples) / 2 }

// Summary sums up.
func (o *Outcome) Summary(p Prices) Summary {
	s := Summary{Profile: o.Trace.Profile.Name, Variant: o.Variant.Name}
	samples, flows := o.Samples[o.half():], o.Flows[o.half():]
	steps := float64(len(samples))
	days := steps * o.Trace.Step.Hours() / 24
	var accesses [3]int64
	var moves [3][3]int64
	var usage [3]float64
	for i, x := range samples {
		for t := range 3 {
			s.Share[t] += float64(x.Collections[t]) / float64(len(o.Trace.Rows)) / steps
			accesses[t] += flows[i].Accesses[t]
			for to := range 3 {
				moves[t][to] += flows[i].Moves[t][to]
			}
		}
		usage[0] += float64(x.Usage.RAM) / steps
		usage[1] += float64(x.Usage.Disk) / steps
		usage[2] += float64(x.Usage.Object) / steps
	}
	s.Usage = Usage{int64(usage[0]), int64(usage[1]), int64(usage[2])}
	all := accesses[0] + accesses[1] + accesses[2]
	for t := range 3 {
		s.Served[t] = float64(accesses[t]) / float64(max(all, 1))
	}
	s.AccessesPerDay, s.ColdPerDay = float64(all)/days, float64(accesses[2])/days
	s.WarmUps, s.Restores = float64(moves[1][0])/days, float64(moves[2][1])/days
	s.CoolDowns, s.Archives = float64(moves[0][1])/days, float64(moves[1][2])/days
	s.Promotions, s.Demotions = s.WarmUps+s.Restores, s.CoolDowns+s.Archives
	gets := accesses[2]*o.Model.ColdRequests + moves[2][1]*o.Model.MoveGets
	s.Dollars = p.cost(s.Usage, gets, moves[1][2]*o.Model.MovePuts, days)
	var hot Usage
	for _, rows := range o.Trace.Rows {
		hot.add(o.Model.usage(rows)[0], 1)
	}
	s.AllHot = p.cost(hot, 0, 0, days)
	return s
}

// Time is the simulated time.
func (o *Outcome) Time() time.Duration { return time.Duration(len(o.Samples)) * o.Trace.Step }
