package s3

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
)

func TestKeysComeFromEverySource(t *testing.T) {
	m := start(t, miniotest.Options{})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	sts, err := credentials.NewSTSAssumeRole(m.Endpoint, credentials.STSAssumeRoleOptions{AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	v, err := sts.GetWithContext(&credentials.CredContext{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Token":%q,"Expiration":%q}`,
			v.AccessKeyID, v.SecretAccessKey, v.SessionToken, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer role.Close()
	for _, c := range []struct {
		name string
		env  map[string]string
		set  func(*Options)
	}{
		{"session token", nil, func(o *Options) {
			o.AccessKey, o.SecretKey, o.SessionToken = v.AccessKeyID, v.SecretAccessKey, v.SessionToken
		}},
		{"environment", map[string]string{"AWS_ACCESS_KEY_ID": miniotest.AccessKey, "AWS_SECRET_ACCESS_KEY": miniotest.SecretKey},
			func(o *Options) { o.AccessKey, o.Credentials = "", "environment" }},
		{"environment with a token, found by itself", map[string]string{"AWS_ACCESS_KEY_ID": v.AccessKeyID, "AWS_SECRET_ACCESS_KEY": v.SecretAccessKey, "AWS_SESSION_TOKEN": v.SessionToken},
			func(o *Options) { o.AccessKey = "" }},
		{"role", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": role.URL}, func(o *Options) { o.AccessKey, o.Credentials = "", "role" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			o := options(m)
			c.set(&o)
			if _, err := objectstore.PutBytes(t.Context(), open(t, o), "k", []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestABucketInTheHostName(t *testing.T) {
	m := start(t, miniotest.Options{Env: []string{"MINIO_DOMAIN=store.test"}})
	addr := strings.TrimPrefix(m.Endpoint, "http://")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	tr := &http.Transport{DialContext: func(ctx context.Context, network, host string) (net.Conn, error) {
		hosts = append(hosts, host)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	o := options(m)
	o.Endpoint, o.Addressing, o.Transport = "http://store.test:"+port, "virtual", tr
	s := open(t, o)
	if _, err := objectstore.PutBytes(t.Context(), s, "a b/ü+", []byte("x")); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), "a", "", 0)
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "a b/ü+" {
		t.Errorf("%+v, %v", page, err)
	}
	if hosts[0] != bucket+".store.test:"+port {
		t.Errorf("asked %v", hosts)
	}
}

func TestAStoreThatIsKilledAndComesBackIsReadOn(t *testing.T) {
	m := start(t, miniotest.Options{})
	data := storetest.Bytes(30*storetest.MiB, 1)
	inner := open(t, options(m))
	killed := false
	s := retry.Wrap(inner, retry.Policy{Sleep: func(context.Context, time.Duration) error {
		if !killed {
			return nil
		}
		killed = false
		return m.Restart()
	}})
	if _, err := objectstore.PutBytes(t.Context(), s, "k", data); err != nil {
		t.Fatal(err)
	}
	o, err := s.Get(t.Context(), "k", objectstore.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	got := make([]byte, 0, len(data))
	buf := make([]byte, 1<<20)
	for len(got) < len(data) {
		n, err := o.Body.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			break
		}
		if len(got) == n { // after the first read
			m.Kill()
			killed = true
		}
	}
	if !bytes.Equal(got, data) || killed {
		t.Errorf("%d of %d bytes, killed: %v", len(got), len(data), killed)
	}
}
