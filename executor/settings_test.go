package executor

import (
	"reflect"
	"testing"

	"github.com/akidb/akidb/internal/pgerr"
)

func testSettings(t *testing.T) *settings {
	t.Helper()
	defaults, err := serverDefaults(Options{ServerVersion: "16.4"})
	if err != nil {
		t.Fatal(err)
	}
	s := newSettings(defaults)
	return &s
}

func TestSettingsAreCheckedAndShownAsPostgreSQLDoes(t *testing.T) {
	for _, tc := range []struct{ name, value, shown, code, message string }{
		{"work_mem", "64MB", "64MB", "", ""},
		{"work_mem", "1024", "1MB", "", ""},
		{"work_mem", "1 GB", "1GB", "", ""},
		{"work_mem", "64 parsecs", "", "22023", `invalid value for parameter "work_mem": "64 parsecs"`},
		{"work_mem", "1", "", "22023", `1 kB is outside the valid range for parameter "work_mem" (64 kB .. 2147483647 kB)`},
		{"statement_timeout", "1min", "1min", "", ""},
		{"statement_timeout", "1500", "1500ms", "", ""},
		{"statement_timeout", "0", "0", "", ""},
		{"HNSW.EF_SEARCH", "80", "80", "", ""},
		{"hnsw.ef_search", "1001", "", "22023", `1001 is outside the valid range for parameter "hnsw.ef_search" (1 .. 1000)`},
		{"hnsw.iterative_scan", "strict_order", "strict_order", "", ""},
		{"hnsw.nothing", "1", "", "42602", `invalid configuration parameter name "hnsw.nothing"`},
		{"enable_seqscan", "f", "off", "", ""},
		{"enable_seqscan", "o", "", "22023", `parameter "enable_seqscan" requires a Boolean value`},
		{"server_version_num", "17", "", "55P02", `parameter "server_version_num" cannot be changed`},
		{"server_version", "17", "", "55P02", `parameter "server_version" cannot be changed`},
		{"DateStyle", "german", "German, DMY", "", ""},
		{"client_encoding", "latin1", "", "22023", `invalid value for parameter "client_encoding": "latin1"`},
		{"myapp.user", "x", "x", "", ""},
		{"nothing", "x", "", "42704", `unrecognized configuration parameter "nothing"`},
	} {
		shown, err := testSettings(t).assign(tc.name, tc.value, sourceSession)
		if e := pgerr.As(err); (e != nil) != (tc.code != "") || e != nil && (e.Code != tc.code || e.Message != tc.message) || shown != tc.shown {
			t.Errorf("%s = %s: %q, %v; want %q, %s %s", tc.name, tc.value, shown, err, tc.shown, tc.code, tc.message)
		}
	}
}

func TestSettingsFollowTheTransaction(t *testing.T) {
	s := testSettings(t)
	set := func(value string, source settingSource) {
		t.Helper()
		if _, err := s.assign("hnsw.ef_search", value, source); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when, value string) {
		t.Helper()
		if got, _ := s.value("hnsw.ef_search"); got != value {
			t.Errorf("%s: %s, want %s", when, got, value)
		}
	}
	set("50", sourceClient)
	s.startDefaults()
	want("from the start-up packet", "50")
	set("60", sourceSession)
	s.commit()
	want("committed", "60")
	set("70", sourceLocal)
	want("local", "70")
	s.commit()
	want("after the transaction", "60")
	set("80", sourceSession)
	mark := len(s.journal)
	set("90", sourceSession)
	set("91", sourceLocal)
	s.rollback(mark)
	want("rolled back to the savepoint", "80")
	s.rollback(0)
	want("rolled back", "60")
	if err := s.unset("hnsw.ef_search", false); err != nil {
		t.Fatal(err)
	}
	want("reset", "50")
	s.rollback(0)
	want("reset rolled back", "60")
	s.resetAll()
	s.commit()
	want("all reset", "50")
}

func TestSearchPathsAreSplitIntoNames(t *testing.T) {
	for text, want := range map[string][]string{
		`"$user", public`:      {"$user", "public"},
		`A, "B c", "d""e",f `:  {"a", "B c", `d"e`, "f"},
		``:                     nil,
		`""`:                   nil,
		`pg_temp , "x,y",`:     {"pg_temp", "x,y"},
		"  spaced  ,\"Kept \"": {"spaced", "Kept "},
	} {
		if got := splitNames(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAdvisoryLocksExcludeOtherSessions(t *testing.T) {
	a := newAdvisoryLocks()
	key := advisoryKey{key: 7}
	try := func(session uint64, exclusive, xact bool) bool {
		ok, err := a.lock(t.Context(), session, key, exclusive, xact, false)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !try(1, true, false) || !try(1, true, true) || try(2, false, false) {
		t.Error("an exclusive lock does not exclude")
	}
	a.releaseTransaction(1)
	if try(2, true, false) {
		t.Error("the session's lock ended with its transaction")
	}
	got := make(chan bool)
	go func() {
		ok, err := a.lock(t.Context(), 2, key, true, false, true)
		got <- ok && err == nil
	}()
	if !a.unlock(1, key, true) || a.unlock(1, key, true) {
		t.Error("unlock")
	}
	if !<-got {
		t.Error("the waiter did not get the lock")
	}
	a.releaseAll(2)
	if len(a.held) != 0 {
		t.Errorf("%d locks are left", len(a.held))
	}
}
