package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
)

// The guides' blocks are run in the order in which they stand: sh by bash, sql by
// psql, toml by akidb config check. A text block is what the block before it prints;
// … in it stands for anything. A block that cannot be run here has the reason before it.

// notRun are the reasons for which a block may be left out.
var notRun = []string{"starts the server", "needs Docker", "needs Kubernetes", "needs AWS"}

// guide is a page and what has to be there for it.
type guide struct {
	page string
	// least is the number of blocks that are run.
	least   int
	prepare func(t *testing.T, dir string, m *miniotest.Server)
}

var guides = []guide{
	{page: "TUTORIAL.md", least: 11},
	{page: "S3-CONFIGURATION-GUIDE.md", least: 10},
	{page: "DEPLOYMENT-GUIDE.md", least: 4, prepare: func(t *testing.T, dir string, _ *miniotest.Server) {
		if err := os.CopyFS(filepath.Join(dir, "docs/deploy"), os.DirFS("../docs/deploy")); err != nil {
			t.Fatal(err)
		}
	}},
	{page: "MIGRATION-V1-TO-V2.md", least: 8, prepare: func(t *testing.T, dir string, m *miniotest.Server) {
		if err := os.CopyFS(filepath.Join(dir, "v1-snapshots"), os.DirFS(v1Dir)); err != nil {
			t.Fatal(err)
		}
		if err := m.MakeBucket("v1-bucket"); err != nil {
			t.Fatal(err)
		}
		putDir(t, m, v1Dir, "v1-bucket", "snapshots")
	}},
}

func TestTheCommandsOfTheGuidesDoWhatTheySay(t *testing.T) {
	for _, g := range guides {
		t.Run(g.page, func(t *testing.T) {
			r := newGuideRun(t, g)
			for _, b := range blocks(t, "../docs/"+g.page) {
				r.block(t, b)
			}
			if r.count < g.least {
				t.Errorf("%d blocks were run", r.count)
			}
		})
	}
}

// block is a fenced block of a page.
type block struct {
	line             int
	kind, text, note string
}

var fence = regexp.MustCompile("(?ms)(?:^<!-- ([^\n]*) -->\n)?^```([a-z]+)\n(.*?)^```$")

func blocks(t *testing.T, file string) []block {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	for _, m := range fence.FindAllSubmatchIndex(page, -1) {
		b := block{line: 1 + strings.Count(string(page[:m[0]]), "\n"), kind: string(page[m[4]:m[5]]), text: string(page[m[6]:m[7]])}
		if m[2] >= 0 {
			b.note = string(page[m[2]:m[3]])
		}
		out = append(out, b)
	}
	return out
}

// guideRun is what the blocks of a page are run against.
type guideRun struct {
	dir     string
	replace *strings.Replacer
	env     []string
	last    string // what the last block printed
	count   int
}

func newGuideRun(t *testing.T, g guide) *guideRun {
	t.Helper()
	bin, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	m := miniotest.Start(t, miniotest.Options{})
	r := &guideRun{dir: t.TempDir()}
	if g.prepare != nil {
		g.prepare(t, r.dir, m)
	}
	file := filepath.Join(r.dir, "server.toml")
	writeFile(t, file, fmt.Sprintf("[cold_store]\nurl = \"s3://server\"\ncreate_bucket = true\nendpoint = %q\naccess_key = %q\nsecret_key = %q\n",
		m.Endpoint, miniotest.AccessKey, miniotest.SecretKey))
	http := freeAddress(t)
	p := launch(t, t.TempDir(), "--http-listen", http, "--config", file)
	minio := strings.TrimPrefix(m.Endpoint, "http://")
	r.replace = strings.NewReplacer("127.0.0.1:5432", p.host+":"+p.port, "127.0.0.1:8080", http, "127.0.0.1:9000", minio)
	path := filepath.Join(r.dir, "bin")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if bin, err = filepath.Abs(bin); err == nil {
		err = os.Symlink(bin, filepath.Join(path, "akidb"))
	}
	if err != nil {
		t.Fatal(err)
	}
	r.env = append(os.Environ(), "PATH="+path+":"+os.Getenv("PATH"), "PGHOST="+p.host, "PGPORT="+p.port, "PGUSER=postgres", "PGDATABASE=postgres",
		"LC_ALL=C.UTF-8", "PAGER=cat", "PSQLRC=/dev/null", "AKIDB_BIN=", "AKIDB_CRASH_RUNS=")
	r.env = slices.DeleteFunc(r.env, func(kv string) bool { return strings.HasPrefix(kv, "AKIDB_") })
	return r
}

func (r *guideRun) block(t *testing.T, b block) {
	t.Helper()
	if reason, ok := strings.CutPrefix(b.note, "not run: "); ok {
		if !slices.Contains(notRun, reason) {
			t.Errorf("line %d: %q is no known reason", b.line, reason)
		}
		return
	}
	if b.note != "" && b.kind != "toml" {
		t.Errorf("line %d: what does %q mean?", b.line, b.note)
	}
	if program, _, _ := strings.Cut(b.text, " "); program == "promtool" && os.Getenv("CI") != "true" {
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("line %d: promtool is not installed (Debian: prometheus)", b.line)
			return
		}
	}
	text := r.replace.Replace(b.text)
	switch b.kind {
	case "sh":
		r.run(t, b, exec.Command("bash", "-e", "-o", "pipefail", "-c", text))
	case "sql":
		cmd := exec.Command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1")
		cmd.Stdin = strings.NewReader(text)
		r.run(t, b, cmd)
	case "toml":
		r.config(t, b)
	case "text":
		if !like(b.text, r.last) {
			t.Errorf("line %d says\n%sit printed\n%s", b.line, b.text, r.last)
		}
	}
}

func (r *guideRun) run(t *testing.T, b block, cmd *exec.Cmd) {
	t.Helper()
	if cmd.Err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(cmd.Err)
		}
		t.Skip(cmd.Err)
	}
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if r.last, r.count = string(out), r.count+1; err != nil {
		t.Errorf("line %d: %v\n%s\n%s", b.line, err, b.text, out)
	}
}

// config checks a configuration. Files that it names need not be here.
func (r *guideRun) config(t *testing.T, b block) {
	t.Helper()
	text := b.text
	for _, m := range regexp.MustCompile(`"(/[a-z/]*\.(?:pem|crt|key))"`).FindAllStringSubmatch(text, -1) {
		here := filepath.Join(r.dir, filepath.Base(m[1]))
		writeFile(t, here, "")
		text = strings.ReplaceAll(text, m[1], here)
	}
	file := filepath.Join(r.dir, "page.toml")
	writeFile(t, file, text)
	r.run(t, b, exec.Command(filepath.Join(r.dir, "bin", "akidb"), "config", "check", "--config", file))
}

// like compares what was printed with what a page says; … is anything.
func like(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimRight(want, "\n")), "…", `(?s:.*)`)
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimRight(got, "\n"))
}
