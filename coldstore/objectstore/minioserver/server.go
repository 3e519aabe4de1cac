package minioserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The keys of every server.
const (
	AccessKey = "akidb-test"
	SecretKey = "akidb-test-secret"
)

// Options of a server.
type Options struct {
	// TLS gives the server a certificate of its own; Server.CAFile names it.
	TLS bool
	// Env is added to the server's environment.
	Env []string
}

// Server is a running MinIO with a data directory of its own.
type Server struct {
	Endpoint string
	CAFile   string
	Dir      string // one folder below it is one bucket

	options Options
	addr    string
	mu      sync.Mutex // guards cmd
	cmd     *exec.Cmd
	exited  chan struct{}
	log     *bytes.Buffer
}

// New runs a server on a directory; the caller stops it.
func New(dir string, o Options) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: filepath.Join(dir, "data"), options: o, addr: l.Addr().String()}
	s.Endpoint = "http://" + s.addr
	if err := l.Close(); err != nil {
		return nil, err
	}
	if o.TLS {
		s.Endpoint = "https://" + s.addr
		if s.CAFile, err = writeCertificate(filepath.Join(dir, "certs")); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, err
	}
	return s, s.Restart()
}

// Restart starts the server, again after Stop or Kill, on its old address.
func (s *Server) Restart() error {
	bin, err := Binary()
	if err != nil {
		return err
	}
	args := []string{"server", "--quiet", "--address", s.addr, "--console-address", "127.0.0.1:0"}
	if s.CAFile != "" {
		args = append(args, "--certs-dir", filepath.Dir(s.CAFile))
	}
	cmd := exec.Command(bin, append(args, s.Dir)...)
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+AccessKey, "MINIO_ROOT_PASSWORD="+SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CI_CD=on", "GOMAXPROCS=2")
	cmd.Env = append(cmd.Env, s.options.Env...)
	s.log = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ended by a signal
		close(exited)
	}()
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	return s.waitReady()
}

func (s *Server) waitReady() error {
	roots := x509.NewCertPool()
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return err
		}
		roots.AppendCertsFromPEM(pem)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: 2 * time.Second}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := client.Get(s.Endpoint + "/minio/health/cluster")
		if err == nil {
			_ = resp.Body.Close() // only the status counts
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return fmt.Errorf("MinIO ended: %s", strings.TrimSpace(s.log.String()))
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("MinIO was not ready in time: %s", s.log)
		}
	}
}

// Stop ends the server and waits.
func (s *Server) Stop() { s.signal(os.Interrupt) }

// Kill ends the server without a word.
func (s *Server) Kill() { s.signal(os.Kill) }

func (s *Server) signal(sig os.Signal) {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	_ = cmd.Process.Signal(sig) // it may have ended
	select {
	case <-exited:
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill() // as above
		<-exited
	}
}

// MakeBucket makes a bucket: MinIO takes every folder of its drive for one.
func (s *Server) MakeBucket(name string) error { return os.Mkdir(filepath.Join(s.Dir, name), 0o755) }
