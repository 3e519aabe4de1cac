package akidb

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Image is the image of the version that this module belongs to.
const Image = "akidb/akidb:2.0.0-rc2"

// What a container has unless told otherwise.
const (
	defaultUser     = "postgres"
	defaultPassword = "akidb"
	defaultDatabase = "postgres"
)

const (
	sqlPort  = "5432/tcp"
	httpPort = "8080/tcp"
	// startTimeout is for a machine that is busy: a start takes a third of a second.
	startTimeout = 60 * time.Second
	pollInterval = 20 * time.Millisecond
)

// Container is a running server.
type Container struct {
	testcontainers.Container
	dsn, http string
}

// Run starts a server and returns when it takes statements. The options are
// those of this package and of testcontainers-go. When the error is not nil the
// container may be too: give it to testcontainers.TerminateContainer either way.
func Run(ctx context.Context, image string, options ...testcontainers.ContainerCustomizer) (*Container, error) {
	all := append([]testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(sqlPort, httpPort),
		testcontainers.WithEnv(map[string]string{
			"POSTGRES_USER": defaultUser, "POSTGRES_PASSWORD": defaultPassword, "POSTGRES_DB": defaultDatabase,
		}),
		testcontainers.WithWaitStrategyAndDeadline(startTimeout,
			wait.ForHTTP("/readyz").WithPort(httpPort).WithPollInterval(pollInterval).WithStartupTimeout(startTimeout)),
	}, options...)
	started, err := testcontainers.Run(ctx, image, all...)
	var c *Container
	if started != nil {
		c = &Container{Container: started}
	}
	if err != nil {
		return c, fmt.Errorf("run %s: %w", image, err)
	}
	return c, c.locate(ctx)
}

// locate finds out the addresses, which change with every start.
func (c *Container) locate(ctx context.Context) error {
	details, err := c.Inspect(ctx)
	if err != nil {
		return err
	}
	env := environment(details.Config.Env)
	address, err := c.PortEndpoint(ctx, sqlPort, "")
	if err != nil {
		return err
	}
	dsn := url.URL{
		Scheme: "postgres", User: url.UserPassword(env["POSTGRES_USER"], env["POSTGRES_PASSWORD"]),
		Host: address, Path: "/" + env["POSTGRES_DB"], RawQuery: "sslmode=disable",
	}
	c.dsn = dsn.String()
	c.http, err = c.PortEndpoint(ctx, httpPort, "http")
	return err
}

// Start starts the container again after Stop and waits as Run does.
func (c *Container) Start(ctx context.Context) error {
	if err := c.Container.Start(ctx); err != nil {
		return err
	}
	return c.locate(ctx)
}

// DSN is the connection string, for any PostgreSQL client.
func (c *Container) DSN() string { return c.dsn }

// URL is the address of the HTTP port: REST, /metrics, /readyz.
func (c *Container) URL() string { return c.http }
