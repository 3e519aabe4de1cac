package akidb

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

// minioImage is $MINIO_IMAGE, or one of the binary that `make minio` builds.
func minioImage(t *testing.T) string {
	t.Helper()
	needDocker(t)
	if name := os.Getenv("MINIO_IMAGE"); name != "" {
		return name
	}
	const name = "akidb-test/minio"
	if err := builtMinio(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return name
}

var minioOnce sync.Once

func builtMinio(name string) (err error) {
	minioOnce.Do(func() {
		out, failed := exec.Command("../../scripts/minio-image.sh", name).CombinedOutput()
		if failed != nil {
			err = fmt.Errorf("%w\n%s", failed, out)
		}
	})
	return err
}

// withMinio starts a MinIO and says how a server beside it reaches it.
func withMinio(t *testing.T) (beside testcontainers.CustomizeRequestOption, b Bucket) {
	t.Helper()
	name := minioImage(t)
	net, err := network.New(t.Context())
	testcontainers.CleanupNetwork(t, net)
	if err != nil {
		t.Fatal(err)
	}
	m, err := testcontainers.Run(t.Context(), name, testcontainers.WithCmd("server", "/data"), network.WithNetwork([]string{"minio"}, net),
		testcontainers.WithEnv(map[string]string{"MINIO_ROOT_USER": "akidb", "MINIO_ROOT_PASSWORD": "akidb-secret"}),
		testcontainers.WithExposedPorts("9000/tcp"), testcontainers.WithWaitStrategy(wait.ForHTTP("/minio/health/ready").WithPort("9000/tcp")))
	testcontainers.CleanupContainer(t, m)
	if err != nil {
		t.Fatal(err)
	}
	return network.WithNetwork([]string{"akidb"}, net),
		Bucket{Endpoint: "http://minio:9000", Name: "akidb", Create: true, AccessKey: "akidb", SecretKey: "akidb-secret"}
}

// call sends JSON to the HTTP port and reads JSON.
func call(t *testing.T, s *Container, method, path, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(defaultUser, defaultPassword)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text := readAll(res.Body)
	_ = res.Body.Close() // it is read
	if res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", method, path, res.Status, text)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%s %s: %s", method, path, text)
	}
	return out
}

func TestAServerBesideMinIOTakesSQLAndREST(t *testing.T) {
	beside, bucket := withMinio(t)
	s := server(t, beside, WithBucket(bucket))
	code, out, err := s.Exec(t.Context(), []string{"/akidb", "store", "check"})
	if text := readAll(out); err != nil || code != 0 || !strings.Contains(string(text), "honours conditional writes") {
		t.Errorf("store check: %d %s %v", code, text, err)
	}
	call(t, s, "POST", "/collections", `{"name": "items", "dimension": 3, "metric": "cosine"}`)
	call(t, s, "POST", "/collections/items/vectors", `[{"vector": [1, 0, 0]}, {"vector": [0, 1, 0]}, {"vector": [1, 1, 0]}]`)
	c := connect(t, s.DSN())
	exec1(t, c, "INSERT INTO items (embedding) VALUES ('[0, 0, 1]')")
	results := call(t, s, "POST", "/collections/items/search", `{"vector": [0, 0.1, 1], "k": 2}`)["results"].([]any)
	if len(results) != 2 || results[0].(map[string]any)["id"] != 4.0 {
		t.Errorf("got %v", results)
	}
	if n := one[int64](t, c, "SELECT count(*) FROM items"); n != 4 {
		t.Errorf("%d rows", n)
	}
}

// The compose file is started as it is, but for the images, which nothing here can pull.
func TestTheComposeFileStarts(t *testing.T) {
	env := append(os.Environ(), "AKIDB_IMAGE="+image(t), "MINIO_IMAGE="+minioImage(t), "AKIDB_PORT=0", "AKIDB_HTTP_PORT=0")
	compose := func(args ...string) (string, error) {
		cmd := exec.Command(filepath.Join("..", "..", "scripts", "compose.sh"),
			append([]string{"-f", "../../compose.yaml", "-p", "akidbtest" + fmt.Sprint(os.Getpid())}, args...)...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := compose("version"); err != nil {
		t.Skipf("no docker compose: %v %s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := compose("logs")
			t.Log(out)
		}
		if out, err := compose("down", "-v"); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
	})
	if out, err := compose("up", "-d"); err != nil {
		t.Fatalf("up: %v\n%s", err, out)
	}
	address, err := compose("port", "akidb", "5432")
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		out, err := compose("exec", "-T", "akidb", "/akidb", "store", "check")
		return err == nil && out != ""
	})
	c := connect(t, "postgres://postgres:akidb@"+address+"/postgres?sslmode=disable")
	exec1(t, c, "CREATE TABLE t (v vector(2)); INSERT INTO t VALUES ('[1,2]')")
	if got := one[string](t, c, "SELECT v::text FROM t"); got != "[1,2]" {
		t.Errorf("got %s", got)
	}
}
