package tiering

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/tiering/state"
)

// ParseDuration reads an interval as PostgreSQL does ('90s', '24 hours'). A month
// has 30 days.
func ParseDuration(s string) (time.Duration, error) {
	d, err := types.Parse(types.IntervalOID, types.NoTypmod, s, types.DefaultEnv())
	if err != nil {
		return 0, err
	}
	iv := d.(types.Interval)
	days := time.Duration(iv.Days) + 30*time.Duration(iv.Months)
	took := days*24*time.Hour + time.Duration(iv.Micros)*time.Microsecond
	if took <= 0 {
		return 0, fmt.Errorf("%q is not a positive interval", s)
	}
	return took, nil
}

// isOff says whether a table has tiering = off: any spelling of a boolean that
// ALTER COLLECTION takes.
func isOff(t *catalog.Table) bool {
	v := strings.ToLower(t.Options["tiering"])
	return v != "" && (v == "0" || v == "of" || v == "off" || strings.HasPrefix("false", v) || strings.HasPrefix("no", v))
}

// override is what a table has otherwise than the policy, nil when nothing. The
// options were checked when they were set; what cannot be read is left out.
func override(t *catalog.Table) *state.Override {
	var o state.Override
	set := func(to *time.Duration, interval, number string, unit time.Duration) {
		if v, ok := t.Options[number]; ok {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				*to = time.Duration(f * float64(unit))
			}
		}
		if v, ok := t.Options[interval]; ok {
			if d, err := ParseDuration(v); err == nil {
				*to = d
			}
		}
	}
	set(&o.HotTTL, "hot_tier_ttl", "hot_tier_ttl_hours", time.Hour)
	set(&o.WarmTTL, "warm_tier_ttl", "warm_tier_ttl_days", 24*time.Hour)
	set(&o.Window, "access_window", "access_window_hours", time.Hour)
	if n, err := strconv.ParseInt(t.Options["hot_promotion_threshold"], 10, 64); err == nil {
		o.Threshold = n
	}
	if c, err := state.ParseColdAccess(t.Options["cold_access"]); err == nil {
		o.ColdAccess = &c
	}
	if o == (state.Override{}) {
		return nil
	}
	return &o
}
