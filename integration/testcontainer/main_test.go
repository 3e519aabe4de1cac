package akidb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// needDocker skips the test, with the reason, where there is no Docker engine.
// `make test-container` starts one if it can.
func needDocker(t *testing.T) {
	t.Helper()
	if reason := os.Getenv("AKIDB_NO_DOCKER"); reason != "" {
		t.Skip("no Docker engine: " + reason)
	}
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		t.Fatal(err)
	}
	if err := engine(); err != nil {
		t.Skipf("no Docker engine (make test-container starts one): %v", err)
	}
}

var engine = sync.OnceValue(func() error {
	provider, err := testcontainers.ProviderDocker.GetProvider()
	if err != nil {
		return err
	}
	return provider.Health(context.Background())
})

// image is the image under test: $AKIDB_IMAGE, or built here from the tree as it is.
func image(t *testing.T) string {
	t.Helper()
	needDocker(t)
	if name := os.Getenv("AKIDB_IMAGE"); name != "" {
		return name
	}
	name, err := builtImage()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

var builtImage = sync.OnceValues(func() (string, error) {
	root := filepath.Join("..", "..")
	for _, script := range [][]string{{"build-static.sh", "test", "build/image/akidb"}, {"image-root.sh", "build/image"}} {
		cmd := exec.Command(filepath.Join("scripts", script[0]), script[1:]...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", script, err, out)
		}
	}
	return build(testcontainers.FromDockerfile{Context: root, Repo: "akidb/akidb", Tag: "test", KeepImage: true,
		BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Target = "prebuilt" }})
})

// build builds an image and returns its name.
func build(from testcontainers.FromDockerfile) (string, error) {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", err
	}
	defer func() { _ = provider.Close() }() // its connections only
	return provider.BuildImage(context.Background(), &testcontainers.ContainerRequest{FromDockerfile: from})
}

// server starts a server that ends with the test.
func server(t *testing.T, options ...testcontainers.ContainerCustomizer) *Container {
	t.Helper()
	c, err := Run(t.Context(), image(t), options...)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatalf("%v\n%s", err, logs(c))
	}
	return c
}

func logs(c testcontainers.Container) string {
	if c == nil {
		return ""
	}
	r, err := c.Logs(context.Background())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = r.Close() }() // it is read
	return string(readAll(r))
}

// connect opens a connection that the test closes.
func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // the server may have gone
	return c
}

func exec1(t *testing.T, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one returns the only value of a query.
func one[T any](t *testing.T, c *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var out T
	if err := c.QueryRow(t.Context(), sql, args...).Scan(&out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// waitFor waits for a condition, for a minute at most.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !condition(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}
