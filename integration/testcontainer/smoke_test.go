package akidb

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTheSmokeTestPassesOnTheImage(t *testing.T) {
	for _, program := range []string{"psql", "curl", "docker"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
	}
	cmd := exec.Command("../../scripts/smoke-test-rc2.sh", image(t))
	cmd.Env = append(os.Environ(), "MINIO_IMAGE="+minioImage(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "smoke test passed\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
