package s3

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/akidb/akidb/coldstore/objectstore"
	"github.com/akidb/akidb/coldstore/objectstore/retry"
)

// Options says where the bucket is and how to reach it. Only Bucket is needed on
// AWS with an instance role.
type Options struct {
	// Endpoint is an URL such as http://minio:9000; empty means AWS. Without a
	// scheme it is https.
	Endpoint string
	// Bucket must exist. Prefix goes before every key, without slashes around it.
	Bucket, Prefix string
	// CreateBucket has Check make the bucket when it is missing.
	CreateBucket bool
	// Region is needed on AWS unless AWS_REGION is set or the bucket's location may
	// be asked for; elsewhere it is us-east-1 if empty.
	Region string
	// Addressing is how the bucket gets into the URL: "path", "virtual", or "" to
	// choose by the endpoint (virtual on AWS, else path).
	Addressing string

	// Credentials is where keys come from: "static" (the three below),
	// "environment" (AWS_ACCESS_KEY_ID and so on), "role" (instance, container or
	// web identity role), "anonymous"; "" takes the first there is of static,
	// environment, the shared credentials file and role.
	Credentials                        string
	AccessKey, SecretKey, SessionToken string

	// Encryption at rest: "" (what the bucket does by itself), "SSE-S3", "SSE-KMS" with
	// KMSKey (empty: the bucket's), or "SSE-C" with CustomerKey, 32 bytes in base64,
	// which needs https.
	Encryption, KMSKey, CustomerKey string

	// CAFile adds certificates (PEM) to those that the system trusts.
	CAFile string
	// InsecureSkipVerify trusts any certificate. It needs Warn, which is told so.
	InsecureSkipVerify bool
	Warn               func(message string)

	// Checksum that puts carry: "crc32c" (""), "md5" for stores that don't know the
	// newer ones, or "none".
	Checksum string
	// Timeout is how long a connection may stand still; 30 s if 0.
	Timeout time.Duration
	// Retry is the policy for parts of an upload.
	Retry retry.Policy
	// Transport replaces the HTTP transport, for tests.
	Transport http.RoundTripper
}

const defaultTimeout = 30 * time.Second

// setting is an error of Options, in the words of the configuration.
func setting(name, format string, args ...any) error {
	return fmt.Errorf("object store: %s: %w", name, fmt.Errorf(format, args...))
}

func (o Options) endpoint() (host string, secure bool, err error) {
	if o.Endpoint == "" {
		return "s3.amazonaws.com", true, nil
	}
	text := o.Endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", false, setting("endpoint", "%w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", false, setting("endpoint", "%q is not of the form https://host:port", u.Redacted())
	}
	return u.Host, u.Scheme == "https", nil
}

func (o Options) validate() error {
	if err := s3utils.CheckValidBucketNameStrict(o.Bucket); err != nil {
		return setting("bucket", "%q: %w", o.Bucket, err)
	}
	if len(o.Prefix) > objectstore.MaxPrefixBytes {
		return setting("prefix", "%d bytes are more than %d", len(o.Prefix), objectstore.MaxPrefixBytes)
	}
	if o.Prefix != "" {
		if err := objectstore.CheckKey(o.Prefix); err != nil {
			return setting("prefix", "%q: %w", o.Prefix, err)
		}
	}
	if _, ok := sums[o.Checksum]; !ok {
		return setting("checksum", "%q is none of crc32c, md5, none", o.Checksum)
	}
	return nil
}

func (o Options) region(host string) string {
	switch {
	case o.Region != "":
		return o.Region
	case os.Getenv("AWS_REGION") != "":
		return os.Getenv("AWS_REGION")
	case s3utils.IsAmazonEndpoint(url.URL{Host: host}):
		return "" // minio-go asks for it
	}
	return "us-east-1"
}

var lookups = map[string]minio.BucketLookupType{
	"": minio.BucketLookupAuto, "path": minio.BucketLookupPath, "virtual": minio.BucketLookupDNS,
}

// credentials builds the chain of sources.
func (o Options) credentials() (*credentials.Credentials, error) {
	role := &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}}
	env := []credentials.Provider{&credentials.EnvAWS{}, &credentials.EnvMinio{}}
	kind := o.Credentials
	if kind == "" && o.AccessKey != "" {
		kind = "static"
	}
	switch kind {
	case "static":
		if o.AccessKey == "" || o.SecretKey == "" {
			return nil, setting("credentials", "static keys need access_key and secret_key")
		}
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.SessionToken), nil
	case "environment":
		return credentials.NewChainCredentials(env), nil
	case "role":
		return credentials.New(role), nil
	case "anonymous":
		return credentials.NewStaticV4("", "", ""), nil
	case "":
		return credentials.NewChainCredentials(append(env, &credentials.FileAWSCredentials{}, role)), nil
	}
	return nil, setting("credentials", "%q is none of static, environment, role, anonymous", o.Credentials)
}

func (o Options) encryption(secure bool) (encrypt.ServerSide, error) {
	switch o.Encryption {
	case "":
		return nil, nil
	case "SSE-S3":
		return encrypt.NewSSE(), nil
	case "SSE-KMS":
		sse, err := encrypt.NewSSEKMS(o.KMSKey, nil)
		if err != nil {
			return nil, setting("encryption", "SSE-KMS: %w", err)
		}
		return sse, nil
	case "SSE-C":
		return o.customerKey(secure)
	}
	return nil, setting("encryption", "%q is none of SSE-S3, SSE-KMS, SSE-C", o.Encryption)
}

func (o Options) customerKey(secure bool) (encrypt.ServerSide, error) {
	if !secure {
		return nil, setting("encryption", "SSE-C sends the key with each request and needs an https endpoint")
	}
	key, err := base64.StdEncoding.DecodeString(o.CustomerKey)
	if err != nil || len(key) != 32 {
		return nil, setting("encryption", "the customer key must be 32 bytes in base64")
	}
	sse, err := encrypt.NewSSEC(key)
	if err != nil {
		return nil, setting("encryption", "SSE-C: %w", err)
	}
	return sse, nil
}

// transport is HTTP/1.1: a connection a request, so that a stalled one holds up
// no other.
func (o Options) transport() (*http.Transport, error) {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	roots, err := o.roots()
	if err != nil {
		return nil, err
	}
	if o.InsecureSkipVerify {
		if o.Warn == nil {
			return nil, setting("insecure_skip_verify", "nobody would be warned")
		}
		o.Warn("certificates of the object store are not verified (insecure_skip_verify): anyone on the way can read and change what is stored")
	}
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial(dialer, timeout),
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, InsecureSkipVerify: o.InsecureSkipVerify}, //nolint:gosec // asked for, and warned about
		TLSHandshakeTimeout:   timeout,
		ResponseHeaderTimeout: timeout,
		ExpectContinueTimeout: time.Second,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       timeout,
		DisableCompression:    true,
	}, nil
}

func (o Options) roots() (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, setting("ca_file", "%w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, setting("ca_file", "%w", errors.New("no certificate in "+o.CAFile))
	}
	return pool, nil
}
