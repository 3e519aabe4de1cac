package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestVariablesOfPostgresStandForOurs(t *testing.T) {
	for _, tc := range []struct {
		env  []string
		want Auth
		db   string
	}{
		{[]string{"POSTGRES_PASSWORD=p"}, Auth{User: "postgres", Password: "p", Method: "scram-sha-256", Loopback: "trust"}, "postgres"},
		{[]string{"POSTGRES_USER=ann", "POSTGRES_HOST_AUTH_METHOD=md5"}, Auth{User: "ann", Method: "scram-sha-256", Loopback: "trust"}, "ann"},
		{[]string{"POSTGRES_USER=ann", "POSTGRES_DB=shop", "POSTGRES_HOST_AUTH_METHOD=trust"}, Auth{User: "ann", Method: "trust", Loopback: "trust"}, "shop"},
		{[]string{"AKIDB_AUTH_PASSWORD=ours", "POSTGRES_PASSWORD=theirs"}, Auth{User: "postgres", Password: "ours", Method: "scram-sha-256", Loopback: "trust"}, "postgres"},
	} {
		environ, err := WithPostgres(tc.env)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Load("", environ)
		if err != nil || c.Auth != tc.want || c.Database != tc.db {
			t.Errorf("%v: got %+v %s %v", tc.env, c.Auth, c.Database, err)
		}
	}
	if _, err := WithPostgres([]string{"POSTGRES_HOST_AUTH_METHOD=peer"}); err == nil || !strings.Contains(err.Error(), "POSTGRES_HOST_AUTH_METHOD") {
		t.Errorf("got %v", err)
	}
}

func TestAPasswordComesFromAFile(t *testing.T) {
	file := write(t, "secret\n")
	c, err := Load("", []string{"AKIDB_AUTH_PASSWORD_FILE=" + file})
	if err != nil || c.Auth.Password != "secret" {
		t.Errorf("got %q %v", c.Auth.Password, err)
	}
	for _, env := range [][]string{
		{"AKIDB_AUTH_PASSWORD_FILE=" + file, "AKIDB_AUTH_PASSWORD=x"},
		{"AKIDB_AUTH_PASSWORD_FILE=" + filepath.Join(t.TempDir(), "none")},
	} {
		if _, err := Load("", env); err == nil || !strings.Contains(err.Error(), "auth.password_file") {
			t.Errorf("%v: %v", env, err)
		}
	}
}

func TestParametersOfAPostgresServerAreTaken(t *testing.T) {
	c := Default()
	for _, p := range []string{"fsync=off", "max_connections=7", "shared_buffers=128MB", "hnsw.ef_search=80"} {
		if err := c.ApplyParameter(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	if c.MaxConnections != 7 || c.Settings["synchronous_commit"] != "off" || c.Settings["hnsw.ef_search"] != "80" || len(c.Settings) != 2 {
		t.Errorf("got %d %v", c.MaxConnections, c.Settings)
	}
	for _, p := range []string{"fsync", "fsync=perhaps", "max_connections=many", "config_file=/etc/postgresql.conf"} {
		if err := c.ApplyParameter(p); err == nil {
			t.Errorf("%s is taken", p)
		}
	}
}
