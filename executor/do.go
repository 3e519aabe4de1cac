package executor

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/akidb/akidb/executor/pgcatalog"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// serverFunction is a function that works on the server or the session; package
// expr calls it by name through Do.
type serverFunction func(s *session, ctx context.Context, args []types.Datum) (types.Datum, error)

// serverFunctions lists them by name.
var serverFunctions map[string]serverFunction

func init() { // a table of functions that refer to the session's methods
	serverFunctions = map[string]serverFunction{
		"akidb.set_tier":          setTier,
		"akidb.pin":               alterCollectionFunction("PIN"),
		"akidb.unpin":             alterCollectionFunction("UNPIN"),
		"akidb.run_tiering_cycle": runTieringCycle,
		"akidb.plan_tiering":      planTiering,

		"pg_reload_conf":       reloadConfiguration,
		"pg_conf_load_time":    configurationLoaded,
		"pg_cancel_backend":    cancelBackend,
		"pg_terminate_backend": terminateBackend,
		"pg_notify":            notifyFunction,
		"pg_postmaster_start_time": func(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
			return types.TimestampFromTime(s.engine.started), nil
		},
		"pg_relation_size":       tableSize,
		"pg_table_size":          tableSize,
		"pg_total_relation_size": tableSize,
		"pg_indexes_size":        func(*session, context.Context, []types.Datum) (types.Datum, error) { return int64(0), nil },
		"pg_database_size":       databaseSize,
		"pg_advisory_unlock_all": advisoryUnlockAll,
		"pg_get_keywords":        keywords,
		"pg_show_all_settings":   showAllSettings,
		"pg_listening_channels":  listeningChannels,
		"pg_sequence_last_value": sequenceLastValue,
		"txid_current":           transactionID,
		"pg_current_xact_id":     transactionID,
		"akidb.recall":           recall,
		"current_query": func(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
			s.shared.Lock()
			defer s.shared.Unlock()
			return s.shared.activity.query, nil
		},
		"statement_timestamp": func(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
			s.shared.Lock()
			defer s.shared.Unlock()
			return types.TimestampFromTime(s.shared.activity.queryStart), nil
		},
		"inet_client_addr": func(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
			host, _, err := net.SplitHostPort(s.opts.RemoteAddr)
			if err != nil {
				return orNull(s.opts.RemoteAddr), nil
			}
			return host, nil
		},
	}
	for _, name := range []string{"txid_current_if_assigned", "pg_current_xact_id_if_assigned"} {
		serverFunctions[name] = func(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
			if s.tx.xid == 0 {
				return nil, nil
			}
			return s.tx.xid, nil
		}
	}
	for _, shared := range []bool{false, true} {
		suffix := ""
		if shared {
			suffix = "_shared"
		}
		serverFunctions["pg_advisory_lock"+suffix] = advisoryLock(!shared, false, true)
		serverFunctions["pg_advisory_xact_lock"+suffix] = advisoryLock(!shared, true, true)
		serverFunctions["pg_try_advisory_lock"+suffix] = advisoryLock(!shared, false, false)
		serverFunctions["pg_try_advisory_xact_lock"+suffix] = advisoryLock(!shared, true, false)
		serverFunctions["pg_advisory_unlock"+suffix] = advisoryUnlock(!shared)
	}
}

// Do runs a server function.
func (f functions) Do(ctx context.Context, name string, args []types.Datum) (types.Datum, error) {
	if fn, ok := serverFunctions[name]; ok {
		return fn(f.session, ctx, args)
	}
	return nil, pgerr.Unsupported("the function " + name)
}

// transactionID is the transaction's number: none is used twice, also after a restart.
func transactionID(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	if s.tx.xid == 0 {
		s.tx.xid = s.engine.started.Unix()<<20 + s.engine.nextXID.Add(1)
	}
	return s.tx.xid, nil
}

// keywords gives the grammar's keywords as "word category barelabel".
func keywords(*session, context.Context, []types.Datum) (types.Datum, error) {
	var out []types.Datum
	for _, k := range sql.Keywords() {
		out = append(out, k.Word+" "+string(rune(k.Category))+" "+strconv.FormatBool(k.BareLabel))
	}
	return types.NewArray(types.TextOID, out), nil
}

// showAllSettings gives the rows of pg_settings as records.
func showAllSettings(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	next, err := pgcatalog.Open(s.catalogEnv(), "pg_catalog", "pg_settings", nil)
	if err != nil {
		return nil, err
	}
	var out []types.Datum
	for {
		row, err := next()
		if err != nil || row == nil {
			return types.NewArray(types.RecordOID, out), err
		}
		out = append(out, &types.Record{Values: row})
	}
}

func listeningChannels(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	var out []types.Datum
	for name, listeners := range s.engine.channels {
		if listeners[s] {
			out = append(out, name)
		}
	}
	return types.NewArray(types.TextOID, out), nil
}

func sequenceLastValue(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
	q, err := s.sequenceByID(types.OID(args[0].(int64)))
	if err != nil {
		return nil, err
	}
	if value, called, err := s.engine.source.SequenceState(q); called || err != nil {
		return value, err
	}
	return nil, nil
}

func cancelBackend(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
	other := s.engine.session(int32(args[0].(int64)))
	if other == nil {
		s.warning(pgerr.Warning, "PID is not a PostgreSQL backend process")
		return false, nil
	}
	other.cancelStatement(errCanceled())
	return true, nil
}

// terminateBackend ends a session's statement; its connection ends with the error.
func terminateBackend(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
	other := s.engine.session(int32(args[0].(int64)))
	if other == nil {
		s.warning(pgerr.Warning, "PID is not a PostgreSQL backend process")
		return false, nil
	}
	if other.opts.Terminate == nil {
		return false, nil
	}
	other.opts.Terminate()
	return true, nil
}

func notifyFunction(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
	channel, _ := args[0].(string)
	payload := ""
	if len(args) > 1 {
		payload, _ = args[1].(string)
	}
	return "", s.notifyStatement(channel, payload)
}

func tableSize(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
	id, ok := args[0].(int64)
	if !ok {
		return nil, nil
	}
	switch o := s.Catalog().Object(types.OID(id)).(type) {
	case *catalog.Table:
		return s.engine.source.Stats(o.ID).DiskBytes, nil
	case nil:
		return nil, nil
	}
	return int64(0), nil
}

func databaseSize(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	total := int64(0)
	for _, t := range tables(s.Catalog()) {
		total += s.engine.source.Stats(t.ID).DiskBytes
	}
	return total, nil
}

// advisoryKeyOf reads one int8 key or two int4 keys.
func advisoryKeyOf(args []types.Datum) advisoryKey {
	if len(args) == 2 {
		return advisoryKey{pair: true, key: args[0].(int64)<<32 | args[1].(int64)&0xffffffff}
	}
	return advisoryKey{key: args[0].(int64)}
}

func advisoryLock(exclusive, xact, wait bool) serverFunction {
	return func(s *session, ctx context.Context, args []types.Datum) (types.Datum, error) {
		if wait && s.limits.lockTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, s.limits.lockTimeout,
				pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout"))
			defer cancel()
		}
		got, err := s.engine.advisory.lock(ctx, s.id, advisoryKeyOf(args), exclusive, xact, wait)
		if err != nil {
			return nil, cause(ctx, err)
		}
		if wait {
			return "", nil // void
		}
		return got, nil
	}
}

func advisoryUnlock(exclusive bool) serverFunction {
	return func(s *session, _ context.Context, args []types.Datum) (types.Datum, error) {
		if s.engine.advisory.unlock(s.id, advisoryKeyOf(args), exclusive) {
			return true, nil
		}
		kind := "ExclusiveLock"
		if !exclusive {
			kind = "ShareLock"
		}
		s.warning(pgerr.Warning, "you don't own a lock of type "+kind)
		return false, nil
	}
}

func advisoryUnlockAll(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	s.engine.advisory.releaseAll(s.id)
	return "", nil
}

// dynamicRelations are the relations that only the executor knows the rows of.
func (s *session) dynamicRelations() map[string]func() ([]types.Row, error) {
	return map[string]func() ([]types.Row, error){
		"pg_stat_activity":              s.activityRows,
		"pg_settings":                   s.settingRows,
		"pg_prepared_statements":        s.preparedRows,
		"pg_cursors":                    s.cursorRows,
		"pg_stat_progress_create_index": s.progressRows,
		"snapshots":                     s.snapshotRows,
	}
}

func stamp(t time.Time) types.Datum {
	if t.IsZero() {
		return nil
	}
	return types.TimestampFromTime(t)
}

func orNull(s string) types.Datum {
	if s == "" {
		return nil
	}
	return s
}

// activityRows gives pid, usename, datname, application_name, client_addr,
// backend_start, xact_start, query_start, state_change, state, query.
func (s *session) activityRows() ([]types.Row, error) {
	var rows []types.Row
	super := s.isSuperuser()
	for _, o := range s.engine.all() {
		o.shared.Lock()
		a := o.shared.activity
		o.shared.Unlock()
		if o.opts.User != s.user && !super {
			a.query, a.state, a.xactStart, a.queryStart, a.changed = "<insufficient privilege>", "", time.Time{}, time.Time{}, time.Time{}
		}
		rows = append(rows, types.Row{
			int64(o.opts.PID), o.opts.User, o.opts.Database, a.application, orNull(o.opts.RemoteAddr),
			stamp(a.started), stamp(a.xactStart), stamp(a.queryStart), stamp(a.changed), orNull(a.state), a.query,
		})
	}
	return rows, nil
}

// settingRows gives name, setting, unit, category, description, context, type,
// minimum, maximum, enum values, boot value, reset value.
func (s *session) settingRows() ([]types.Row, error) {
	var rows []types.Row
	for i := range settingTable {
		d := &settingTable[i]
		v, ok := s.special(d.name)
		if !ok {
			v, _ = s.settings.raw(d.name)
		}
		var low, high, enum types.Datum
		if d.kind == intSetting || d.kind == realSetting {
			low, high = number(d.min), number(d.max)
		}
		if d.kind == enumSetting {
			elems := make([]types.Datum, len(d.enum))
			for i, e := range d.enum {
				elems[i] = e
			}
			enum = types.NewArray(types.TextOID, elems)
		}
		reset, ok := s.settings.reset[d.name]
		if !ok {
			reset = s.settings.defaults[d.name]
		}
		rows = append(rows, types.Row{d.name, v, orNull(d.unit), d.category, d.about, d.context, string(d.kind), low, high, enum, d.value, reset})
	}
	return rows, nil
}

// preparedRows gives name, statement, prepare_time, parameter types, from_sql.
func (s *session) preparedRows() ([]types.Row, error) {
	var rows []types.Row
	for name, p := range s.statements {
		if name == "" {
			continue
		}
		elems := make([]types.Datum, len(p.params))
		for i, oid := range p.params {
			elems[i] = int64(oid)
		}
		rows = append(rows, types.Row{name, p.text, stamp(p.made), types.NewArray(types.RegtypeOID, elems), p.bySQL})
	}
	return rows, nil
}

// cursorRows gives name, statement, is_holdable, is_binary, is_scrollable, creation_time.
func (s *session) cursorRows() ([]types.Row, error) {
	var rows []types.Row
	for name, p := range s.portals {
		if name == "" {
			continue
		}
		_, scroll := p.rows.(*keptRows)
		rows = append(rows, types.Row{name, p.prepared.text, p.hold, false, scroll, stamp(p.prepared.made)})
	}
	return rows, nil
}

// progressRows gives index oid, table oid, phase, done, total, the builder's pid.
func (s *session) progressRows() ([]types.Row, error) {
	var rows []types.Row
	for id, p := range s.engine.source.BuildProgress() {
		rows = append(rows, types.Row{int64(id), int64(p.Table), strings.ToLower(p.Phase), p.Done, p.Total, int64(p.Session)})
	}
	return rows, nil
}
