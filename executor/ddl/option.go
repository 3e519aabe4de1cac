package ddl

import (
	"strconv"
	"strings"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// optionKind is how a storage parameter's value is read.
type optionKind uint8

const (
	optionInt optionKind = iota
	optionReal
	optionBool
	optionText
	optionInterval
	optionCold
)

// option is a storage parameter of WITH (…) or SET (…).
type option struct {
	kind     optionKind
	min, max float64
}

var vacuumOptions = map[string]option{
	"autovacuum_enabled": {kind: optionBool}, "autovacuum_vacuum_threshold": {optionInt, 0, 1 << 31}, "autovacuum_analyze_threshold": {optionInt, 0, 1 << 31},
	"autovacuum_vacuum_insert_threshold": {optionInt, -1, 1 << 31}, "autovacuum_vacuum_cost_limit": {optionInt, 1, 10000},
	"autovacuum_vacuum_scale_factor": {optionReal, 0, 100}, "autovacuum_analyze_scale_factor": {optionReal, 0, 100},
	"autovacuum_vacuum_insert_scale_factor": {optionReal, 0, 100}, "autovacuum_vacuum_cost_delay": {optionReal, 0, 100},
	"autovacuum_freeze_min_age": {optionInt, 0, 1e9}, "autovacuum_freeze_max_age": {optionInt, 1e5, 2e9}, "autovacuum_freeze_table_age": {optionInt, 0, 2e9},
	"autovacuum_multixact_freeze_min_age": {optionInt, 0, 1e9}, "autovacuum_multixact_freeze_max_age": {optionInt, 1e4, 2e9},
	"autovacuum_multixact_freeze_table_age": {optionInt, 0, 2e9}, "log_autovacuum_min_duration": {optionInt, -1, 1 << 31},
	"vacuum_truncate": {kind: optionBool}, "vacuum_index_cleanup": {kind: optionText},
}

// tableOptions are PostgreSQL's, which are kept and mean nothing here, and AkiDB's own.
var tableOptions = map[string]option{
	"fillfactor": {optionInt, 10, 100}, "toast_tuple_target": {optionInt, 128, 8160}, "parallel_workers": {optionInt, 0, 1024},
	"user_catalog_table": {kind: optionBool},
	"tier":               {kind: optionText}, "tiering": {kind: optionBool}, "hot_tier_ttl": {kind: optionInterval}, "warm_tier_ttl": {kind: optionInterval},
	"hot_tier_ttl_hours": {optionReal, 0, 1e9}, "warm_tier_ttl_days": {optionReal, 0, 1e9},
	"access_window": {kind: optionInterval}, "access_window_hours": {optionReal, 0, 1e9}, "hot_promotion_threshold": {optionInt, 1, 1 << 31}, "cold_access": {kind: optionCold},
}

var btreeOptions = map[string]option{"fillfactor": {optionInt, 10, 100}, "deduplicate_items": {kind: optionBool}}

// unusedOptions are those of the methods that are accepted only, by method.
var unusedOptions = map[string]map[string]option{
	"hash":   {"fillfactor": {optionInt, 10, 100}},
	"gin":    {"fastupdate": {kind: optionBool}, "gin_pending_list_limit": {optionInt, 64, 2147483647}},
	"gist":   {"fillfactor": {optionInt, 10, 100}, "buffering": {kind: optionText}},
	"spgist": {"fillfactor": {optionInt, 10, 100}},
	"brin":   {"pages_per_range": {optionInt, 1, 131072}, "autosummarize": {kind: optionBool}},
}

// indexStorage are the options of an index that is not a vector index.
func indexStorage(method string) map[string]option {
	if o, ok := unusedOptions[method]; ok {
		return o
	}
	return btreeOptions
}

// vectorOptions are those of the vector indexes, by method.
var vectorOptions = map[string]map[string]option{
	"hnsw":    {"m": {optionInt, 2, 100}, "ef_construction": {optionInt, 4, 1000}},
	"ivfflat": {"lists": {optionInt, 1, 32768}},
}

func init() {
	for name, o := range vacuumOptions {
		tableOptions[name] = o
		tableOptions["toast."+name] = o
	}
}

// options checks storage parameters and returns them as text; nil when there are none.
func options(list []ast.Option, known map[string]option) (map[string]string, error) {
	var out map[string]string
	for _, o := range list {
		kind, ok := known[o.Name]
		if !ok {
			return nil, unknownOption(o.Name).At(o.Pos)
		}
		if _, twice := out[o.Name]; twice {
			return nil, pgerr.Newf(pgerr.InvalidParameterValue, `parameter "%s" specified more than once`, o.Name).At(o.Pos)
		}
		text, err := kind.read(o)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = map[string]string{}
		}
		out[o.Name] = text
	}
	return out, nil
}

func unknownOption(name string) *pgerr.Error {
	if namespace, rest, ok := strings.Cut(name, "."); ok && namespace != "toast" {
		return pgerr.Newf(pgerr.InvalidParameterValue, `unrecognized parameter namespace "%s"`, namespace)
	} else if ok {
		name = rest
	}
	return pgerr.Newf(pgerr.InvalidParameterValue, `unrecognized parameter "%s"`, name)
}

// read checks one value.
func (k option) read(o ast.Option) (string, error) {
	text := valueText(o.Value)
	switch k.kind {
	case optionBool:
		if _, ok := parseBool(text); !ok {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for boolean option "%s": %s`, o.Name, text)
		}
		return text, nil
	case optionInt:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for integer option "%s": %s`, o.Name, text)
		}
		return text, k.inRange(o.Name, text, float64(n))
	case optionReal:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for floating point option "%s": %s`, o.Name, text)
		}
		return text, k.inRange(o.Name, text, f)
	case optionInterval:
		return text, checkInterval(o.Name, text)
	case optionCold:
		if text != "serve" && text != "restore" && text != "direct" {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for enum option "%s": %s`, o.Name, text).
				WithDetail(`Valid values are "serve", "restore", and "direct".`)
		}
	}
	return text, nil
}

// checkInterval allows intervals that are longer than nothing.
func checkInterval(name, text string) error {
	d, err := types.Parse(types.IntervalOID, types.NoTypmod, text, types.DefaultEnv())
	if iv, ok := d.(types.Interval); err != nil || !ok || iv.Micros < 0 || iv.Days < 0 || iv.Months < 0 || iv == (types.Interval{}) {
		return pgerr.Newf(pgerr.InvalidParameterValue, `invalid value for interval option "%s": %s`, name, text).
			WithHint("Give an interval that is longer than nothing, as '90 s' or '24 hours'.")
	}
	return nil
}

func (k option) inRange(name, text string, value float64) error {
	if value >= k.min && value <= k.max {
		return nil
	}
	low, high := strconv.FormatFloat(k.min, 'f', -1, 64), strconv.FormatFloat(k.max, 'f', -1, 64)
	return pgerr.Newf(pgerr.InvalidParameterValue, `value %s out of bounds for option "%s"`, text, name).
		WithDetail(`Valid values are between "%s" and "%s".`, low, high)
}

// valueText is an option's value as text: a bare name means true.
func valueText(e ast.Expr) string {
	switch v := e.(type) {
	case nil:
		return "true"
	case *ast.Const:
		switch v.Kind {
		case ast.ConstInt:
			return strconv.FormatInt(v.Int, 10)
		case ast.ConstBool:
			return strconv.FormatBool(v.Bool)
		}
		return v.Text
	case *ast.ColumnRef:
		return strings.Join(v.Parts, ".")
	}
	return sql.Deparse(e)
}

// parseBool is parse_bool: any unambiguous beginning of the words, on, off, 1, 0.
func parseBool(s string) (value, ok bool) {
	s = strings.ToLower(s)
	switch {
	case s == "":
		return false, false
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, true
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), s == "of", s == "off", s == "0":
		return false, true
	}
	return false, false
}

// mergeOptions returns old with the values of add, without the names of remove.
func mergeOptions(old, add map[string]string, remove []string) map[string]string {
	out := map[string]string{}
	for k, v := range old {
		out[k] = v
	}
	for k, v := range add {
		out[k] = v
	}
	for _, k := range remove {
		delete(out, k)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
