package manifest

import (
	"slices"
	"sort"
	"time"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// Retention says which snapshots stay: the newest Last ones, and those younger
// than MaxAge. One that satisfies either stays; with neither set, all do.
type Retention struct {
	Last   int
	MaxAge time.Duration
}

// Expired returns the snapshots that do not stay, oldest first.
func (r Retention) Expired(all []*Snapshot, now time.Time) []*Snapshot {
	if r.Last <= 0 && r.MaxAge <= 0 {
		return nil
	}
	sorted := slices.Clone(all)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].CreatedAt.Before(sorted[j].CreatedAt) })
	var out []*Snapshot
	for i, s := range sorted {
		newest := len(sorted)-i <= r.Last
		young := r.MaxAge > 0 && now.Sub(s.CreatedAt) < r.MaxAge
		if !newest && !young {
			out = append(out, s)
		}
	}
	return out
}

// References counts how many manifests name each object.
func References(manifests []*Manifest) map[string]int {
	refs := map[string]int{}
	for _, m := range manifests {
		for _, key := range m.Keys() {
			refs[key]++
		}
	}
	return refs
}

// Unshared are the objects of m that none of the kept manifests names.
func Unshared(m *Manifest, kept []*Manifest) []string {
	refs := References(kept)
	var out []string
	for _, key := range m.Keys() {
		if refs[key] == 0 {
			out = append(out, key)
		}
	}
	return out
}

// Garbage are the keys below a collection's prefix that can be removed: not the
// pointer, named by none of the kept manifests (those to be read still, and those
// of the snapshots), not one of them, and older than grace, since a publication
// under way has put objects that nothing names yet. What is no key of ours stays.
func Garbage(collection string, objects []objectstore.Info, kept []*Manifest, now time.Time, grace time.Duration) []string {
	refs := References(kept)
	numbers := map[uint64]bool{}
	for _, m := range kept {
		numbers[m.Number] = true
	}
	segments := collectionsPrefix + collection + segmentsFolder
	var out []string
	for _, o := range objects {
		n, isManifest := numberOf(collection, o.Key)
		ours := isManifest || len(o.Key) > len(segments) && o.Key[:len(segments)] == segments
		if !ours || refs[o.Key] > 0 || isManifest && numbers[n] || now.Sub(o.Modified) < grace {
			continue
		}
		out = append(out, o.Key)
	}
	return out
}
