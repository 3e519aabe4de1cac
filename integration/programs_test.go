package integration

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// program finds a client program. Where continuous integration runs it must be there.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	if cmd.Err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return cmd
}

func TestPsycopg2WritesReadsAndSeesErrors(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if program(t, python, "-c", "import psycopg2").Run() != nil && os.Getenv("CI") != "true" {
		t.Skip("python3-psycopg2 is not installed")
	}
	p := launch(t, t.TempDir())
	out, err := program(t, python, "testdata/psycopg2_client.py", p.url()).CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "done\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPgbenchRunsAndItsSumsAgree(t *testing.T) {
	p := launch(t, t.TempDir())
	where := []string{"-h", p.host, "-p", p.port, "-U", "postgres"}
	runs := [][]string{{"-i", "-I", "dtGvp", "-q"}}
	for _, mode := range []string{"simple", "extended", "prepared"} {
		runs = append(runs, []string{"-n", "-c", "4", "-t", "50", "-M", mode})
	}
	for _, args := range runs {
		out, err := program(t, "pgbench", append(append(where[:6:6], args...), "postgres")...).CombinedOutput()
		if err != nil || strings.Contains(string(out), "ERROR") {
			t.Fatalf("pgbench %v: %v\n%s", args, err, out)
		}
	}
	c := p.connect(t)
	got := show(query(t, c, `SELECT count(*), sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts),
		sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers), sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches) FROM pgbench_history`))
	if got != "600|t|t|t" {
		t.Errorf("after 600 transactions: %s", got)
	}
}
