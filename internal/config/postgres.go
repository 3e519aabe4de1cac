package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// postgresVariables are the variables of PostgreSQL's container image, which
// tools set: the keys of ours that they stand for. Ours win.
var postgresVariables = map[string]string{
	"POSTGRES_USER":             "AKIDB_AUTH_USER",
	"POSTGRES_PASSWORD":         "AKIDB_AUTH_PASSWORD",
	"POSTGRES_PASSWORD_FILE":    "AKIDB_AUTH_PASSWORD_FILE",
	"POSTGRES_DB":               "AKIDB_DATABASE",
	"POSTGRES_HOST_AUTH_METHOD": "AKIDB_AUTH_METHOD",
}

// methodsOfPostgres are what POSTGRES_HOST_AUTH_METHOD may say; md5 and password
// ask for the same password, which we take the safer way.
var methodsOfPostgres = map[string]string{"trust": "trust", "scram-sha-256": "scram-sha-256", "md5": "scram-sha-256", "password": "scram-sha-256"}

// WithPostgres puts what PostgreSQL's variables say before environ, where ours,
// coming later, override it. The container image uses it, nothing else: on a
// developer's machine these variables belong to another server.
func WithPostgres(environ []string) ([]string, error) {
	var out []string
	user, database := "", ""
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		ours, known := postgresVariables[name]
		if !known || value == "" {
			continue
		}
		switch name {
		case "POSTGRES_USER":
			user = value
		case "POSTGRES_DB":
			database = value
		case "POSTGRES_HOST_AUTH_METHOD":
			method, ok := methodsOfPostgres[value]
			if !ok {
				return nil, fmt.Errorf("environment variable %s: %q is none of trust, scram-sha-256, md5, password", name, value)
			}
			value = method
		}
		out = append(out, ours+"="+value)
	}
	if user != "" && database == "" { // as PostgreSQL's image does it
		out = append(out, "AKIDB_DATABASE="+user)
	}
	return append(out, environ...), nil
}

// notOurs are settings of a PostgreSQL server that tools give on its command line
// and that AkiDB has no use for.
var notOurs = map[string]bool{
	"autovacuum": true, "bgwriter_delay": true, "checkpoint_completion_target": true, "checkpoint_timeout": true, "effective_cache_size": true,
	"effective_io_concurrency": true, "full_page_writes": true, "huge_pages": true, "listen_addresses": true, "log_connections": true,
	"log_destination": true, "log_disconnections": true, "log_duration": true, "log_min_duration_statement": true, "log_min_messages": true,
	"log_statement": true, "logging_collector": true, "max_locks_per_transaction": true, "max_prepared_transactions": true,
	"max_replication_slots": true, "max_wal_senders": true, "max_wal_size": true, "max_worker_processes": true, "min_wal_size": true,
	"random_page_cost": true, "shared_buffers": true, "shared_preload_libraries": true, "unix_socket_directories": true, "wal_buffers": true,
	"wal_level": true,
}

// ApplyParameter takes one "name=value" of a PostgreSQL server's option -c.
// fsync=off is taken for what it is meant for: commits that are not waited for.
func (c *Config) ApplyParameter(s string) error {
	name, value, ok := strings.Cut(s, "=")
	name = strings.ToLower(strings.TrimSpace(name))
	if !ok || name == "" {
		return fmt.Errorf("-c %s requires a value", s)
	}
	switch {
	case name == "fsync":
		on, err := boolean(value)
		if err != nil {
			return fmt.Errorf("-c fsync: %w", err)
		}
		if !on {
			c.Settings["synchronous_commit"] = "off"
		}
	case name == "max_connections":
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("-c max_connections: %q is not a number", value)
		}
		c.MaxConnections = n
	case name == "config_file":
		return fmt.Errorf("-c config_file: PostgreSQL's configuration files are not read; use --config with a TOML file")
	case notOurs[name]:
	default:
		return c.SetSetting(name, value)
	}
	return nil
}

func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "on", "yes":
		return true, nil
	case "off", "no":
		return false, nil
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%q is not a boolean", s)
	}
	return b, nil
}

// readPasswordFile puts the content of auth.password_file into auth.password.
func (c *Config) readPasswordFile() error {
	if c.Auth.PasswordFile == "" {
		return nil
	}
	if c.Auth.Password != "" {
		return fmt.Errorf("auth.password and auth.password_file exclude each other")
	}
	text, err := os.ReadFile(c.Auth.PasswordFile)
	if err != nil {
		return fmt.Errorf("auth.password_file: %w", err)
	}
	c.Auth.Password = strings.TrimRight(string(text), "\r\n")
	return nil
}
