package node

import (
	"fmt"
	"time"

	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/tiering"
	"github.com/akidb/akidb/tiering/state"
)

// hotMemoryShare is the share of the memory limit, in percent, that hot
// collections take unless max_hot_memory says otherwise.
const hotMemoryShare = 60

// tiering is the configuration of the tiers as package tiering takes it.
func (n *node) tiering() (tiering.TieringOptions, error) { return n.tieringOf(n.config) }

// tieringOf is the same of any configuration.
func (n *node) tieringOf(of config.Config) (tiering.TieringOptions, error) {
	c := of.Tiering
	p := state.Policy{
		HotTTL: hours(c.Policy.HotTierTTLHours), WarmTTL: 24 * hours(c.Policy.WarmTierTTLDays), Window: hours(c.Policy.AccessWindowHours),
		Threshold: int64(c.Policy.HotPromotionThreshold), MaxHotMemory: c.Policy.MaxHotMemory, MaxWarmDisk: c.Policy.MaxWarmDisk,
	}
	if p.MaxHotMemory == 0 {
		p.MaxHotMemory = n.config.MemoryLimit / 100 * hotMemoryShare
	}
	interval := time.Duration(c.WorkerIntervalSecs) * time.Second
	for _, d := range []struct {
		key, value string
		to         *time.Duration
	}{
		{"policy.hot_tier_ttl", c.Policy.HotTierTTL, &p.HotTTL}, {"policy.warm_tier_ttl", c.Policy.WarmTierTTL, &p.WarmTTL},
		{"policy.access_window", c.Policy.AccessWindow, &p.Window}, {"worker_interval", c.WorkerInterval, &interval},
	} {
		if d.value == "" {
			continue
		}
		parsed, err := tiering.ParseDuration(d.value)
		if err != nil {
			return tiering.TieringOptions{}, fmt.Errorf("invalid value for \"tiering.%s\": %w", d.key, err)
		}
		*d.to = parsed
	}
	var err error
	if p.ColdAccess, err = state.ParseColdAccess(c.Policy.ColdAccess); err != nil {
		return tiering.TieringOptions{}, fmt.Errorf("invalid value for \"tiering.policy.cold_access\": %w", err)
	}
	return tiering.TieringOptions{
		Disabled: !c.Enabled, Policy: p, Interval: interval, Cycled: n.metrics.cycled, Moved: n.metrics.moved, Tracked: n.metrics.tracked,
	}, nil
}

func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }
