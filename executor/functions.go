package executor

import (
	"context"
	"strings"

	"github.com/akidb/akidb/executor/expr"
	"github.com/akidb/akidb/executor/plan"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// functions is a session as SQL functions see it: it implements expr.Session.
type functions struct{ *session }

// sequenceState is what currval and lastval remember.
type sequenceState struct {
	current map[types.OID]int64
	last    types.OID
}

// User is current_user.
func (f functions) User() string { return f.user }

// SessionUser is session_user.
func (f functions) SessionUser() string { return f.opts.User }

// Database is current_database().
func (f functions) Database() string { return f.opts.Database }

// PID is pg_backend_pid().
func (f functions) PID() int { return int(f.opts.PID) }

// SearchPath is the existing schemas that names are looked up in.
func (f functions) SearchPath(implicit bool) []string { return f.searchPath(implicit) }

func (s *session) searchPath(implicit bool) []string {
	cat := s.Catalog()
	value, _ := s.settings.raw("search_path")
	var path []string
	hasCatalog := false
	for _, name := range splitNames(value) {
		if name == "$user" {
			name = s.user
		}
		if name == "pg_temp" {
			name = tempSchema(s.id)
		}
		switch {
		case name == "pg_catalog":
			hasCatalog = true
			path = append(path, name)
		case name == "information_schema" || name == "akidb" || cat.Schema(name) != nil:
			path = append(path, name)
		}
	}
	if !implicit {
		return path
	}
	var before []string
	if temp := tempSchema(s.id); cat.Schema(temp) != nil {
		before = append(before, temp)
	}
	if !hasCatalog {
		before = append(before, "pg_catalog")
	}
	return append(before, path...)
}

// splitNames splits a list of identifiers at commas; quotes are taken off,
// others are folded to lower case.
func splitNames(s string) []string {
	var out []string
	var cur strings.Builder
	quoted, inQuotes := false, false
	add := func() {
		name := cur.String()
		if !quoted {
			name = strings.ToLower(strings.TrimSpace(name))
		}
		if name != "" {
			out = append(out, name)
		}
		cur.Reset()
		quoted = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && inQuotes && i+1 < len(s) && s[i+1] == '"':
			cur.WriteByte('"')
			i++
		case c == '"':
			inQuotes = !inQuotes
			if inQuotes {
				cur.Reset()
			}
			quoted = true
		case c == ',' && !inQuotes:
			add()
		case quoted && !inQuotes: // blanks after the closing quote
		default:
			cur.WriteByte(c)
		}
	}
	add()
	return out
}

// Setting reads a setting.
func (f functions) Setting(name string) (string, bool) {
	if v, ok := f.special(name); ok {
		return v, true
	}
	return f.settings.value(name)
}

// SetSetting is set_config.
func (f functions) SetSetting(name, value string, local bool) (string, error) {
	source := sourceSession
	if local {
		source = sourceLocal
	}
	shown, err := f.settings.assign(name, value, source)
	if err != nil {
		return "", err
	}
	f.refresh()
	return shown, nil
}

// NextValue is nextval.
func (f functions) NextValue(ctx context.Context, id types.OID) (int64, error) {
	q, err := f.sequenceByID(id)
	if err != nil {
		return 0, err
	}
	if err := f.checkWritable("nextval()"); err != nil {
		return 0, err
	}
	v, err := f.engine.source.NextValue(ctx, q)
	if err != nil {
		return 0, err
	}
	f.sequence.current[id], f.sequence.last = v, id
	return v, nil
}

func (s *session) sequenceByID(id types.OID) (*catalog.Sequence, error) {
	if q, ok := s.Catalog().Object(id).(*catalog.Sequence); ok {
		return q, nil
	}
	return nil, pgerr.Newf(pgerr.WrongObjectType, "object with OID %d is not a sequence", id)
}

// CurrentValue is currval.
func (f functions) CurrentValue(id types.OID) (int64, error) {
	q, err := f.sequenceByID(id)
	if err != nil {
		return 0, err
	}
	v, ok := f.sequence.current[id]
	if !ok {
		return 0, pgerr.Newf(pgerr.ObjectNotInPrerequisiteState, "currval of sequence %q is not yet defined in this session", q.Name)
	}
	return v, nil
}

// LastValue is lastval.
func (f functions) LastValue() (int64, error) {
	v, ok := f.sequence.current[f.sequence.last]
	if !ok {
		return 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "lastval is not yet defined in this session")
	}
	return v, nil
}

// SetValue is setval.
func (f functions) SetValue(ctx context.Context, id types.OID, value int64, called bool) error {
	q, err := f.sequenceByID(id)
	if err != nil {
		return err
	}
	if value < q.Min || value > q.Max {
		return pgerr.Newf(pgerr.NumericValueOutOfRange, "setval: value %d is out of bounds for sequence %q (%d..%d)", value, q.Name, q.Min, q.Max)
	}
	if err := f.checkWritable("setval()"); err != nil {
		return err
	}
	if err := f.engine.source.SetValue(ctx, id, value, called); err != nil {
		return err
	}
	if called {
		f.sequence.current[id], f.sequence.last = value, id
	}
	return nil
}

// scalar computes an expression that stands alone: an argument of EXECUTE, a value of SET.
func (s *session) scalar(e ast.Expr, want types.OID) (types.Datum, error) {
	s.startClock()
	bound, err := plan.BindScalar(s.planEnv(), e)
	if err != nil {
		return nil, err
	}
	if want != 0 && bound.Type().OID != want {
		if bound, err = expr.Coerce(s.env, bound, expr.Type{OID: want, Typmod: types.NoTypmod}, expr.CastAssignment); err != nil {
			return nil, err
		}
	}
	return bound.Eval(&expr.Context{Ctx: context.Background(), Env: s.env, Session: functions{s}})
}

// tables are the collections of a schema.
func tables(cat *catalog.Snapshot) []*catalog.Table {
	var out []*catalog.Table
	for _, o := range cat.Objects(catalog.KindTable) {
		out = append(out, o.(*catalog.Table))
	}
	return out
}
