package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionSaysWhatTheBinaryIs(t *testing.T) {
	out, code := akidb(t, nil, "version", "--json")
	var v struct{ Version, Commit, Go string }
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 || v.Version == "" || v.Commit == "" || !strings.HasPrefix(v.Go, "go1.") {
		t.Errorf("%d %s %v", code, out, err)
	}
}

func TestConfigShowSaysWhereEachValueComesFrom(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "akidb.toml")
	text := "data_dir = \"" + dir + "\"\n\n[auth]\npassword = \"hush\"\n[settings]\n\"hnsw.ef_search\" = \"70\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "settings.auto.toml"), []byte("\"tiering.hot_tier_ttl\" = \"2 hours\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := akidb(t, []string{"AKIDB_TIERING_COLD_ACCESS=direct"}, "config", "show", "--config", file, "-o", "json")
	var values []struct{ Key, Value, Source string }
	if err := json.Unmarshal([]byte(out), &values); err != nil || code != 0 {
		t.Fatalf("%d %s %v", code, out, err)
	}
	got := map[string][2]string{}
	for _, v := range values {
		got[v.Key] = [2]string{v.Value, v.Source}
	}
	for key, want := range map[string][2]string{
		"listen": {"127.0.0.1:5432", "default"}, "data_dir": {dir, "file " + file + ":1"}, "auth.password": {"********", "file " + file + ":4"},
		"settings.hnsw.ef_search": {"70", "file " + file + ":6"}, "tiering.policy.cold_access": {"direct", "variable AKIDB_TIERING_COLD_ACCESS"},
		"tiering.policy.hot_tier_ttl": {"2 hours", "ALTER SYSTEM"},
	} {
		if got[key] != want {
			t.Errorf("%s: %v, want %v", key, got[key], want)
		}
	}
	if strings.Contains(out, "hush") {
		t.Error("a secret is shown")
	}
}

func TestConfigCheckNamesTheFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "akidb.toml")
	for _, tc := range []struct{ text, want string }{
		{"[tiering.policy]\nhot_tier_tll_hours = 3\n", `:2: unknown key "tiering.policy.hot_tier_tll_hours"; did you mean tiering.policy.hot_tier_ttl_hours?`},
		{"listen = \"127.0.0.1:1\"\nmax_connections = \"many\"\n", "line 2"},
		{"[log]\nlevel = \"loud\"\n", `invalid value for "log.level"`},
		{"listen = \"nowhere\"\n", "is not an address"},
		{"[settings]\n\"tiering.enabled\" = \"perhaps\"\n", "tiering.enabled"},
	} {
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := akidb(t, nil, "config", "check", "--config", file); code != 2 || !strings.Contains(out, tc.want) {
			t.Errorf("%s: %d %s, want %s", tc.text, code, out, tc.want)
		}
	}
}

func TestCommandsTalkToTheServerThatTheEnvironmentNames(t *testing.T) {
	r := launchREST(t)
	c := r.connect(t)
	must(t, c, `CREATE TABLE "Odd" (id int PRIMARY KEY, v vector(2))`)
	env := []string{"PGHOST=" + r.host, "PGPORT=" + r.port, "PGUSER=postgres", "PGDATABASE=postgres"}
	for _, tc := range []struct {
		args string
		code int
		want string
	}{
		{"tier get", 0, "Odd"},
		{`tier pin "Odd"`, 0, `pinned "Odd"`},
		{"tier get -o json", 0, `"pinned": true`},
		{`tier unpin "Odd"`, 0, "unpinned"},
		{`tier set "Odd" warm --wait`, 0, `"Odd" is warm`},
		{`tier set "Odd" hot`, 0, `"Odd" moves to hot`},
		{`snapshot create Nightly "Odd"`, 0, "made"},
		{"snapshot list", 0, "Nightly"},
		{"snapshot restore Nightly --as Old", 0, "restored as Old"},
		{"tier get Old", 0, "hot"},
		{"snapshot drop Nightly -o json", 0, `"result":"snapshot Nightly dropped"`},
		{"snapshot drop Nightly", 1, "does not exist"},
		{"tier pin nothing", 1, `relation "nothing" does not exist`},
		{"tier plan", 0, "reason"},
		{"tier set x tepid", 2, "none of hot, warm, cold"},
		{"tier pin", 2, "accepts 1 arg(s)"},
		{"health --url " + r.url, 0, "ready"},
		{"completion bash", 0, "bash completion"},
		{"__complete tier pin ", 0, `"Odd"`},
	} {
		args := strings.Split(tc.args, " ")
		if out, code := akidb(t, env, args...); code != tc.code || !strings.Contains(out, tc.want) {
			t.Errorf("akidb %s: %d %s, want %d with %s", tc.args, code, out, tc.code, tc.want)
		}
	}
	r.stop(t)
	if out, code := akidb(t, env, "health", "--url", r.url); code != 1 {
		t.Errorf("health of a server that has ended: %d %s", code, out)
	}
	if out, code := akidb(t, nil, "check", r.dir, "-o", "json"); code != 0 || !strings.Contains(out, `"ok":true`) {
		t.Errorf("check: %d %s", code, out)
	}
}
