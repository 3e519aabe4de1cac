package executor

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/akidb/akidb/executor/pgcatalog"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
	"github.com/akidb/akidb/sql/ast"
)

// settings are a session's parameters. Values are kept in their canonical form
// (on/off, numbers in the setting's base unit). Every change is written into a
// journal, so that a rollback can undo it.
type settings struct {
	defaults map[string]string // of the server
	session  map[string]string
	local    map[string]string // SET LOCAL
	reset    map[string]string // what RESET goes back to, where not the default
	journal  []settingChange
	changed  bool // since the last refresh
}

// settingChange is what a value was before a change.
type settingChange struct {
	name  string
	local bool
	had   bool
	value string
}

// settingSource says who assigns a value.
type settingSource uint8

const (
	sourceServer settingSource = iota
	sourceClient               // the start-up packet, ALTER ROLE … SET
	sourceSession
	sourceLocal
)

func newSettings(defaults map[string]string) settings {
	return settings{defaults: defaults, session: map[string]string{}, local: map[string]string{}, reset: map[string]string{}, changed: true}
}

// serverDefaults are the defaults with the configuration's overrides.
func serverDefaults(opts Options) (map[string]string, error) {
	out := map[string]string{}
	for i := range settingTable {
		out[settingTable[i].name] = settingTable[i].value
	}
	out["server_version"] = opts.ServerVersion
	out["server_version_num"] = versionNumber(opts.ServerVersion)
	for name, value := range opts.Settings {
		d := findSetting(name)
		if d == nil {
			return nil, unrecognized(name)
		}
		canonical, err := d.canonical(value)
		if err != nil {
			return nil, err
		}
		out[d.name] = canonical
	}
	return out, nil
}

// versionNumber is server_version_num: 15.14 is 150014.
func versionNumber(version string) string {
	major, minor, _ := strings.Cut(version, ".")
	a, _ := strconv.Atoi(major) // ours: always numbers
	b, _ := strconv.Atoi(minor)
	return strconv.Itoa(a*10000 + b)
}

func unrecognized(name string) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, "unrecognized configuration parameter %q", name)
}

// canonicalName finds a setting's spelling; custom names (with a dot) stay as they are.
func canonicalName(name string) (string, *setting, error) {
	if d := findSetting(name); d != nil {
		return d.name, d, nil
	}
	prefix, _, dotted := strings.Cut(name, ".")
	if !dotted {
		return "", nil, unrecognized(name)
	}
	switch strings.ToLower(prefix) {
	case "hnsw", "ivfflat", "akidb", "tiering":
		return "", nil, pgerr.Newf(pgerr.InvalidName, "invalid configuration parameter name %q", name).
			WithDetail("%q is a reserved prefix.", strings.ToLower(prefix))
	}
	return strings.ToLower(name), nil, nil
}

// raw returns a value in its canonical form.
func (s *settings) raw(name string) (string, bool) {
	if v, ok := s.local[name]; ok {
		return v, true
	}
	if v, ok := s.session[name]; ok {
		return v, true
	}
	if v, ok := s.reset[name]; ok {
		return v, true
	}
	v, ok := s.defaults[name]
	return v, ok
}

// value returns a value as SHOW prints it.
func (s *settings) value(name string) (string, bool) {
	canonical, d, err := canonicalName(name)
	if err != nil {
		return "", false
	}
	v, ok := s.raw(canonical)
	if ok && d != nil {
		v = d.shown(v)
	}
	return v, ok
}

// assign sets a value and returns it as SHOW prints it.
func (s *settings) assign(name, value string, source settingSource) (string, error) {
	canonical, d, err := canonicalName(name)
	if err != nil {
		return "", err
	}
	shown := value
	if d != nil {
		if err := d.allowed(source); err != nil {
			return "", err
		}
		if value, err = d.canonical(value); err != nil {
			return "", err
		}
		shown = d.shown(value)
	}
	s.changed = true
	switch source {
	case sourceLocal:
		s.put(s.local, canonical, value, true)
	case sourceClient:
		s.reset[canonical] = value
	default:
		s.remove(s.local, canonical, true)
		s.put(s.session, canonical, value, false)
	}
	return shown, nil
}

// unset is RESET and SET … TO DEFAULT.
func (s *settings) unset(name string, local bool) error {
	canonical, d, err := canonicalName(name)
	if err != nil {
		return err
	}
	if d != nil {
		if err := d.allowed(sourceSession); err != nil {
			return err
		}
	}
	s.changed = true
	if local {
		v, ok := s.reset[canonical]
		if !ok {
			v = s.defaults[canonical]
		}
		s.put(s.local, canonical, v, true)
		return nil
	}
	s.remove(s.local, canonical, true)
	s.remove(s.session, canonical, false)
	return nil
}

func (s *settings) put(m map[string]string, name, value string, local bool) {
	old, had := m[name]
	s.journal = append(s.journal, settingChange{name, local, had, old})
	m[name] = value
}

func (s *settings) remove(m map[string]string, name string, local bool) {
	old, had := m[name]
	if !had {
		return
	}
	s.journal = append(s.journal, settingChange{name, local, had, old})
	delete(m, name)
}

// resetAll is RESET ALL.
func (s *settings) resetAll() {
	for name := range s.session {
		s.remove(s.session, name, false)
	}
	for name := range s.local {
		s.remove(s.local, name, true)
	}
	s.changed = true
}

// startDefaults ends the start of a session: what was set so far is what RESET goes back to.
func (s *settings) startDefaults() { s.journal = s.journal[:0] }

// commit ends SET LOCAL.
func (s *settings) commit() {
	s.journal = s.journal[:0]
	if len(s.local) > 0 {
		clear(s.local)
		s.changed = true
	}
}

// rollback undoes the changes after the first n of the journal.
func (s *settings) rollback(n int) {
	for i := len(s.journal) - 1; i >= n; i-- {
		c := s.journal[i]
		m := s.session
		if c.local {
			m = s.local
		}
		if c.had {
			m[c.name] = c.value
		} else {
			delete(m, c.name)
		}
		s.changed = true
	}
	s.journal = s.journal[:n]
	if n == 0 && len(s.local) > 0 {
		clear(s.local)
		s.changed = true
	}
}

// limits are the settings that are read while statements run.
type limits struct {
	statementTimeout  time.Duration
	lockTimeout       time.Duration
	idle              time.Duration
	idleInTransaction time.Duration
	workMem           int64
	efSearch          int
	probes            int
	maxScan           int
	iterative         string
	asyncCommit       bool
	readOnly          bool
	// logMinDuration is from when on a statement is slow, below 0 never;
	// logParameters how many bytes of each of its parameters are logged, -1 all.
	logMinDuration time.Duration
	logParameters  int
	isolation      storage.Isolation
}

// refresh takes over settings that have changed.
func (s *session) refresh() {
	if s.settings.changed {
		s.settings.changed = false
		s.limits = s.readLimits()
		s.reportStatus()
		s.shared.Lock()
		s.shared.activity.application = s.Setting("application_name")
		s.shared.Unlock()
		s.env = s.makeEnv()
	}
}

func (s *session) readLimits() limits {
	number := func(name string) int64 {
		v, _ := s.settings.raw(name)
		n, _ := strconv.ParseInt(v, 10, 64) // canonical: always a number
		return n
	}
	is := func(name, want string) bool { v, _ := s.settings.raw(name); return v == want }
	millis := func(name string) time.Duration { return time.Duration(number(name)) * time.Millisecond }
	iterative, _ := s.settings.raw("hnsw.iterative_scan")
	l := limits{
		statementTimeout: millis("statement_timeout"), lockTimeout: millis("lock_timeout"),
		idle: millis("idle_session_timeout"), idleInTransaction: millis("idle_in_transaction_session_timeout"),
		workMem: number("work_mem") << 10, efSearch: int(number("hnsw.ef_search")), probes: int(number("ivfflat.probes")),
		maxScan: int(number("hnsw.max_scan_tuples")), iterative: iterative,
		asyncCommit: is("synchronous_commit", "off"), readOnly: is("default_transaction_read_only", "on"),
	}
	l.logMinDuration, l.logParameters = millis("log_min_duration_statement"), int(number("log_parameter_max_length"))
	if is("default_transaction_isolation", "repeatable read") {
		l.isolation = storage.RepeatableRead
	}
	return l
}

func (s *session) makeEnv() *types.Env {
	env := types.DefaultEnv()
	zone, _ := s.settings.raw("TimeZone")
	if loc, _, ok := types.SettingZone(zone); ok {
		env.TimeZone = loc
	}
	env.DateStyle, _ = s.settings.raw("DateStyle")
	env.IntervalStyle, _ = s.settings.raw("IntervalStyle")
	digits, _ := s.settings.raw("extra_float_digits")
	env.ExtraFloatDigits, _ = strconv.Atoi(digits) // canonical: always a number
	bytea, _ := s.settings.raw("bytea_output")
	env.ByteaEscape = bytea == "escape"
	env.Names = nameResolver{s}
	env.Users = catalog.Users{Now: s.Catalog}
	env.Now = s.tx.now
	return env
}

// nameResolver resolves reg* names in the session's present catalog.
type nameResolver struct{ session *session }

func (r nameResolver) ResolveName(kind types.OID, name string) (types.OID, error) {
	return pgcatalog.Names(r.session.catalogEnv()).ResolveName(kind, name)
}

func (r nameResolver) ObjectName(kind, oid types.OID) (string, bool) {
	return pgcatalog.Names(r.session.catalogEnv()).ObjectName(kind, oid)
}

// statusSettings are those whose changes the client is told of.
var statusSettings = []string{
	"application_name", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone",
	"standard_conforming_strings", "default_transaction_read_only", "is_superuser", "session_authorization",
}

// reportStatus tells the client of settings that have changed; at the start of a
// session the server tells all of them itself.
func (s *session) reportStatus() {
	first := s.env == nil
	if s.reported == nil {
		s.reported = map[string]string{}
	}
	for _, name := range statusSettings {
		v := s.Setting(name)
		if old, ok := s.reported[name]; !first && ok && old != v {
			s.opts.ParameterStatus(name, v)
		}
		s.reported[name] = v
	}
}

// set is SET and RESET.
func (s *session) set(t *ast.Set) (string, error) {
	tag := "SET"
	if t.Reset && !t.Default {
		tag = "RESET"
	}
	switch name := strings.ToLower(t.Name); {
	case name == "all" && t.Reset:
		s.settings.resetAll()
	case name == "transaction" || name == "session characteristics":
		return tag, s.setCharacteristics(name, t.Options)
	case name == "role" || name == "session_authorization":
		return tag, s.setRole(t)
	case name == "transaction_isolation" || name == "transaction_read_only":
		return tag, s.setTransactionSetting(name, t)
	case t.Reset:
		if err := s.settings.unset(t.Name, t.Local); err != nil {
			return "", err
		}
	default:
		value, err := s.setValue(t)
		if err != nil {
			return "", err
		}
		source := sourceSession
		if t.Local {
			if !s.tx.block {
				s.warning(pgerr.NoActiveSQLTransaction, "SET LOCAL can only be used in transaction blocks")
			}
			source = sourceLocal
		}
		if _, err := s.settings.assign(t.Name, value, source); err != nil {
			return "", err
		}
	}
	s.refresh()
	return tag, nil
}

// setValue makes the text of SET's values.
func (s *session) setValue(t *ast.Set) (string, error) {
	list := strings.EqualFold(t.Name, "search_path")
	var parts []string
	for _, e := range t.Values {
		v, err := s.settingText(e)
		if err != nil {
			return "", err
		}
		if list {
			v = sql.QuoteIdent(v)
		}
		parts = append(parts, v)
	}
	if len(parts) > 1 && !list && !strings.EqualFold(t.Name, "DateStyle") {
		if d := findSetting(t.Name); d != nil {
			return "", pgerr.Newf(pgerr.InvalidParameterValue, "SET %s takes only one argument", d.name)
		}
	}
	return strings.Join(parts, ", "), nil
}

func (s *session) settingText(e ast.Expr) (string, error) {
	switch v := e.(type) {
	case *ast.Const:
		switch v.Kind {
		case ast.ConstInt:
			return strconv.FormatInt(v.Int, 10), nil
		case ast.ConstBool:
			if v.Bool {
				return "on", nil
			}
			return "off", nil
		default:
			return v.Text, nil
		}
	case *ast.ColumnRef:
		return strings.Join(v.Parts, "."), nil
	case *ast.Op: // SET x = -1
		if v.Left == nil && v.Name == "-" {
			text, err := s.settingText(v.Right)
			return "-" + text, err
		}
	}
	if cast, ok := e.(*ast.TypeCast); ok && cast.Type.Names[len(cast.Type.Names)-1] == "interval" {
		return s.intervalText(e)
	}
	d, err := s.scalar(e, types.TextOID)
	if err != nil {
		return "", err
	}
	text, _ := d.(string)
	return text, nil
}

// intervalText is SET TIME ZONE INTERVAL: the hours as a number.
func (s *session) intervalText(e ast.Expr) (string, error) {
	d, err := s.scalar(e, types.IntervalOID)
	if err != nil {
		return "", err
	}
	iv, _ := d.(types.Interval)
	switch {
	case iv.Months != 0:
		return "", pgerr.New(pgerr.InvalidParameterValue, "Cannot specify months in time zone interval.")
	case iv.Days != 0:
		return "", pgerr.New(pgerr.InvalidParameterValue, "Cannot specify days in time zone interval.")
	}
	return strconv.FormatFloat(float64(iv.Micros)/3.6e9, 'g', -1, 64), nil
}

// setCharacteristics is SET TRANSACTION and SET SESSION CHARACTERISTICS.
func (s *session) setCharacteristics(what string, options []ast.Option) error {
	t := &ast.Transaction{}
	for _, o := range options {
		v := ""
		if o.Value != nil {
			var err error
			if v, err = s.settingText(o.Value); err != nil {
				return err
			}
		}
		switch o.Name {
		case "transaction_isolation":
			t.Isolation = strings.ToLower(v)
		case "transaction_read_only":
			on := v == "on" || v == "true" || v == "1"
			t.ReadOnly = &on
		}
	}
	if what == "transaction" {
		if !s.tx.block {
			s.warning(pgerr.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks")
		}
		return s.setTransaction(t)
	}
	if t.Isolation != "" {
		if _, err := s.settings.assign("default_transaction_isolation", t.Isolation, sourceSession); err != nil {
			return err
		}
	}
	if t.ReadOnly != nil {
		v := "off"
		if *t.ReadOnly {
			v = "on"
		}
		if _, err := s.settings.assign("default_transaction_read_only", v, sourceSession); err != nil {
			return err
		}
	}
	s.refresh()
	return nil
}

func (s *session) setTransactionSetting(name string, t *ast.Set) error {
	if t.Reset || len(t.Values) != 1 {
		return pgerr.Newf(pgerr.FeatureNotSupported, "parameter %q cannot be reset", name)
	}
	v, err := s.settingText(t.Values[0])
	if err != nil {
		return err
	}
	return s.setCharacteristics("transaction", []ast.Option{{Name: name, Value: &ast.Const{Kind: ast.ConstString, Text: v}}})
}

// setRole is SET ROLE and SET SESSION AUTHORIZATION.
func (s *session) setRole(t *ast.Set) error {
	name := s.opts.User
	if !t.Reset && len(t.Values) == 1 {
		v, err := s.settingText(t.Values[0])
		if err != nil {
			return err
		}
		if !strings.EqualFold(v, "none") && !strings.EqualFold(v, "default") {
			name = v
		}
	}
	role, self := s.Catalog().Role(name), s.Catalog().Role(s.opts.User)
	if role == nil {
		return pgerr.Newf(pgerr.InvalidParameterValue, "role %q does not exist", name)
	}
	if name != s.opts.User && (self == nil || !self.Super && !slices.Contains(self.MemberOf, name)) {
		return pgerr.Newf(pgerr.InsufficientPrivilege, "permission denied to set role %q", name)
	}
	s.user = name
	return nil
}

// showColumns describes SHOW's result.
func showColumns(t *ast.Show) []ResultColumn {
	switch t.Name {
	case "all":
		return textColumns("name", "setting", "description")
	case "tiers":
		return textColumns("collection", "tier", "pinned", "last_accessed_at", "access_count", "rows", "ram_bytes", "disk_bytes", "last_error")
	case "snapshots":
		return textColumns("name", "collection", "created", "rows", "bytes", "tier")
	}
	name := t.Name
	if d := findSetting(name); d != nil {
		name = d.name
	}
	return textColumns(name)
}

func (s *session) openShow(ctx context.Context, t *ast.Show) (rowSource, error) {
	switch t.Name {
	case "all":
		return &fixedRows{name: "SHOW", rows: s.showAll()}, nil
	case "tiers":
		return &fixedRows{name: "SHOW", rows: s.showTiers()}, nil
	case "snapshots":
		rows, err := s.showSnapshots(ctx)
		return &fixedRows{name: "SHOW", rows: rows}, err
	}
	v, ok := s.special(t.Name)
	if !ok {
		v, ok = s.settings.value(t.Name)
	}
	if !ok {
		return nil, unrecognized(t.Name)
	}
	return &fixedRows{name: "SHOW", rows: []types.Row{{v}}}, nil
}

// special are the settings whose values are a state of the session.
func (s *session) special(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "transaction_isolation":
		level := s.limits.isolation
		if s.tx.block {
			level = s.tx.isolation
		}
		if level == storage.RepeatableRead {
			return "repeatable read", true
		}
		return "read committed", true
	case "transaction_read_only":
		if s.checkWritable("") != nil {
			return "on", true
		}
		return "off", true
	case "session_authorization":
		return s.opts.User, true
	case "role":
		if s.user == s.opts.User {
			return "none", true
		}
		return s.user, true
	case "is_superuser":
		if r := s.Catalog().Role(s.user); r != nil && r.Super {
			return "on", true
		}
		return "off", true
	}
	return "", false
}

func (s *session) showAll() []types.Row {
	var rows []types.Row
	for i := range settingTable {
		d := &settingTable[i]
		v, ok := s.special(d.name)
		if !ok {
			v, _ = s.settings.value(d.name)
		}
		rows = append(rows, types.Row{d.name, v, d.about})
	}
	return rows
}
