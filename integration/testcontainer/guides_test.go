package akidb

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// The guides' commands with `docker run` are run as they stand, but for names, ports
// and images; the rest of the guides is run by a test in integration.
func TestTheDockerCommandsOfTheGuidesRun(t *testing.T) {
	name := image(t)
	runs := 0
	for _, page := range []string{"README.md", "docs/TUTORIAL.md", "docs/DEPLOYMENT-GUIDE.md"} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "docker run") {
				runs++
				dockerCommands(t, page, m[1], name)
			}
		}
	}
	if runs < 3 {
		t.Errorf("%d blocks were run", runs)
	}
}

func dockerCommands(t *testing.T, page, script, image string) {
	t.Helper()
	own := fmt.Sprintf("akidb-guide-%d", os.Getpid())
	script = strings.NewReplacer("--name akidb ", "--name "+own+" ", "docker exec akidb ", "docker exec "+own+" ", "-v akidb:", "-v "+own+":",
		"-p 127.0.0.1:5432:", "-p 127.0.0.1::", "-p 127.0.0.1:8080:", "-p 127.0.0.1::", "-p 5432:5432", "-p 127.0.0.1::5432", "-p 8080:8080", "-p 127.0.0.1::8080",
		Image, image).Replace(script)
	// The server is given a moment before the first command inside it, as a person would.
	script = strings.Replace(script, "docker exec", "for i in $(seq 100); do docker exec "+own+" /akidb health >/dev/null 2>&1 && break; sleep 0.1; done; docker exec", 1)
	defer func() {
		if out, err := exec.Command("docker", "rm", "-f", "-v", own).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		_ = exec.Command("docker", "volume", "rm", own).Run() // not every page has one
	}()
	if out, err := exec.Command("bash", "-ec", script).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", page, err, script, out)
	}
}
