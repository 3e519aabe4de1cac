package config

import (
	"fmt"
	"net/url"
	"strings"
)

// ColdStore is where cold collections and snapshots lie. The variables go under
// AKIDB_S3_ too: AKIDB_S3_ENDPOINT, AKIDB_S3_BUCKET, AKIDB_S3_ACCESS_KEY. What is
// not set here is taken from the AWS_* variables, the shared credentials file or the
// role of the machine.
type ColdStore struct {
	// URL is s3://bucket/prefix, or the path of a directory; "" is the folder cold of
	// the data directory, unless Bucket is set.
	URL string `toml:"url"`
	// Bucket and Prefix are the two parts of an s3 URL.
	Bucket string `toml:"bucket"`
	Prefix string `toml:"prefix"`
	// CreateBucket makes the bucket if it is missing.
	CreateBucket bool `toml:"create_bucket"`
	// Endpoint is the address of the store, such as http://minio:9000; "" is AWS.
	Endpoint string `toml:"endpoint"`
	Region   string `toml:"region"`
	// AccessKey, SecretKey and SessionToken are the keys to the bucket.
	AccessKey    string `toml:"access_key"`
	SecretKey    string `toml:"secret_key"`
	SessionToken string `toml:"session_token"`
	// Credentials is where keys come from: static, environment, role, anonymous; ""
	// takes the first there is.
	Credentials string `toml:"credentials"`
	// PathStyle is auto, true (http://host/bucket) or false (http://bucket.host).
	PathStyle string `toml:"path_style"`
	// Encryption at rest: SSE-S3, SSE-KMS with KMSKey, SSE-C with CustomerKey; "" is
	// what the bucket does by itself.
	Encryption  string `toml:"sse"`
	KMSKey      string `toml:"sse_kms_key"`
	CustomerKey string `toml:"sse_customer_key"`
	// CAFile adds certificates to those that the system trusts.
	CAFile             string `toml:"ca_file"`
	InsecureSkipVerify bool   `toml:"insecure_skip_verify"`
	// Checksum that uploads carry: crc32c, md5, none.
	Checksum string `toml:"checksum"`
	// Retries is how often a failure that passes is tried again; Backoff the longest
	// wait before the first retry, which doubles for each further one; Timeout how
	// long a connection may stand still.
	Retries int    `toml:"retries"`
	Backoff string `toml:"backoff"`
	Timeout string `toml:"timeout"`
	// CacheBytes of the objects are kept on the local disk, MemoryBytes in memory; 0
	// takes 1 GiB, and a 16th of the memory limit.
	CacheBytes  int64 `toml:"cache_bytes"`
	MemoryBytes int64 `toml:"memory_bytes"`
	// Compression of segments: none, snappy, zstd.
	Compression string `toml:"compression"`
	// RowGroupBytes is the least that a reader fetches; SegmentBytes about how large an
	// object becomes before it is compressed.
	RowGroupBytes int64 `toml:"row_group_bytes"`
	SegmentBytes  int64 `toml:"segment_bytes"`
	// KeepSnapshots is how many snapshots of a collection stay, KeepSnapshotsFor how
	// long; one that satisfies either stays, and all do when neither is set.
	KeepSnapshots    int    `toml:"keep_snapshots"`
	KeepSnapshotsFor string `toml:"keep_snapshots_for"`
	// Grace is how old an object that nothing names must be before it is removed.
	Grace string `toml:"garbage_grace"`
}

func defaultColdStore() ColdStore {
	return ColdStore{
		PathStyle: "auto", Checksum: "crc32c", Retries: 3, Backoff: "1s", Timeout: "30s", Compression: "zstd",
		RowGroupBytes: 1 << 20, SegmentBytes: 256 << 20, Grace: "1 day",
	}
}

// Location is the bucket and its prefix, or a directory ("" for the one in the data
// directory).
func (c *ColdStore) Location() (bucket, prefix, dir string, err error) {
	switch {
	case c.URL == "" && c.Bucket == "" && c.Prefix == "":
		return "", "", "", nil
	case c.URL == "" && c.Bucket == "":
		return "", "", "", fmt.Errorf("a prefix needs a bucket")
	case c.URL == "":
		return c.Bucket, strings.Trim(c.Prefix, "/"), "", nil
	case c.Bucket != "" || c.Prefix != "":
		return "", "", "", fmt.Errorf("set url, or bucket and prefix")
	}
	scheme, rest, ok := strings.Cut(c.URL, "://")
	switch {
	case !ok:
		return "", "", c.URL, nil
	case scheme == "file":
		u, err := url.Parse(c.URL)
		if err != nil || u.Host != "" {
			return "", "", "", fmt.Errorf("%q is not of the form file:///path", c.URL)
		}
		return "", "", u.Path, nil
	case scheme != "s3":
		return "", "", "", fmt.Errorf("%q is neither s3://bucket/prefix nor the path of a directory", c.URL)
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	if bucket == "" {
		return "", "", "", fmt.Errorf("%q names no bucket", c.URL)
	}
	return bucket, strings.Trim(prefix, "/"), "", nil
}

// remote says whether a setting of a bucket is there without a bucket.
func (c *ColdStore) remote() error {
	bucket, _, _, err := c.Location()
	if err != nil || bucket != "" {
		return err
	}
	for _, s := range []struct{ key, value string }{
		{"endpoint", c.Endpoint}, {"access_key", c.AccessKey}, {"secret_key", c.SecretKey}, {"region", c.Region}, {"sse", c.Encryption},
	} {
		if s.value != "" {
			return fmt.Errorf("cold_store.%s is set, but no bucket is named", s.key)
		}
	}
	return nil
}

func (c *ColdStore) checks() []check {
	return []check{
		{"cold_store.url", c.remote()},
		{"cold_store.path_style", oneOf(c.PathStyle, "auto", "true", "false")},
		{"cold_store.credentials", oneOf(c.Credentials, "", "static", "environment", "role", "anonymous")},
		{"cold_store.sse", oneOf(c.Encryption, "", "SSE-S3", "SSE-KMS", "SSE-C")},
		{"cold_store.checksum", oneOf(c.Checksum, "crc32c", "md5", "none")},
		{"cold_store.compression", oneOf(c.Compression, "none", "snappy", "zstd")},
		{"cold_store.retries", between(int64(c.Retries), 0, 20)},
		{"cold_store.cache_bytes", atLeast(c.CacheBytes, -1)},
		{"cold_store.memory_bytes", atLeast(c.MemoryBytes, 0)},
		{"cold_store.row_group_bytes", between(c.RowGroupBytes, 64<<10, 64<<20)},
		{"cold_store.segment_bytes", between(c.SegmentBytes, 1<<20, 1<<32)},
		{"cold_store.keep_snapshots", atLeast(int64(c.KeepSnapshots), 0)},
	}
}

func between(v, low, high int64) error {
	if v < low || v > high {
		return fmt.Errorf("%d is not between %d and %d", v, low, high)
	}
	return nil
}
