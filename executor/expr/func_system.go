package expr

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
)

// Functions about the session and the server. What needs more than the session's
// own fields goes through Session.Do, under the function's name.

var systemFunctions = []*Function{
	session("current_user() name", func(s Session) types.Datum { return s.User() }),
	session("session_user() name", func(s Session) types.Datum { return s.SessionUser() }),
	session("getpgusername() name", func(s Session) types.Datum { return s.User() }),
	session("current_database() name", func(s Session) types.Datum { return s.Database() }),
	session("pg_backend_pid() int4", func(s Session) types.Datum { return int64(s.PID()) }),
	define("current_schema() name", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		if path := ctx.path(false); len(path) > 0 {
			return path[0], nil
		}
		return nil, nil
	}).stable(),
	define("current_schemas(bool) name[]", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		var names []types.Datum
		for _, s := range ctx.path(args[0].(bool)) {
			names = append(names, s)
		}
		return types.NewArray(types.NameOID, names), nil
	}).stable(),
	define("version() text", func(*Context, []types.Datum) (types.Datum, error) { return VersionText(), nil }).stable(),
	define("current_query() text", func(ctx *Context, _ []types.Datum) (types.Datum, error) { return ctx.do("current_query") }).volatile().withNulls(),

	define("current_setting(text) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return ctx.setting(args[0].(string), false)
	}).stable(),
	define("current_setting(text, bool) text", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return ctx.setting(args[0].(string), args[1].(bool))
	}).stable(),
	define("set_config(text, text, bool) text", evalSetConfig).volatile().withNulls(),
	defineRows("pg_show_all_settings() setof record", `name text, setting text, unit text, category text, short_desc text, extra_desc text,
		context text, vartype text, source text, min_val text, max_val text, enumvals text[], boot_val text, reset_val text, sourcefile text,
		sourceline int4, pending_restart bool`, settingRows).stable(),
	define("pg_client_encoding() name", constant("UTF8")).stable(),
	define("getdatabaseencoding() name", constant("UTF8")).stable(),
	define1("pg_encoding_to_char(int4) name", func(a types.Datum) (types.Datum, error) { return encodingNames[a.(int64)], nil }).stable(),
	define1("pg_char_to_encoding(name) int4", func(a types.Datum) (types.Datum, error) { return encodingNumber(a.(string)), nil }).stable(),
	define1("pg_encoding_max_length(int4) int4", func(a types.Datum) (types.Datum, error) {
		if a.(int64) == utf8Encoding {
			return int64(4), nil
		}
		return int64(1), nil
	}),

	define("pg_is_in_recovery() bool", constant(false)).volatile(),
	define("pg_is_wal_replay_paused() bool", constant(false)).volatile(),
	define("pg_jit_available() bool", constant(false)).volatile(),
	define("pg_rotate_logfile() bool", constant(false)).volatile(),
	define("pg_stat_reset() void", constant("")).volatile(),
	define("pg_stat_reset_shared(text) void", constant("")).volatile(),
	define("pg_stat_reset_single_table_counters(oid) void", constant("")).volatile(),
	define("pg_stat_clear_snapshot() void", constant("")).volatile(),
	define("pg_stat_force_next_flush() void", constant("")).volatile(),
	define("age(xid) int4", constant(int64(0))).stable(),
	define("mxid_age(xid) int4", constant(int64(0))).stable(),
	define("pg_trigger_depth() int4", constant(int64(0))).stable(),
	define("pg_my_temp_schema() oid", evalTempSchema).stable(),
	define("pg_is_other_temp_schema(oid) bool", constant(false)).stable(),
	serverFunction("pg_postmaster_start_time() timestamptz").stable(),
	serverFunction("pg_conf_load_time() timestamptz").stable(),
	serverFunction("pg_reload_conf() bool"),

	serverFunction("pg_cancel_backend(int4) bool"),
	serverFunction("pg_terminate_backend(pid int4, timeout int8 = 0) bool"),
	serverFunction("pg_notify(text, text) void").withNulls(),
	defineRows("pg_listening_channels() setof text", "", func(ctx *Context, _ []types.Datum) (func() (types.Row, error), error) {
		d, err := ctx.do("pg_listening_channels")
		if a, ok := d.(*types.Array); ok {
			return rowsOf(a.Elems), err
		}
		return rowsOf(nil), err
	}).stable(),
	define1("pg_blocking_pids(int4) int4[]", func(types.Datum) (types.Datum, error) { return types.NewArray(types.Int4OID, nil), nil }).volatile(),
	define1("pg_safe_snapshot_blocking_pids(int4) int4[]", func(types.Datum) (types.Datum, error) {
		return types.NewArray(types.Int4OID, nil), nil
	}).volatile(),
	define("pg_sleep(float8) void", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return sleep(ctx.Ctx, args[0].(float64))
	}).volatile(),
	define("pg_sleep_for(interval) void", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		iv := args[0].(types.Interval)
		days := float64(iv.Days) + float64(iv.Months)*30
		return sleep(ctx.Ctx, days*86400+float64(iv.Micros)/1e6)
	}).volatile(),
	define("pg_sleep_until(timestamptz) void", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		now := types.TimestampFromTime(time.Now())
		return sleep(ctx.Ctx, float64(args[0].(types.TimestampTZ)-now)/1e6)
	}).volatile(),

	define("inet_client_addr() inet", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		host, _, err := ctx.clientAddress()
		return orNull(host), err
	}).stable().withNulls(),
	define("inet_client_port() int4", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		_, port, err := ctx.clientAddress()
		if n, bad := strconv.Atoi(port); bad == nil {
			return int64(n), err
		}
		return nil, err
	}).stable().withNulls(),
	define("inet_server_addr() inet", constant(nil)).stable().withNulls(),
	define("inet_server_port() int4", constant(nil)).stable().withNulls(),
}

// session is the row of a function that reads the session.
func session(declaration string, read func(Session) types.Datum) *Function {
	return define(declaration, func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		if ctx.Session == nil {
			return nil, errNoSession
		}
		return read(ctx.Session), nil
	}).stable()
}

var errNoSession = pgerr.New(pgerr.FeatureNotSupported, "session functions are not supported here")

// constant is an evaluation that always gives the same.
func constant(d types.Datum) evalFunc {
	return func(*Context, []types.Datum) (types.Datum, error) { return d, nil }
}

// serverFunction is the row of a function that the executor runs under its name.
func serverFunction(declaration string) *Function {
	f := declare(declaration)
	f.Volatility = Volatile
	name := f.Name
	if f.Schema != "" {
		name = f.Schema + "." + name
	}
	f.Eval = func(ctx *Context, args []types.Datum) (types.Datum, error) { return ctx.do(name, args...) }
	return f
}

// do runs a server function.
func (ctx *Context) do(name string, args ...types.Datum) (types.Datum, error) {
	if ctx.Session == nil {
		return nil, errNoSession
	}
	if ctx.Ctx == nil {
		return ctx.Session.Do(context.Background(), name, args)
	}
	return ctx.Session.Do(ctx.Ctx, name, args)
}

func (ctx *Context) path(implicit bool) []string {
	if ctx.Session == nil {
		return nil
	}
	return ctx.Session.SearchPath(implicit)
}

// VersionText is version().
func VersionText() string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return "PostgreSQL " + ServerVersion + " (AkiDB) on " + arch + "-" + runtime.GOOS + ", compiled by " + runtime.Version() + ", 64-bit"
}

func (ctx *Context) setting(name string, missingOK bool) (types.Datum, error) {
	if ctx.Session == nil {
		return nil, errNoSession
	}
	if v, ok := ctx.Session.Setting(name); ok {
		return v, nil
	}
	if missingOK {
		return nil, nil
	}
	return nil, pgerr.Newf(pgerr.UndefinedObject, "unrecognized configuration parameter \"%s\"", name)
}

func evalSetConfig(ctx *Context, args []types.Datum) (types.Datum, error) {
	if ctx.Session == nil {
		return nil, errNoSession
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, pgerr.New(pgerr.NullValueNotAllowed, "SET requires parameter name")
	}
	value, _ := args[1].(string)
	local, _ := args[2].(bool)
	return datum(ctx.Session.SetSetting(name, value, local))
}

func evalTempSchema(ctx *Context, _ []types.Datum) (types.Datum, error) {
	for _, name := range ctx.path(true) {
		if len(name) > 8 && name[:8] == "pg_temp_" && ctx.Session.Catalog() != nil {
			if s := ctx.Session.Catalog().Schema(name); s != nil {
				return int64(s.ID), nil
			}
		}
	}
	return int64(0), nil
}

func settingRows(ctx *Context, _ []types.Datum) (func() (types.Row, error), error) {
	d, err := ctx.do("pg_show_all_settings")
	if err != nil {
		return nil, err
	}
	var rows []types.Row
	for _, e := range d.(*types.Array).Elems {
		rows = append(rows, e.(*types.Record).Values)
	}
	return rowsOfRows(rows), nil
}

const utf8Encoding = 6

// encodingNames are the encodings by number; only UTF8 is ever used.
var encodingNames = map[int64]string{
	0: "SQL_ASCII", 1: "EUC_JP", 2: "EUC_CN", 3: "EUC_KR", 4: "EUC_TW", 5: "EUC_JIS_2004", 6: "UTF8", 7: "MULE_INTERNAL", 8: "LATIN1",
	9: "LATIN2", 10: "LATIN3", 11: "LATIN4", 12: "LATIN5", 13: "LATIN6", 14: "LATIN7", 15: "LATIN8", 16: "LATIN9", 17: "LATIN10",
	18: "WIN1256", 19: "WIN1258", 20: "WIN866", 21: "WIN874", 22: "KOI8R", 23: "WIN1251", 24: "WIN1252",
}

func encodingNumber(name string) types.Datum {
	plain := ""
	for _, c := range name {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != '-' && c != '_' {
			plain += string(c)
		}
	}
	if plain == "UNICODE" {
		return int64(utf8Encoding)
	}
	for n, known := range encodingNames {
		if known == plain || known == "SQL_ASCII" && plain == "SQLASCII" {
			return n
		}
	}
	return int64(-1)
}

// sleep waits for a time or for the statement's end.
func sleep(ctx context.Context, seconds float64) (types.Datum, error) {
	if !(seconds > 0) {
		return "", nil
	}
	timer := time.NewTimer(time.Duration(min(seconds, maxSleepSeconds) * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return "", nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// maxSleepSeconds keeps the time within what a Duration can hold.
const maxSleepSeconds = 1e9

// clientAddress is the client's host and port, empty over a Unix socket.
func (ctx *Context) clientAddress() (host, port string, err error) {
	d, err := ctx.do("inet_client_addr")
	text, _ := d.(string)
	host, port, bad := net.SplitHostPort(text)
	if bad != nil {
		host = text
	}
	if net.ParseIP(host) == nil {
		return "", "", err
	}
	return host, port, err
}

func orNull(s string) types.Datum {
	if s == "" {
		return nil
	}
	return s
}
