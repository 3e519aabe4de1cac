package config

import (
	"strings"
	"testing"
)

func TestTheColdStoreIsFoundFromItsURL(t *testing.T) {
	for _, tc := range []struct {
		env                 []string
		bucket, prefix, dir string
		err                 string
	}{
		{},
		{env: []string{"AKIDB_COLD_STORE_URL=s3://b/p/q/"}, bucket: "b", prefix: "p/q"},
		{env: []string{"AKIDB_S3_ENDPOINT=http://minio:9000", "AKIDB_S3_BUCKET=akidb", "AKIDB_S3_ACCESS_KEY=a", "AKIDB_S3_SECRET_KEY=b"}, bucket: "akidb"},
		{env: []string{"AKIDB_COLD_STORE_URL=/var/lib/cold"}, dir: "/var/lib/cold"},
		{env: []string{"AKIDB_COLD_STORE_URL=file:///var/lib/cold"}, dir: "/var/lib/cold"},
		{env: []string{"AKIDB_COLD_STORE_URL=gs://b"}, err: "neither s3://bucket/prefix nor the path of a directory"},
		{env: []string{"AKIDB_COLD_STORE_URL=s3://"}, err: "names no bucket"},
		{env: []string{"AKIDB_COLD_STORE_URL=s3://a", "AKIDB_S3_BUCKET=b"}, err: "set url, or bucket and prefix"},
		{env: []string{"AKIDB_S3_ENDPOINT=http://minio:9000"}, err: "cold_store.endpoint is set, but no bucket is named"},
		{env: []string{"AKIDB_S3_BUCKET=b", "AKIDB_S3_PATH_STYLE=yes"}, err: `"cold_store.path_style"`},
		{env: []string{"AKIDB_COLD_STORE_COMPRESSION=lz4"}, err: `"cold_store.compression"`},
		{env: []string{"AKIDB_COLD_STORE_ROW_GROUP_BYTES=5"}, err: `"cold_store.row_group_bytes"`},
	} {
		c, err := Load("", tc.env)
		if err == nil {
			err = c.Validate()
		}
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%v: error %v, want %s", tc.env, err, tc.err)
			}
			continue
		}
		bucket, prefix, dir, lerr := c.ColdStore.Location()
		if err != nil || lerr != nil || bucket != tc.bucket || prefix != tc.prefix || dir != tc.dir {
			t.Errorf("%v: %q %q %q, %v %v", tc.env, bucket, prefix, dir, err, lerr)
		}
	}
}
