package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/server"
	"github.com/akidb/akidb/sql"
)

// reloadable are the beginnings of the keys that a running server takes over.
// What is not here needs a restart.
var reloadable = []string{
	"settings.", "tiering.enabled", "tiering.worker_interval", "tiering.policy.", "log.level", "auth.method", "auth.loopback", "auth.password",
	"tls.cert", "tls.key", "tls.client_ca",
}

// Reload reads the configuration anew and takes over what a running server can;
// what it cannot is logged. When the new one is wrong, the old one stays whole.
func (n *node) Reload() error {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	if n.process.Load == nil {
		return fmt.Errorf("this server cannot read its configuration again")
	}
	next, err := n.process.Load()
	if err == nil {
		err = next.Validate()
	}
	if err == nil {
		err = n.apply(next)
	}
	if err != nil {
		n.log.Error("the configuration was not loaded: the old one stays", "error", err)
	}
	return err
}

// apply takes over a configuration. What can fail comes first.
func (n *node) apply(next config.Config) error {
	old := n.loaded
	tlsNow, err := tlsConfig(next.TLS)
	if err != nil {
		return err
	}
	tierOptions, err := n.tieringOf(next)
	if err != nil {
		return err
	}
	if err := n.engine.SetDefaults(settingsOf(next)); err != nil {
		return err
	}
	if tlsNow != nil && n.tls.Load() != nil {
		n.tls.Store(tlsNow) // also when the paths are the same: the files may be new
	}
	n.auth.Store(&next.Auth)
	n.manager.Configure(tierOptions)
	n.setLevel(next.Log.Level)
	if err := n.newPassword(old.Auth, next.Auth); err != nil {
		return err
	}
	n.loaded = next
	n.tell(config.Changes(&old, &next))
	return nil
}

// tell logs what has changed, and what waits for a restart.
func (n *node) tell(changes []config.Change) {
	n.log.Info("configuration loaded", "changes", len(changes))
	for _, c := range changes {
		if slices.ContainsFunc(reloadable, func(begin string) bool { return strings.HasPrefix(c.Key, begin) }) {
			n.log.Info(fmt.Sprintf("parameter %q changed", c.Key))
			continue
		}
		n.log.Warn(fmt.Sprintf("parameter %q cannot be changed without restarting the server", c.Key))
	}
}

// newPassword gives the first role a password that has changed in the
// configuration, where it still has the one from before.
func (n *node) newPassword(old, next config.Auth) error {
	if next.Password == old.Password || next.Password == "" || next.User != old.User {
		return nil
	}
	verifier, _, _ := n.engine.Verifier(next.User)
	if verifier != "" && !server.VerifyPassword(verifier, old.Password) {
		n.log.Warn("auth.password is not taken over: the role's password was changed by ALTER ROLE", "role", next.User)
		return nil
	}
	return execute(context.Background(), n.engine, "postgres", "postgres", "ALTER ROLE "+sql.QuoteIdent(next.User)+" PASSWORD "+sql.QuoteLiteral(next.Password))
}

// settingsOf are the values of settings that a configuration gives.
func settingsOf(c config.Config) map[string]string {
	out := maps.Clone(c.Settings)
	maps.Copy(out, c.SystemSettings())
	return out
}

func (n *node) setLevel(level string) {
	if n.process.Level == nil {
		return
	}
	var l slog.Level
	if l.UnmarshalText([]byte(level)) == nil { // Validate has refused other words
		n.process.Level.Set(l)
	}
}

// AlterSystem keeps a setting for the next reload.
func (n *node) AlterSystem(name string, value *string) error {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	values, err := config.ReadSystem(n.config.DataDir)
	if err != nil {
		return err
	}
	switch {
	case value != nil:
		values[name] = *value
	case name == "":
		clear(values)
	default:
		delete(values, name)
	}
	return config.WriteSystem(n.config.DataDir, values)
}

// liveTLS is a TLS configuration that gives each client the certificates of now.
func (n *node) liveTLS(first *tls.Config) *tls.Config {
	if first == nil {
		return nil
	}
	n.tls.Store(first)
	out := first.Clone()
	out.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		now := n.tls.Load().Clone()
		now.NextProtos = nil
		for _, p := range []string{"postgresql", "http/1.1"} {
			if slices.Contains(hello.SupportedProtos, p) {
				now.NextProtos = []string{p}
				break
			}
		}
		return now, nil
	}
	return out
}
