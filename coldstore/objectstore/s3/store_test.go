package s3

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/fault"
	"github.com/akidb/akidb/coldstore/objectstore/metered"
	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
	"github.com/akidb/akidb/coldstore/objectstore/storetest"
	"github.com/akidb/akidb/internal/pgerr"
)

const bucket = "akidb"

var prefixes atomic.Int32

func start(t *testing.T, o miniotest.Options) *miniotest.Server {
	t.Helper()
	m := miniotest.Start(t, o)
	if err := m.MakeBucket(bucket); err != nil {
		t.Fatal(err)
	}
	return m
}

func options(m *miniotest.Server) Options {
	return Options{Endpoint: m.Endpoint, Bucket: bucket, AccessKey: miniotest.AccessKey, SecretKey: miniotest.SecretKey, CAFile: m.CAFile,
		Prefix: fmt.Sprintf("test/%d", prefixes.Add(1))}
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMinIOKeepsThePromisesOfAStore(t *testing.T) {
	m := start(t, miniotest.Options{})
	storetest.Run(t, func(t *testing.T) objectstore.Store { return open(t, options(m)) })
}

func TestMinIOWithRetriesAndLostAnswersKeepsThePromises(t *testing.T) {
	m := start(t, miniotest.Options{})
	storetest.Run(t, func(t *testing.T) objectstore.Store {
		f := fault.Wrap(open(t, options(m)), 7)
		f.Add(fault.Rule{Op: objectstore.OpPut, Chance: 0.1, Effect: fault.LoseAnswer(objectstore.Unavailable)})
		f.Add(fault.Rule{Op: objectstore.OpGet, Chance: 0.1, Effect: fault.Break(100_000)})
		f.Add(fault.Rule{Chance: 0.1, Effect: fault.Fail(objectstore.Throttled)})
		for _, stream := range []string{"big", "large"} { // cannot be read twice
			f.Add(fault.Rule{Op: objectstore.OpPut, Key: stream})
		}
		f.Add(fault.Rule{Op: objectstore.OpPut, Chance: 0.05, Effect: fault.Break(500)})
		return retry.Wrap(metered.Wrap(f, &metered.Counters{}), retry.Policy{Retries: 20, First: 1, Max: 1})
	})
}

func TestEveryEncryptionAndACustomAuthority(t *testing.T) {
	key := base64.StdEncoding.EncodeToString([]byte("01234567890123456789012345678901"))
	m := start(t, miniotest.Options{TLS: true, Env: []string{"MINIO_KMS_SECRET_KEY=test-key:" + key}})
	body := storetest.Bytes(17*storetest.MiB, 1)
	for _, set := range []func(*Options){
		func(o *Options) {},
		func(o *Options) { o.Encryption = "SSE-S3" },
		func(o *Options) { o.Encryption, o.KMSKey = "SSE-KMS", "test-key" },
		func(o *Options) { o.Encryption, o.CustomerKey = "SSE-C", key },
		func(o *Options) { o.Checksum = "md5" },
		func(o *Options) { o.Checksum = "none" },
	} {
		o := options(m)
		set(&o)
		t.Run(o.Encryption+o.Checksum, func(t *testing.T) {
			s := open(t, o)
			if err := objectstore.Probe(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			for _, data := range [][]byte{body, body[:1000], nil} {
				if _, err := objectstore.PutBytes(t.Context(), s, "k", data); err != nil {
					t.Fatal(err)
				}
				if st, err := s.Stat(t.Context(), "k"); err != nil || st.Size != int64(len(data)) {
					t.Fatalf("%+v %v", st, err)
				}
				got, _, err := objectstore.GetBytes(t.Context(), s, "k", objectstore.Range{})
				if err != nil || string(got) != string(data) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
			}
		})
	}
	o := options(m)
	o.CAFile = ""
	_, err := open(t, o).Stat(t.Context(), "k")
	if pe := pgerr.As(err); !objectstore.Is(err, objectstore.Denied) || !strings.Contains(pe.Hint, "ca_file") {
		t.Errorf("without the authority: %v", err)
	}
	o.InsecureSkipVerify = true
	if _, err := Open(o); err == nil {
		t.Error("verification was switched off silently")
	}
	warned := ""
	o.Warn = func(s string) { warned = s }
	if err := open(t, o).Check(t.Context()); err != nil || warned == "" {
		t.Errorf("%v, warned %q", err, warned)
	}
}

func TestErrorsOfARealStoreHaveTheirClass(t *testing.T) {
	m := start(t, miniotest.Options{})
	for _, c := range []struct {
		name string
		set  func(*Options)
		want objectstore.Class
		code string
		hint string
	}{
		{"wrong access key", func(o *Options) { o.AccessKey = "nobody" }, objectstore.Denied, pgerr.InsufficientPrivilege, "access key"},
		{"wrong secret", func(o *Options) { o.SecretKey = "wrong-secret" }, objectstore.Denied, pgerr.InsufficientPrivilege, "secret key"},
		{"no keys", func(o *Options) { o.AccessKey, o.Credentials = "", "anonymous" }, objectstore.Denied, pgerr.InsufficientPrivilege, "policy"},
		{"no bucket", func(o *Options) { o.Bucket = "nowhere" }, objectstore.NoBucket, pgerr.UndefinedFile, "Create the bucket"},
		{"nobody listens", func(o *Options) { o.Endpoint = "http://127.0.0.1:1" }, objectstore.Unavailable, pgerr.IOError, "endpoint"},
		{"https to http", func(o *Options) { o.Endpoint = strings.Replace(o.Endpoint, "http", "https", 1) }, objectstore.Invalid, pgerr.InvalidParameterValue, "http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(m)
			c.set(&o)
			s := open(t, o)
			_, perr := objectstore.PutBytes(t.Context(), s, "k", []byte("x"))
			_, gerr := s.Get(t.Context(), "k", objectstore.Range{})
			_, lerr := s.List(t.Context(), "", "", 0)
			for _, err := range []error{perr, gerr, lerr} {
				pe := pgerr.As(err)
				if !objectstore.Is(err, c.want) || pe == nil || pe.Code != c.code || !strings.Contains(pe.Hint, c.hint) {
					t.Errorf("%v, as %+v", err, pe)
				}
			}
			if err := s.Check(t.Context()); err == nil {
				t.Error("the check passes")
			}
		})
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for _, o := range []Options{
		{}, {Bucket: "x"}, {Bucket: "Upper"}, {Bucket: "akidb", Prefix: "a//b"}, {Bucket: "akidb", Prefix: strings.Repeat("p", 256)},
		{Bucket: "akidb", Endpoint: "ftp://x"}, {Bucket: "akidb", Endpoint: "http://x/path"}, {Bucket: "akidb", Endpoint: "http://user:pw@x"},
		{Bucket: "akidb", Addressing: "sideways"}, {Bucket: "akidb", Credentials: "guess"}, {Bucket: "akidb", Credentials: "static"},
		{Bucket: "akidb", Encryption: "ROT13"}, {Bucket: "akidb", Encryption: "SSE-C", CustomerKey: "short"},
		{Bucket: "akidb", Endpoint: "http://x", Encryption: "SSE-C"}, {Bucket: "akidb", CAFile: "/no/such/file"}, {Bucket: "akidb", Checksum: "parity"},
	} {
		if _, err := Open(o); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []Options{
		{Bucket: "akidb"}, {Bucket: "akidb", Region: "eu-central-1", Addressing: "virtual"}, {Bucket: "akidb", Endpoint: "minio:9000", Prefix: "/a/b/"},
		{Bucket: "akidb", Credentials: "role"}, {Bucket: "akidb", Credentials: "environment", Encryption: "SSE-S3", Addressing: "path"},
	} {
		if _, err := Open(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
