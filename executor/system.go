package executor

import (
	"context"
	"strings"
	"time"

	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql/ast"
)

// System is how ALTER SYSTEM and pg_reload_conf reach the server's configuration.
type System interface {
	// AlterSystem keeps a setting's value, durably, for the next reload; nil
	// forgets it, and the name "" with nil forgets all.
	AlterSystem(name string, value *string) error
	// Reload reads the configuration anew.
	Reload() error
}

// loadedSettings are the server's values of all settings, of one reading of the configuration.
type loadedSettings struct {
	values map[string]string
	at     time.Time
}

// SetDefaults replaces the server's values of settings. Sessions take them over
// before their next statement, where they have not set others themselves.
func (e *Engine) SetDefaults(settings map[string]string) error {
	opts := e.opts
	opts.Settings = settings
	values, err := serverDefaults(opts)
	if err != nil {
		return err
	}
	e.defaults.Store(&loadedSettings{values, time.Now()})
	return nil
}

// KnownSetting says whether the configuration may give a value to a setting.
func KnownSetting(name string) bool {
	d := findSetting(name)
	return d != nil && d.context != contextInternal
}

// adopt takes over what the server's configuration says since the last statement.
func (s *session) adopt() {
	now := s.engine.defaults.Load()
	if s.loaded == now {
		return
	}
	s.loaded = now
	s.settings.defaults, s.settings.changed = now.values, true
	s.refresh()
}

// alterSystem is ALTER SYSTEM: the value is kept, and nothing changes before the
// configuration is loaded again.
func (s *session) alterSystem(t *ast.AlterSystem) (string, error) {
	const tag = "ALTER SYSTEM"
	if s.tx.block {
		return "", pgerr.New(pgerr.ActiveSQLTransaction, "ALTER SYSTEM cannot run inside a transaction block")
	}
	name := strings.ToLower(t.Set.Name)
	all := name == "all" && t.Set.Reset
	d := findSetting(name)
	switch {
	case !s.isSuperuser() && all:
		return "", pgerr.New(pgerr.InsufficientPrivilege, "permission denied to perform ALTER SYSTEM RESET ALL")
	case !s.isSuperuser():
		return "", pgerr.Newf(pgerr.InsufficientPrivilege, "permission denied to set parameter %q", t.Set.Name)
	case s.engine.opts.System == nil:
		return "", pgerr.Unsupported(tag)
	case all:
		return tag, s.engine.opts.System.AlterSystem("", nil)
	case d == nil:
		return "", unrecognized(t.Set.Name)
	case d.context == contextInternal:
		return "", pgerr.Newf(pgerr.CantChangeRuntimeParam, "parameter %q cannot be changed", d.name)
	case t.Set.Reset:
		return tag, s.engine.opts.System.AlterSystem(d.name, nil)
	}
	value, err := s.setValue(t.Set)
	if err != nil {
		return "", err
	}
	if value, err = d.canonical(value); err != nil {
		return "", err
	}
	return tag, s.engine.opts.System.AlterSystem(d.name, &value)
}

func (s *session) isSuperuser() bool {
	r := s.Catalog().Role(s.user)
	return r != nil && r.Super
}

// reloadConfiguration is pg_reload_conf.
func reloadConfiguration(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	if !s.isSuperuser() {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for function pg_reload_conf")
	}
	if s.engine.opts.System == nil {
		return false, nil
	}
	if err := s.engine.opts.System.Reload(); err != nil {
		s.warning(pgerr.Warning, "the configuration was not loaded: "+err.Error())
		return false, nil
	}
	return true, nil
}

// configurationLoaded is pg_conf_load_time.
func configurationLoaded(s *session, _ context.Context, _ []types.Datum) (types.Datum, error) {
	return stamp(s.engine.defaults.Load().at), nil
}
