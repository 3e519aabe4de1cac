package crashpoint

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestAPlaceEndsTheProcessWhenItIsNamed(t *testing.T) {
	if os.Getenv("AKIDB_CRASH_POINT") != "" {
		Here("other")
		Here("place")
		Here("place")
		os.Exit(7)
	}
	for _, tc := range []struct {
		spec   string
		killed bool
	}{{"place", true}, {"place:2", true}, {"place:3", false}, {"nowhere", false}} {
		cmd := exec.Command(os.Args[0], "-test.run", t.Name())
		cmd.Env = append(os.Environ(), "AKIDB_CRASH_POINT="+tc.spec)
		var e *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &e) {
			t.Fatalf("%s: %v", tc.spec, err)
		}
		status := e.Sys().(syscall.WaitStatus)
		if killed := status.Signaled() && status.Signal() == syscall.SIGKILL; killed != tc.killed {
			t.Errorf("%s: %v", tc.spec, status)
		}
	}
}

func BenchmarkHere(b *testing.B) {
	for b.Loop() {
		Here("tiering.before-switch")
	}
}
