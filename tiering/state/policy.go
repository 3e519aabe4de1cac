package state

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/akidb/akidb/internal/types"
)

// ColdAccess says what a read of a cold collection leads to.
type ColdAccess uint8

// The ways: answer from the object store and restore in the background; restore
// first; answer from the object store and stay cold.
const (
	ColdServe ColdAccess = iota
	ColdRestore
	ColdDirect
)

var coldNames = [...]string{"serve", "restore", "direct"}

func (c ColdAccess) String() string { return coldNames[c] }

// ParseColdAccess reads serve, restore or direct.
func ParseColdAccess(s string) (ColdAccess, error) {
	if i := slices.Index(coldNames[:], s); i >= 0 {
		return ColdAccess(i), nil
	}
	return 0, fmt.Errorf("%q is none of serve, restore, direct", s)
}

// Policy is when collections move by themselves. DefaultPolicy has the defaults.
type Policy struct {
	// HotTTL without an access makes a hot collection warm.
	HotTTL time.Duration
	// WarmTTL without an access makes a warm collection cold.
	WarmTTL time.Duration
	// Threshold accesses within Window make a warm collection hot.
	Threshold int64
	Window    time.Duration
	// MaxHotMemory and MaxWarmDisk are bytes; 0 is no limit.
	MaxHotMemory, MaxWarmDisk int64
	ColdAccess                ColdAccess
}

// DefaultPolicy has the defaults; MaxHotMemory depends on the machine and is the caller's.
func DefaultPolicy() Policy {
	return Policy{HotTTL: 6 * time.Hour, WarmTTL: 7 * 24 * time.Hour, Threshold: 10, Window: time.Hour}
}

// DefaultInterval is the time between two cycles of the worker.
const DefaultInterval = 5 * time.Minute

// lowWater is the share of a limit, in percent, down to which collections are
// moved once it is passed: without it every new row would move one.
const lowWater = 90

// Override is what a collection has otherwise than the policy; zero fields are the
// policy's. Most collections have none.
type Override struct {
	HotTTL, WarmTTL, Window time.Duration
	Threshold               int64
	ColdAccess              *ColdAccess
}

// With is the policy of a collection.
func (p Policy) With(o *Override) Policy {
	if o == nil {
		return p
	}
	pick := func(to *time.Duration, d time.Duration) {
		if d > 0 {
			*to = d
		}
	}
	pick(&p.HotTTL, o.HotTTL)
	pick(&p.WarmTTL, o.WarmTTL)
	pick(&p.Window, o.Window)
	if o.Threshold > 0 {
		p.Threshold = o.Threshold
	}
	if o.ColdAccess != nil {
		p.ColdAccess = *o.ColdAccess
	}
	return p
}

// Collection is what the policy looks at. Times are Unix nanoseconds.
type Collection struct {
	ID     types.OID
	Tier   types.Tier
	Pinned bool
	Off    bool // tiering = off
	Moving bool // left alone
	// Since is when it came into its tier.
	Since  int64
	Counts Counts
	// RAM is what it takes, or would take, while hot; Disk while warm.
	RAM, Disk int64
	Override  *Override
}

// Cause is why a collection is moved.
type Cause uint8

// The causes.
const (
	IdleHot Cause = iota + 1
	IdleWarm
	Busy
	ColdRead
	MustBeHot
	HotFull
	WarmFull
)

// Planned is a move that the policy wants.
type Planned struct {
	ID       types.OID
	From, To types.Tier
	Cause    Cause
	// Value is what led to it: nanoseconds without access, accesses, or bytes in use;
	// Limit what it was compared with.
	Value, Limit int64
	// Blocked says that the server lacks the tier.
	Blocked bool
}

// Reason says in words why.
func (p Planned) Reason() string {
	text := ""
	switch p.Cause {
	case IdleHot, IdleWarm:
		text = fmt.Sprintf("no access for %s (limit %s)", brief(p.Value), brief(p.Limit))
	case Busy:
		text = fmt.Sprintf("%d accesses in the window (threshold %d)", p.Value, p.Limit)
	case ColdRead:
		text = "accessed while cold"
	case MustBeHot:
		text = "tiering is off: always hot"
	case HotFull:
		text = fmt.Sprintf("least recently used while hot collections take %d MB (max_hot_memory %d MB)", p.Value>>20, p.Limit>>20)
	case WarmFull:
		text = fmt.Sprintf("least recently used while warm collections take %d MB (max_warm_disk %d MB)", p.Value>>20, p.Limit>>20)
	}
	if p.Blocked {
		text += "; stays: this server has no " + p.To.String() + " tier"
	}
	return text
}

// brief writes a duration without what is smaller than a second.
func brief(ns int64) string { return time.Duration(ns).Truncate(time.Second).String() }

// Decide plans the moves of one cycle, and appends them to dst. It looks at every
// collection once; only above a limit does it sort the candidates by their last
// access. A collection is planned at most once.
func Decide(now time.Time, p Policy, all []Collection, have Tiers, dst []Planned) []Planned {
	d := decider{now: now.UnixNano(), policy: p, all: all, have: have, out: dst, base: len(dst)}
	for i := range all {
		d.look(&all[i])
	}
	d.promote()
	d.shrink(types.TierHot, p.MaxHotMemory, HotFull)
	d.shrink(types.TierWarm, p.MaxWarmDisk, WarmFull)
	return d.out
}

// decider is one run of Decide.
type decider struct {
	now    int64
	policy Policy
	all    []Collection
	have   Tiers
	out    []Planned
	base   int
	// used are the bytes that each tier's limit is about, after what is planned.
	used [types.TierCold + 1]int64
	// busy are the warm collections that want to be hot.
	busy []*Collection
	// taken are collections with a plan; made when a limit is passed.
	taken map[types.OID]bool
}

func (c *Collection) bytes(t types.Tier) int64 {
	switch t {
	case types.TierHot:
		return c.RAM
	case types.TierWarm:
		return c.Disk
	}
	return 0
}

// plan adds a move. One that cannot be made changes no use.
func (d *decider) plan(c *Collection, to types.Tier, cause Cause, value, limit int64) {
	blocked := !d.have[to]
	d.out = append(d.out, Planned{ID: c.ID, From: c.Tier, To: to, Cause: cause, Value: value, Limit: limit, Blocked: blocked})
	if !blocked {
		d.used[c.Tier] -= c.bytes(c.Tier)
		d.used[to] += c.bytes(to)
	}
	if d.taken != nil {
		d.taken[c.ID] = true
	}
}

// look decides what needs no comparison with others.
func (d *decider) look(c *Collection) {
	d.used[c.Tier] += c.bytes(c.Tier)
	if c.Moving {
		return
	}
	if c.Off {
		if c.Tier != types.TierHot {
			d.plan(c, types.TierHot, MustBeHot, 0, 0)
		}
		return
	}
	p := d.policy.With(c.Override)
	idle := d.now - c.Counts.Last
	switch c.Tier {
	case types.TierHot:
		if !c.Pinned && idle >= int64(p.HotTTL) {
			d.plan(c, types.TierWarm, IdleHot, idle, int64(p.HotTTL))
		}
	case types.TierWarm:
		switch {
		case c.Counts.Count >= p.Threshold && d.now-c.Counts.Window < int64(p.Window):
			d.busy = append(d.busy, c)
		case !c.Pinned && idle >= int64(p.WarmTTL):
			d.plan(c, types.TierCold, IdleWarm, idle, int64(p.WarmTTL))
		}
	case types.TierCold:
		if p.ColdAccess != ColdDirect && c.Counts.Last > c.Since {
			d.plan(c, types.TierWarm, ColdRead, 0, 0)
		}
	}
}

// promote makes busy collections hot, the busiest first. Above the limit one
// comes in only when those that have to leave for it are idle longer than a window:
// else a working set larger than memory would be moved in and out for ever.
func (d *decider) promote() {
	if len(d.busy) == 0 {
		return
	}
	limit := d.policy.MaxHotMemory
	room := int64(math.MaxInt64)
	if limit > 0 {
		slices.SortStableFunc(d.busy, func(a, b *Collection) int { return int(min(max(b.Counts.Count-a.Counts.Count, -1), 1)) })
		room = limit - d.used[types.TierHot] + d.idleHot()
	}
	for _, c := range d.busy {
		if c.RAM > room {
			continue
		}
		if limit > 0 {
			room -= c.RAM
		}
		d.plan(c, types.TierHot, Busy, c.Counts.Count, d.policy.With(c.Override).Threshold)
	}
}

// idleHot are the bytes of hot collections that may make room for a busy one.
func (d *decider) idleHot() int64 {
	d.note()
	sum := int64(0)
	for i := range d.all {
		if c := &d.all[i]; d.evictable(c, types.TierHot) && d.now-c.Counts.Last >= int64(d.policy.Window) {
			sum += c.RAM
		}
	}
	return sum
}

func (d *decider) evictable(c *Collection, t types.Tier) bool {
	return c.Tier == t && !c.Pinned && !c.Off && !c.Moving && !d.taken[c.ID] && d.have[t+1]
}

// note makes taken, from what was planned so far.
func (d *decider) note() {
	if d.taken != nil {
		return
	}
	d.taken = map[types.OID]bool{}
	for _, p := range d.out[d.base:] {
		d.taken[p.ID] = true
	}
}

// shrink moves the least recently used collections of a tier one down when it
// takes more than its limit, until it is at its low water.
func (d *decider) shrink(t types.Tier, limit int64, cause Cause) {
	if limit <= 0 || d.used[t] <= limit {
		return
	}
	d.note()
	var candidates []*Collection
	for i := range d.all {
		if c := &d.all[i]; d.evictable(c, t) && c.bytes(t) > 0 {
			candidates = append(candidates, c)
		}
	}
	slices.SortFunc(candidates, func(a, b *Collection) int {
		return int(min(max(a.Counts.Last-b.Counts.Last, -1), 1))
	})
	used, low := d.used[t], limit/100*lowWater
	for _, c := range candidates {
		if d.used[t] <= low {
			return
		}
		d.plan(c, t+1, cause, used, limit)
	}
}
