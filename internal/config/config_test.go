package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultsAreValid(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestTheEnvironmentOverridesTheFile(t *testing.T) {
	file := write(t, "listen = \"127.0.0.1:6000\"\nmax_connections = 7\n[auth]\nmethod = \"trust\"\n[settings]\n\"hnsw.ef_search\" = \"80\"\n")
	c, err := Load(file, []string{"AKIDB_MAX_CONNECTIONS=9", "AKIDB_LOG_FORMAT=json", "AKIDB_SETTINGS_WORK_MEM=8MB", "AKIDB_SETTINGS_HNSW__EF_SEARCH=90", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:6000" || c.MaxConnections != 9 || c.Log.Format != "json" || c.Auth.Method != "trust" {
		t.Errorf("got %+v", c)
	}
	if c.Settings["hnsw.ef_search"] != "90" || c.Settings["work_mem"] != "8MB" {
		t.Errorf("settings %v", c.Settings)
	}
}

func TestWrongValuesAreNamed(t *testing.T) {
	for _, tc := range []struct{ file, env, want string }{
		{file: "lisen = \"x\"", want: `unknown key "lisen"; did you mean listen?`},
		{file: "[auth]\nmetod = \"trust\"", want: "did you mean auth.method?"},
		{env: "AKIDB_HTTP_LISTN=x", want: "did you mean AKIDB_HTTP_LISTEN?"},
		{file: "listen = 5", want: "listen"},
		{env: "AKIDB_LISEN=x", want: "AKIDB_LISEN"},
		{env: "AKIDB_MAX_CONNECTIONS=many", want: "AKIDB_MAX_CONNECTIONS"},
		{env: "AKIDB_TLS_REQUIRED=perhaps", want: "AKIDB_TLS_REQUIRED"},
		{env: "AKIDB_LISTEN=nowhere", want: `"listen"`},
		{env: "AKIDB_AUTH_METHOD=md5", want: `"auth.method"`},
		{env: "AKIDB_TLS_REQUIRED=true", want: `"tls.required"`},
		{env: "AKIDB_TLS_CERT=/no/such/file", want: `"tls.cert"`},
		{env: "AKIDB_MAX_CONNECTIONS=0", want: `"max_connections"`},
	} {
		c, err := Load(write(t, tc.file), []string{tc.env})
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("file %q env %q: got error %v, want one with %s", tc.file, tc.env, err, tc.want)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "akidb.toml")
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}
