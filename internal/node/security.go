package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/sql"
)

// authMethod chooses trust or scram-sha-256 by the client's address.
func authMethod(c config.Auth) func(net.Addr) string {
	return func(a net.Addr) string {
		if t, ok := a.(*net.TCPAddr); ok && t.IP.IsLoopback() {
			return c.Loopback
		}
		return c.Method
	}
}

func tlsConfig(c config.TLS) (*tls.Config, error) {
	if c.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	out := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if c.ClientCA == "" {
		return out, nil
	}
	pem, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	out.ClientCAs = x509.NewCertPool()
	if !out.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.client_ca: %s holds no certificate", c.ClientCA)
	}
	out.ClientAuth = tls.RequireAndVerifyClientCert
	return out, nil
}

// setPassword gives the role postgres the configured password if it has none.
func (n *node) setPassword(ctx context.Context) error {
	if n.config.Auth.Password == "" {
		return nil
	}
	if verifier, _, _ := n.engine.Verifier("postgres"); verifier != "" {
		return nil
	}
	return execute(ctx, n.engine, "ALTER ROLE postgres PASSWORD "+sql.QuoteLiteral(n.config.Auth.Password))
}

// execute runs one statement as the role postgres.
func execute(ctx context.Context, e *executor.Engine, text string) error {
	s, err := e.NewSession(ctx, executor.SessionOptions{User: "postgres", Database: "postgres"})
	if err != nil {
		return err
	}
	defer s.Close()
	stmts, err := s.Parse(text)
	if err != nil {
		return err
	}
	for i := range stmts {
		prepared, err := s.Prepare(ctx, "", &stmts[i], nil)
		if err != nil {
			return err
		}
		portal, err := s.Bind(ctx, "", prepared, nil)
		if err != nil {
			return err
		}
		for {
			row, err := portal.Next(ctx)
			if err != nil {
				return err
			}
			if row == nil {
				break
			}
		}
	}
	return s.Sync(ctx)
}
