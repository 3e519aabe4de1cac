package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the file and the environment say: an error that names the place, or
// a configuration whose check says what it is.
func FuzzLoad(f *testing.F) {
	f.Add("listen = \"127.0.0.1:6000\"\n[auth]\nmethod = \"trust\"\n[settings]\n\"hnsw.ef_search\" = \"80\"\n", "AKIDB_LISTEN=:1")
	f.Add("[tiering.policy]\nhot_tier_ttl_hours = nan\ncold_access = 'direct'", "AKIDB_TIERING_HOT_TIER_TTL=1 day")
	f.Add("[tls]\nrequired = true\n", "AKIDB_SETTINGS_HNSW__EF_SEARCH=1\nAKIDB_SETTINGS_=")
	f.Add("settings = 5", "AKIDB_STORE_CACHE_BYTES=99999999999999999999")
	f.Add("[settings]\n[settings.hnsw]\nef_search = '3'", "AKIDB_=\nAKIDB")
	f.Add("log = []", "AKIDB_LOG=x\nAKIDB_HTTP_PROFILE=TRUE")
	f.Fuzz(func(t *testing.T, text, environ string) {
		file := filepath.Join(t.TempDir(), "akidb.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file, strings.Split(environ, "\n"))
		if err == nil {
			_ = c.Validate()
			return
		}
		if s := err.Error(); !strings.Contains(s, "akidb.toml") && !strings.Contains(s, envPrefix) {
			t.Errorf("%v names neither the file nor a variable", err)
		}
	})
}
