package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/akidb/akidb/internal/config"
)

func healthCommand() *cobra.Command {
	var file, url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running server whether it is ready; for health checks of containers",
		Long: `Health asks the server of the same configuration (file and environment) whether it takes
statements: its HTTP port, or its PostgreSQL port where the HTTP port is off.

Exit codes: 0 it is ready, 1 it is not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return usageError{err}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			status, err := health(ctx, c, url)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), status)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "TOML `file` with the server's configuration")
	cmd.Flags().StringVar(&url, "url", "", "`address` to ask instead, like http://127.0.0.1:8080")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait")
	return cmd
}

func health(ctx context.Context, c config.Config, url string) (string, error) {
	switch {
	case url != "":
		return ready(ctx, url)
	case c.HTTPEnabled():
		return ready(ctx, "http://"+dialable(c.HTTPListen))
	}
	return "ready", answers(ctx, dialable(c.Listen))
}

// ready asks the HTTP port.
func ready(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/readyz", nil)
	if err != nil {
		return "", usageError{err}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(body))
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("not ready: %s %s", res.Status, text)
	}
	return text, nil
}

// sslRequest is the message that asks whether the PostgreSQL port speaks TLS;
// the answer, one byte, needs no login.
var sslRequest = []byte{0, 0, 0, 8, 4, 210, 22, 47}

func answers(ctx context.Context, address string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is lost with it
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := conn.Write(sslRequest); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

// dialable is an address to reach a server that listens on all addresses.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
