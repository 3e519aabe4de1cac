package executor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// settingKind is the type of a setting's value, with pg_settings' names.
type settingKind string

const (
	boolSetting   settingKind = "bool"
	intSetting    settingKind = "integer"
	realSetting   settingKind = "real"
	stringSetting settingKind = "string"
	enumSetting   settingKind = "enum"
)

// setting is one row of the table of settings.
type setting struct {
	name  string
	kind  settingKind
	value string // default, canonical
	unit  string // of an integer: ms, s, kB
	min   float64
	max   float64
	enum  []string
	// context is pg_settings' context: who can change it.
	context  string
	category string
	about    string
	check    func(string) (string, error)
}

// Contexts: clients; the configuration, when it is loaded again; the
// configuration, at a start; nobody.
const (
	contextUser     = "user"
	contextReload   = "sighup"
	contextStart    = "postmaster"
	contextInternal = "internal"
)

const maxInt = math.MaxInt32

func boolean(name, value, about string) setting {
	return setting{name: name, kind: boolSetting, value: value, context: contextUser, about: about, category: "Client Connection Defaults"}
}

func integer(name, value, unit string, low, high float64, about string) setting {
	return setting{name: name, kind: intSetting, value: value, unit: unit, min: low, max: high, context: contextUser, about: about, category: "Client Connection Defaults"}
}

func realNumber(name, value string, low, high float64, about string) setting {
	return setting{name: name, kind: realSetting, value: value, min: low, max: high, context: contextUser, about: about, category: "Customized Options"}
}

func text(name, value, about string) setting {
	return setting{name: name, kind: stringSetting, value: value, context: contextUser, about: about, category: "Client Connection Defaults"}
}

func choice(name, value, about string, values ...string) setting {
	return setting{name: name, kind: enumSetting, value: value, enum: values, context: contextUser, about: about, category: "Client Connection Defaults"}
}

func fixed(d setting) setting {
	d.context = contextInternal
	d.category = "Preset Options"
	return d
}

// reloaded is a setting of the server as a whole.
func reloaded(d setting, category string) setting {
	d.context, d.category = contextReload, category
	return d
}

const tieringCategory = "Tiering"

func checked(d setting, check func(string) (string, error)) setting {
	d.check = check
	return d
}

var levels = []string{"debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"}

// settingTable lists every setting, by name. Those that change nothing here are
// known because clients set them.
var settingTable = []setting{
	text("application_name", "", "Sets the application name to be reported in statistics and logs."),
	choice("backslash_quote", "safe_encoding", `Sets whether "\'" is allowed in string literals.`, "safe_encoding", "on", "off"),
	fixed(integer("block_size", "8192", "", 8192, 8192, "Shows the size of a disk block.")),
	choice("bytea_output", "hex", "Sets the output format for bytea.", "escape", "hex"),
	boolean("check_function_bodies", "on", "Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE."),
	checked(text("client_encoding", "UTF8", "Sets the client's character set encoding."), checkEncoding),
	choice("client_min_messages", "notice", "Sets the message levels that are sent to the client.", levels...),
	choice("constraint_exclusion", "partition", "Enables the planner to use constraints to optimize queries.", "partition", "on", "off"),
	checked(text("DateStyle", "ISO, MDY", "Sets the display format for date and time values."), checkDateStyle),
	text("default_table_access_method", "heap", "Sets the default table access method for new tables."),
	text("default_tablespace", "", "Sets the default tablespace to create tables and indexes in."),
	text("default_text_search_config", "pg_catalog.english", "Sets default text search configuration."),
	boolean("default_transaction_deferrable", "off", "Sets the default deferrable status of new transactions."),
	checked(choice("default_transaction_isolation", "read committed", "Sets the transaction isolation level of each new transaction.",
		"serializable", "repeatable read", "read committed", "read uncommitted"), checkIsolation),
	boolean("default_transaction_read_only", "off", "Sets the default read-only status of new transactions."),
	boolean("enable_bitmapscan", "on", "Enables the planner's use of bitmap-scan plans."),
	boolean("enable_hashagg", "on", "Enables the planner's use of hashed aggregation plans."),
	boolean("enable_hashjoin", "on", "Enables the planner's use of hash join plans."),
	boolean("enable_indexonlyscan", "on", "Enables the planner's use of index-only-scan plans."),
	boolean("enable_indexscan", "on", "Enables the planner's use of index-scan plans."),
	boolean("enable_mergejoin", "on", "Enables the planner's use of merge join plans."),
	boolean("enable_nestloop", "on", "Enables the planner's use of nested-loop join plans."),
	boolean("enable_seqscan", "on", "Enables the planner's use of sequential-scan plans."),
	boolean("enable_sort", "on", "Enables the planner's use of explicit sort steps."),
	boolean("escape_string_warning", "on", "Warn about backslash escapes in ordinary string literals."),
	integer("extra_float_digits", "1", "", -15, 3, "Sets the number of digits displayed for floating-point values."),
	integer("from_collapse_limit", "8", "", 1, maxInt, "Sets the FROM-list size beyond which subqueries are not collapsed."),
	integer("gin_fuzzy_search_limit", "0", "", 0, maxInt, "Sets the maximum allowed result for exact search by GIN."),
	integer("hnsw.ef_search", "40", "", 1, 1000, "Sets the size of the dynamic candidate list for search"),
	choice("hnsw.iterative_scan", "off", "Sets the mode for iterative scans", "off", "relaxed_order", "strict_order"),
	integer("hnsw.max_scan_tuples", "20000", "", 1, maxInt, "Sets the max number of tuples to visit for iterative scans"),
	realNumber("hnsw.scan_mem_multiplier", "1", 1, 1000, "Sets the multiple of work_mem to use for iterative scans"),
	integer("idle_in_transaction_session_timeout", "0", "ms", 0, maxInt, "Sets the maximum allowed idle time between queries, when in a transaction."),
	integer("idle_session_timeout", "0", "ms", 0, maxInt, "Sets the maximum allowed idle time between queries, when not in a transaction."),
	fixed(boolean("in_hot_standby", "off", "Shows whether hot standby is currently active.")),
	fixed(boolean("integer_datetimes", "on", "Shows whether datetimes are integer based.")),
	choice("IntervalStyle", "postgres", "Sets the display format for interval values.", "postgres", "postgres_verbose", "sql_standard", "iso_8601"),
	fixed(boolean("is_superuser", "on", "Shows whether the current user is a superuser.")),
	integer("ivfflat.probes", "1", "", 1, 32768, "Sets the number of probes"),
	choice("ivfflat.iterative_scan", "off", "Sets the mode for iterative scans", "off", "relaxed_order"),
	integer("ivfflat.max_probes", "32768", "", 1, 32768, "Sets the max number of probes for iterative scans"),
	boolean("jit", "off", "Allow JIT compilation."),
	integer("join_collapse_limit", "8", "", 1, maxInt, "Sets the FROM-list size beyond which JOIN constructs are not flattened."),
	fixed(text("lc_collate", "C", "Shows the collation order locale.")),
	fixed(text("lc_ctype", "C", "Shows the character classification and case conversion locale.")),
	text("lc_messages", "C", "Sets the language in which messages are displayed."),
	text("lc_monetary", "C", "Sets the locale for formatting monetary amounts."),
	text("lc_numeric", "C", "Sets the locale for formatting numbers."),
	text("lc_time", "C", "Sets the locale for formatting date and time values."),
	integer("lock_timeout", "0", "ms", 0, maxInt, "Sets the maximum allowed duration of any wait for a lock."),
	boolean("lo_compat_privileges", "off", "Enables backward compatibility mode for privilege checks on large objects."),
	integer("log_min_duration_statement", "-1", "ms", -1, maxInt, "Sets the minimum execution time above which all statements are logged."),
	reloaded(choice("log_min_messages", "info", "Sets the message levels that are logged.", "debug", "info", "warning", "error"), "Reporting and Logging"),
	integer("log_parameter_max_length", "0", "B", -1, maxInt, "Sets the maximum length in bytes of data logged for each parameter of a slow statement."),
	integer("maintenance_work_mem", "65536", "kB", 1024, maxInt, "Sets the maximum memory to be used for maintenance operations."),
	{name: "max_connections", kind: intSetting, value: "500", min: 1, max: maxInt, context: contextStart, category: "Connections and Authentication",
		about: "Sets the maximum number of concurrent connections."},
	fixed(integer("max_identifier_length", "63", "", 63, 63, "Shows the maximum identifier length.")),
	fixed(integer("max_index_keys", "32", "", 32, 32, "Shows the maximum number of index keys.")),
	integer("max_parallel_maintenance_workers", "2", "", 0, 1024, "Sets the maximum number of parallel processes per maintenance operation."),
	integer("max_parallel_workers", "8", "", 0, 1024, "Sets the maximum number of parallel workers that can be active at one time."),
	integer("max_parallel_workers_per_gather", "2", "", 0, 1024, "Sets the maximum number of parallel processes per executor node."),
	fixed(integer("max_prepared_transactions", "0", "", 0, 0, "Sets the maximum number of simultaneously prepared transactions.")),
	choice("password_encryption", "scram-sha-256", "Chooses the algorithm for encrypting passwords.", "scram-sha-256"),
	choice("plan_cache_mode", "auto", "Controls the planner's selection of custom or generic plan.", "auto", "force_generic_plan", "force_custom_plan"),
	fixed(integer("port", "5432", "", 1, 65535, "Sets the TCP port the server listens on.")),
	boolean("quote_all_identifiers", "off", "When generating SQL fragments, quote all identifiers."),
	text("role", "none", "Sets the current role."),
	boolean("row_security", "on", "Enable row security."),
	text("search_path", `"$user", public`, "Sets the schema search order for names that are not schema-qualified."),
	fixed(text("server_encoding", "UTF8", "Shows the server (database) character set encoding.")),
	fixed(text("server_version", "", "Shows the server version.")),
	fixed(integer("server_version_num", "0", "", 0, maxInt, "Shows the server version as an integer.")),
	fixed(text("session_authorization", "", "Sets the session user name.")),
	choice("session_replication_role", "origin", "Sets the session's behavior for triggers and rewrite rules.", "origin", "replica", "local"),
	fixed(integer("shared_buffers", "131072", "kB", 128, maxInt, "Sets the number of shared memory buffers used by the server.")),
	boolean("ssl", "off", "Enables SSL connections."),
	checked(boolean("standard_conforming_strings", "on", "Causes '...' strings to treat backslashes literally."), checkConforming),
	integer("statement_timeout", "0", "ms", 0, maxInt, "Sets the maximum allowed duration of any statement."),
	choice("synchronous_commit", "on", "Sets the current transaction's synchronization level.", "on", "off", "local", "remote_write", "remote_apply"),
	boolean("synchronize_seqscans", "on", "Enable synchronized sequential scans."),
	integer("tcp_keepalives_count", "0", "", 0, maxInt, "Maximum number of TCP keepalive retransmits."),
	integer("tcp_keepalives_idle", "0", "s", 0, maxInt, "Time between issuing TCP keepalives."),
	integer("tcp_keepalives_interval", "0", "s", 0, maxInt, "Time between TCP keepalive retransmits."),
	text("temp_tablespaces", "", "Sets the tablespace(s) to use for temporary tables and sort files."),
	checked(text("TimeZone", "UTC", "Sets the time zone for displaying and interpreting time stamps."), checkZone),
	reloaded(checked(text("tiering.access_window", "", "Sets the length of the window that accesses are counted in, as an interval."), checkSpan("tiering.access_window")), tieringCategory),
	reloaded(realNumber("tiering.access_window_hours", "1", 0, 1e6, "Sets the length of the window that accesses are counted in."), tieringCategory),
	reloaded(choice("tiering.cold_access", "serve", "Sets how a cold collection is read.", "serve", "restore", "direct"), tieringCategory),
	reloaded(boolean("tiering.enabled", "on", "Lets collections move between tiers by themselves."), tieringCategory),
	reloaded(integer("tiering.hot_promotion_threshold", "10", "", 1, maxInt, "Sets how many accesses inside the window promote a warm collection."), tieringCategory),
	reloaded(checked(text("tiering.hot_tier_ttl", "", "Sets the time without access after which a hot collection becomes warm, as an interval."), checkSpan("tiering.hot_tier_ttl")), tieringCategory),
	reloaded(realNumber("tiering.hot_tier_ttl_hours", "6", 0, 1e6, "Sets the time without access after which a hot collection becomes warm."), tieringCategory),
	reloaded(checked(text("tiering.max_hot_memory", "0", "Sets the memory of hot collections above which some become warm."), checkBytes("tiering.max_hot_memory")), tieringCategory),
	reloaded(checked(text("tiering.max_warm_disk", "0", "Sets the disk space of warm collections above which some become cold."), checkBytes("tiering.max_warm_disk")), tieringCategory),
	reloaded(checked(text("tiering.warm_tier_ttl", "", "Sets the time without access after which a warm collection becomes cold, as an interval."), checkSpan("tiering.warm_tier_ttl")), tieringCategory),
	reloaded(realNumber("tiering.warm_tier_ttl_days", "7", 0, 1e6, "Sets the time without access after which a warm collection becomes cold."), tieringCategory),
	reloaded(checked(text("tiering.worker_interval", "", "Sets the time between two cycles of the tiering worker, as an interval."), checkSpan("tiering.worker_interval")), tieringCategory),
	reloaded(integer("tiering.worker_interval_secs", "300", "s", 1, maxInt, "Sets the time between two cycles of the tiering worker."), tieringCategory),
	text("timezone_abbreviations", "Default", "Selects a file of time zone abbreviations."),
	boolean("track_activities", "on", "Collects information about executing commands."),
	boolean("transaction_deferrable", "off", "Whether to defer a read-only serializable transaction."),
	fixed(text("transaction_isolation", "read committed", "Sets the current transaction's isolation level.")),
	fixed(boolean("transaction_read_only", "off", "Sets the current transaction's read-only status.")),
	boolean("transform_null_equals", "off", `Treats "expr=NULL" as "expr IS NULL".`),
	fixed(choice("wal_level", "replica", "Sets the level of information written to the WAL.", "minimal", "replica", "logical")),
	integer("work_mem", "4096", "kB", 64, maxInt, "Sets the maximum memory to be used for query workspaces."),
	choice("xmlbinary", "base64", "Sets how binary values are to be encoded in XML.", "base64", "hex"),
	choice("xmloption", "content", "Sets whether XML data is to be considered as documents or content fragments.", "content", "document"),
}

var settingNames = sync.OnceValue(func() map[string]*setting {
	m := make(map[string]*setting, len(settingTable))
	for i := range settingTable {
		m[strings.ToLower(settingTable[i].name)] = &settingTable[i]
	}
	m["time zone"], m["names"] = m["timezone"], m["client_encoding"]
	return m
})

// findSetting finds a setting by name in any case, or nil.
func findSetting(name string) *setting {
	if d, ok := settingNames()[name]; ok {
		return d
	}
	return settingNames()[strings.ToLower(name)]
}

// allowed says whether a source may change the setting.
func (d *setting) allowed(source settingSource) error {
	why := ""
	switch {
	case source == sourceServer || d.context == contextUser:
		return nil
	case d.context == contextReload:
		why = " now"
	case d.context == contextStart:
		why = " without restarting the server"
	}
	return pgerr.Newf(pgerr.CantChangeRuntimeParam, "parameter %q cannot be changed%s", d.name, why)
}

// canonical checks a value and gives its canonical form.
func (d *setting) canonical(v string) (string, error) {
	if d.check != nil {
		return d.check(v)
	}
	switch d.kind {
	case boolSetting:
		return d.canonicalBool(v)
	case intSetting:
		return d.canonicalInt(v)
	case realSetting:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil {
			return "", d.invalid(v)
		}
		if f < d.min || f > d.max {
			return "", d.outside(v)
		}
		return strconv.FormatFloat(f, 'g', -1, 64), nil
	case enumSetting:
		for _, e := range d.enum {
			if strings.EqualFold(e, v) {
				return e, nil
			}
		}
		return "", d.invalid(v).WithHint("Available values: %s.", strings.Join(d.enum, ", "))
	default:
		return v, nil
	}
}

func (d *setting) invalid(v string) *pgerr.Error {
	return pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter %q: %q", d.name, v)
}

func (d *setting) outside(v string) *pgerr.Error {
	unit := ""
	if d.unit != "" {
		unit = " " + d.unit
	}
	return pgerr.Newf(pgerr.InvalidParameterValue, "%s%s is outside the valid range for parameter %q (%s%s .. %s%s)",
		v, unit, d.name, number(d.min), unit, number(d.max), unit)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (d *setting) canonicalBool(v string) (string, error) {
	switch l := strings.ToLower(strings.TrimSpace(v)); {
	case l == "":
	case l == "on", l == "1", strings.HasPrefix("true", l), strings.HasPrefix("yes", l):
		return "on", nil
	case l == "0", len(l) > 1 && strings.HasPrefix("off", l), strings.HasPrefix("false", l), strings.HasPrefix("no", l):
		return "off", nil
	}
	return "", pgerr.Newf(pgerr.InvalidParameterValue, "parameter %q requires a Boolean value", d.name)
}

// unitsOf gives each unit in terms of a base unit.
var unitsOf = map[string]map[string]float64{
	"ms": {"us": 0.001, "ms": 1, "s": 1000, "min": 60000, "h": 3600000, "d": 86400000},
	"s":  {"us": 1e-6, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400},
	"B":  {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40},
	"kB": {"B": 1.0 / 1024, "kB": 1, "MB": 1 << 10, "GB": 1 << 20, "TB": 1 << 30},
}

func (d *setting) canonicalInt(v string) (string, error) {
	s := strings.TrimSpace(v)
	end := len(s)
	for end > 0 && (s[end-1] >= 'a' && s[end-1] <= 'z' || s[end-1] >= 'A' && s[end-1] <= 'Z') {
		end--
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s[:end]), 64)
	if err != nil {
		return "", d.invalid(v)
	}
	if unit := s[end:]; unit != "" {
		factor, ok := unitsOf[d.unit][unit]
		if !ok {
			e := d.invalid(v)
			switch d.unit {
			case "kB", "B":
				return "", e.WithHint(`Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".`)
			case "ms", "s":
				return "", e.WithHint(`Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".`)
			}
			return "", e
		}
		f *= factor
	}
	f = math.RoundToEven(f)
	if f < d.min || f > d.max {
		return "", d.outside(number(f))
	}
	return number(f), nil
}

// shown is a canonical value as SHOW prints it, with the largest unit that fits.
func (d *setting) shown(v string) string {
	if d.kind != intSetting || d.unit == "" {
		return v
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n <= 0 {
		return v
	}
	type step struct {
		unit   string
		factor int64
	}
	var steps []step
	switch d.unit {
	case "ms":
		steps = []step{{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}}
	case "B":
		steps = []step{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}}
	case "s":
		steps = []step{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}}
	default:
		steps = []step{{"TB", 1 << 30}, {"GB", 1 << 20}, {"MB", 1 << 10}, {"kB", 1}}
	}
	for _, st := range steps {
		if n%st.factor == 0 {
			return fmt.Sprintf("%d%s", n/st.factor, st.unit)
		}
	}
	return v
}

func checkEncoding(v string) (string, error) {
	switch strings.ReplaceAll(strings.ToUpper(strings.Trim(v, " '\"")), "-", "") {
	case "UTF8", "UNICODE":
		return "UTF8", nil
	case "SQL_ASCII":
		return "SQL_ASCII", nil
	}
	return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter \"client_encoding\": %q", v).
		WithHint("This server speaks UTF8 only.")
}

// checkSpan takes an interval longer than nothing, or nothing.
func checkSpan(name string) func(string) (string, error) {
	return func(v string) (string, error) {
		if strings.TrimSpace(v) == "" {
			return "", nil
		}
		d, err := types.Parse(types.IntervalOID, types.NoTypmod, v, types.DefaultEnv())
		if iv, ok := d.(types.Interval); err != nil || !ok || iv.Months <= 0 && iv.Days <= 0 && iv.Micros <= 0 {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter %q: %q", name, v).
				WithHint(`It is an interval, like "90 seconds" or "24 hours".`)
		}
		return v, nil
	}
}

// checkBytes takes a number of bytes, or one with a unit.
func checkBytes(name string) func(string) (string, error) {
	d := setting{name: name, kind: intSetting, unit: "B", max: math.MaxInt64}
	return func(v string) (string, error) { return d.canonicalInt(v) }
}

func checkConforming(v string) (string, error) {
	if b, err := (&setting{name: "standard_conforming_strings"}).canonicalBool(v); err != nil || b == "on" {
		return b, err
	}
	return "", pgerr.Unsupported("standard_conforming_strings = off")
}

func checkIsolation(v string) (string, error) {
	v = strings.ToLower(v)
	if _, err := isolationLevel(v); err != nil {
		return "", err
	}
	return v, nil
}

func checkZone(v string) (string, error) {
	if strings.EqualFold(v, "default") || strings.EqualFold(v, "local") {
		return "UTC", nil
	}
	_, shown, ok := types.SettingZone(v)
	if !ok {
		return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter \"TimeZone\": %q", v)
	}
	return shown, nil
}

// checkDateStyle combines the words of a DateStyle with the default's other half.
func checkDateStyle(v string) (string, error) {
	style, order := "ISO", "MDY"
	for _, word := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch l := strings.ToLower(word); {
		case l == "iso":
			style = "ISO"
		case l == "sql":
			style = "SQL"
		case strings.HasPrefix(l, "postgres"):
			style = "Postgres"
		case l == "german":
			style = "German"
			order = "DMY"
		case l == "ymd":
			order = "YMD"
		case l == "dmy", strings.HasPrefix(l, "euro"):
			order = "DMY"
		case l == "mdy", strings.HasPrefix(l, "us"), strings.HasPrefix(l, "noneuro"), l == "default":
			order = "MDY"
		default:
			return "", pgerr.Newf(pgerr.InvalidParameterValue, "invalid value for parameter \"DateStyle\": %q", v)
		}
	}
	return style + ", " + order, nil
}
