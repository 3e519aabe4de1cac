package node

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/akidb/akidb/coldstore/objectstore/miniotest"
	"github.com/akidb/akidb/internal/config"
)

func bucketConfig(t *testing.T, endpoint, name, secret string) config.Config {
	c := testConfig(t.TempDir())
	c.ColdStore.Endpoint, c.ColdStore.Bucket = endpoint, name
	c.ColdStore.AccessKey, c.ColdStore.SecretKey = miniotest.AccessKey, secret
	return c
}

func TestABucketThatDoesNotAnswerStopsNoServer(t *testing.T) {
	r := start(t, bucketConfig(t, "http://127.0.0.1:1", "akidb", "x"))
	r.end(t, nil)
	if !strings.Contains(r.log.String(), "the cold store does not answer") {
		t.Errorf("log:\n%s", r.log)
	}
}

func TestAWrongBucketOrKeyStopsTheStart(t *testing.T) {
	m := miniotest.Start(t, miniotest.Options{})
	if err := m.MakeBucket("akidb"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ bucket, secret, want string }{
		{"akidb", "wrong", "permission denied"},
		{"nobody", miniotest.SecretKey, "does not exist"},
	} {
		err := Run(t.Context(), bucketConfig(t, m.Endpoint, tc.bucket, tc.secret), slog.New(slog.DiscardHandler), io.Discard, "test")
		if err == nil || !strings.Contains(err.Error(), "cold store") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.bucket, err, tc.want)
		}
	}
	r := start(t, bucketConfig(t, m.Endpoint, "akidb", miniotest.SecretKey))
	r.end(t, nil)
	if strings.Contains(r.log.String(), "does not answer") {
		t.Errorf("log:\n%s", r.log)
	}
}
