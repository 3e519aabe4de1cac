package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/akidb/akidb/server"
	"github.com/akidb/akidb/server/httpapi"
)

// listenHTTP opens the HTTP port. Its sessions end before those who gave them:
// it is closed before the PostgreSQL port.
func (n *node) listenHTTP(out io.Writer, version string) error {
	l, err := bind("http_listen", n.config.HTTPListen)
	if err != nil {
		return err
	}
	api := httpapi.New(httpapi.Options{
		Version: version, Ready: n.store.Failed, ReadOnly: n.store.ReadOnly, Gatherer: n.metrics.registry, Profile: n.config.HTTPProfile,
		Admin: n.engine, Catalog: n.store.Catalog, NewPID: n.server.NewPID, User: n.config.Auth.User, TLSRequired: n.config.TLS.Required, AuthMethod: n.authMethod,
		VerifyPassword: server.VerifyPassword, MaxSessions: n.config.MaxConnections, MaxBody: n.config.HTTPMaxBody,
		Metrics: n.metrics, Logger: n.log,
	})
	h := api.Server()
	if n.config.HTTPTLS {
		l = tls.NewListener(l, n.liveTLS(n.tls.Load()))
	}
	n.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), n.patience)
		defer cancel()
		err := h.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.Close() // those who would not end are cut
		}
		api.Close()
		return err
	})
	go func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- fmt.Errorf("HTTP port: %w", err)
		}
	}()
	if host, port, err := net.SplitHostPort(l.Addr().String()); err == nil {
		scheme := "http"
		if n.config.HTTPTLS {
			scheme = "https"
		}
		fmt.Fprintf(out, "REST on %s://%s\n", scheme, net.JoinHostPort(reachable(host), port))
	}
	n.log.Info("HTTP port is open", "address", l.Addr().String())
	return nil
}
