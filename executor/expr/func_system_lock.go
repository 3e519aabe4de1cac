package expr

import (
	"strings"

	"github.com/akidb/akidb/internal/types"
)

// lockFunctions are the advisory locks, transaction ids and the like.
var lockFunctions = append(advisoryFunctions(),
	serverFunction("pg_advisory_unlock_all() void"),
	serverFunction("txid_current() int8").stable(),
	serverFunction("pg_current_xact_id() xid8").stable(),
	serverFunction("txid_current_if_assigned() int8").stable(),
	serverFunction("pg_current_xact_id_if_assigned() xid8").stable(),
	serverFunction("pg_export_snapshot() text"),
)

// advisoryFunctions are the variants of one key and of two.
func advisoryFunctions() []*Function {
	var out []*Function
	for _, f := range strings.Fields(`pg_advisory_lock:void pg_advisory_lock_shared:void pg_advisory_xact_lock:void
		pg_advisory_xact_lock_shared:void pg_try_advisory_lock:bool pg_try_advisory_lock_shared:bool pg_try_advisory_xact_lock:bool
		pg_try_advisory_xact_lock_shared:bool pg_advisory_unlock:bool pg_advisory_unlock_shared:bool`) {
		name, result, _ := strings.Cut(f, ":")
		out = append(out, serverFunction(name+"(int8) "+result), serverFunction(name+"(int4, int4) "+result))
	}
	return out
}

// sequenceFunctions work on sequences.
var sequenceFunctions = []*Function{
	define("nextval(regclass) int8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if ctx.Session == nil {
			return nil, errNoSession
		}
		return datum(ctx.Session.NextValue(ctx.Ctx, types.OID(args[0].(int64))))
	}).volatile(),
	define("currval(regclass) int8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		if ctx.Session == nil {
			return nil, errNoSession
		}
		return datum(ctx.Session.CurrentValue(types.OID(args[0].(int64))))
	}).volatile(),
	define("lastval() int8", func(ctx *Context, _ []types.Datum) (types.Datum, error) {
		if ctx.Session == nil {
			return nil, errNoSession
		}
		return datum(ctx.Session.LastValue())
	}).volatile(),
	define("setval(regclass, int8) int8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return setValue(ctx, args[0], args[1], true)
	}).volatile(),
	define("setval(regclass, int8, bool) int8", func(ctx *Context, args []types.Datum) (types.Datum, error) {
		return setValue(ctx, args[0], args[1], args[2].(bool))
	}).volatile(),
	serverFunction("pg_sequence_last_value(regclass) int8"),
}

func setValue(ctx *Context, seq, value types.Datum, called bool) (types.Datum, error) {
	if ctx.Session == nil {
		return nil, errNoSession
	}
	return value, ctx.Session.SetValue(ctx.Ctx, types.OID(seq.(int64)), value.(int64), called)
}

// tierFunctions are AkiDB's own.
var tierFunctions = []*Function{
	serverFunction("akidb.set_tier(collection text, tier text) void"),
	serverFunction("akidb.pin(collection text) void"),
	serverFunction("akidb.unpin(collection text) void"),
	serverFunction("akidb.run_tiering_cycle() void"),
	defineRows("akidb.plan_tiering() setof record", "collection text, from_tier text, to_tier text, reason text", planRows),
	serverFunction("akidb.recall(collection text, column text, samples int4 = 100, k int4 = 10) float8"),
}

// planRows are the moves that the tiering policy would make now.
func planRows(ctx *Context, _ []types.Datum) (func() (types.Row, error), error) {
	d, err := ctx.do("akidb.plan_tiering")
	if err != nil {
		return nil, err
	}
	var rows []types.Row
	for _, e := range d.(*types.Array).Elems {
		rows = append(rows, e.(*types.Record).Values)
	}
	return rowsOfRows(rows), nil
}
