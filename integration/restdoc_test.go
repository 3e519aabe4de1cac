package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var codeBlock = regexp.MustCompile("(?ms)^```(sh|json)\n(.*?)^```")

// TestTheCommandsOfTheRESTPageAnswerAsItSays runs the page's commands in order; a
// JSON block is what the last of the commands before it must answer, in part.
func TestTheCommandsOfTheRESTPageAnswerAsItSays(t *testing.T) {
	page, err := os.ReadFile("../docs/REST.md")
	if err != nil {
		t.Fatal(err)
	}
	r := launchREST(t)
	last, compared := "", 0
	for _, block := range codeBlock.FindAllStringSubmatch(string(page), -1) {
		kind, text := block[1], block[2]
		if kind == "sh" {
			last = lastAnswer(t, strings.ReplaceAll(strings.ReplaceAll(text, "http://127.0.0.1:8080", r.url), "curl ", "curl -sS "))
			continue
		}
		var want, got any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := json.Unmarshal([]byte(last), &got); err != nil {
			t.Fatalf("answered %s: %v", last, err)
		}
		if where := differs(want, got); where != "" {
			t.Errorf("the page says %sthe server %s(%s)", text, last, where)
		}
		compared++
	}
	if compared < 8 {
		t.Errorf("%d answers compared", compared)
	}
}

// lastAnswer runs a script and returns the last line that it prints.
func lastAnswer(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("bash", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// differs says where got lacks something of want.
func differs(want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for k, v := range w {
			if where := differs(v, g[k]); where != "" {
				return k + ": " + where
			}
		}
		return ""
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return fmt.Sprintf("%d elements, not %d", len(g), len(w))
		}
		for i := range w {
			if where := differs(w[i], g[i]); where != "" {
				return fmt.Sprintf("%d: %s", i, where)
			}
		}
		return ""
	}
	if want != got {
		return fmt.Sprintf("%v, not %v", got, want)
	}
	return ""
}
