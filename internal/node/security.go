package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/akidb/akidb/executor"
	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/config"
	"github.com/akidb/akidb/internal/storage"
	"github.com/akidb/akidb/sql"
)

// authMethod chooses trust or scram-sha-256 by the client's address.
func (n *node) authMethod(a net.Addr) string {
	c := n.auth.Load()
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsLoopback() {
		return c.Loopback
	}
	return c.Method
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

// firstRoles makes the configured superuser and gives it the configured password
// if it has none, and makes the configured name of the database.
func (n *node) firstRoles(ctx context.Context) error {
	user := n.config.Auth.User
	verifier, _, exists := n.engine.Verifier(user)
	if !exists {
		if err := execute(ctx, n.engine, "postgres", "postgres", "CREATE ROLE "+sql.QuoteIdent(user)+" SUPERUSER LOGIN CREATEDB CREATEROLE"); err != nil {
			return err
		}
	}
	switch {
	case verifier == "" && n.config.Auth.Password != "":
		err := execute(ctx, n.engine, "postgres", "postgres", "ALTER ROLE "+sql.QuoteIdent(user)+" PASSWORD "+sql.QuoteLiteral(n.config.Auth.Password))
		if err != nil {
			return err
		}
	case verifier == "" && n.config.Auth.Method == "scram-sha-256" && !loopbackOnly(n.config.Listen):
		n.log.Warn("the role has no password: nobody but clients on this machine can log in; set auth.password", "role", user)
	}
	return n.nameDatabase(ctx)
}

// loopbackOnly says whether only clients on this machine reach an address.
func loopbackOnly(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// nameDatabase adds the configured name of the database to the catalog.
func (n *node) nameDatabase(ctx context.Context) error {
	if n.engine.HasDatabase(n.config.Database) {
		return nil
	}
	id, err := n.store.NewID()
	if err != nil {
		return err
	}
	tx, err := n.store.Begin(ctx, storage.TxnOptions{})
	if err != nil {
		return err
	}
	if err = tx.StartStatement(ctx); err == nil {
		err = tx.Change(ctx, catalog.Put(&catalog.Database{ID: id, Name: n.config.Database}))
		err = errors.Join(err, tx.EndStatement(err == nil))
	}
	if err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit(ctx, false)
}

// execute runs statements as a role; what follows the first error is not run.
func execute(ctx context.Context, e *executor.Engine, user, database, text string) error {
	s, err := e.NewSession(ctx, executor.SessionOptions{User: user, Database: database})
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
