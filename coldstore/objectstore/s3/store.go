package s3

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// nonceName is the metadata that holds the nonce of a put.
const nonceName = "Akidb-Nonce"

// Store is a bucket, or what lies under a prefix of it. Close closes its idle
// connections.
type Store struct {
	core   *minio.Core
	client *http.Transport // nil if the transport is the caller's
	bucket string
	prefix string // empty, or ending in a slash
	sse    encrypt.ServerSide
	sum    summer
	o      Options
}

var _ objectstore.Store = (*Store)(nil)

// Open checks the options. It does not talk to the store: see Check.
func Open(o Options) (*Store, error) {
	o.Prefix = strings.Trim(o.Prefix, "/")
	if err := o.validate(); err != nil {
		return nil, err
	}
	host, secure, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	s := &Store{bucket: o.Bucket, sum: sums[o.Checksum], o: o}
	if o.Prefix != "" {
		s.prefix = o.Prefix + "/"
	}
	if s.sse, err = o.encryption(secure); err != nil {
		return nil, err
	}
	return s, s.connect(host, secure)
}

func (s *Store) connect(host string, secure bool) error {
	lookup, ok := lookups[s.o.Addressing]
	if !ok {
		return setting("addressing", "%q is none of path, virtual", s.o.Addressing)
	}
	creds, err := s.o.credentials()
	if err != nil {
		return err
	}
	transport := s.o.Transport
	if transport == nil {
		if s.client, err = s.o.transport(); err != nil {
			return err
		}
		transport = s.client
	}
	s.core, err = minio.NewCore(host, &minio.Options{
		Creds: creds, Secure: secure, Transport: transport, Region: s.o.region(host), BucketLookup: lookup,
		MaxRetries: 1, TrailingHeaders: true,
	})
	if err != nil {
		return setting("endpoint", "%w", err)
	}
	return nil
}

// Close closes idle connections. Requests under way are not disturbed.
func (s *Store) Close() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}

// String names the store in errors and logs.
func (s *Store) String() string {
	return strings.TrimSuffix("bucket "+s.bucket+"/"+s.prefix, "/")
}

// Check asks whether the bucket is there and may be used, and makes it if the
// options say so.
func (s *Store) Check(ctx context.Context) error {
	ok, err := s.core.BucketExists(ctx, s.bucket)
	if err != nil {
		return s.fail(ctx, objectstore.OpStat, "", err)
	}
	if !ok && s.o.CreateBucket {
		return s.createBucket(ctx)
	}
	if !ok {
		return &objectstore.Error{Class: objectstore.NoBucket, Op: objectstore.OpStat, Place: s.String(), Code: minio.NoSuchBucket}
	}
	return nil
}

// createBucket makes the bucket; that another server was quicker is no error.
func (s *Store) createBucket(ctx context.Context) error {
	host, _, err := s.o.endpoint()
	if err != nil {
		return err
	}
	err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: s.o.region(host)})
	if err == nil || minio.ToErrorResponse(err).Code == "BucketAlreadyOwnedByYou" {
		return nil
	}
	return s.fail(ctx, objectstore.OpPut, "", err)
}

// Stat implements objectstore.Store.
func (s *Store) Stat(ctx context.Context, key string) (objectstore.Info, error) {
	if err := s.check(ctx, objectstore.OpStat, key); err != nil {
		return objectstore.Info{}, err
	}
	st, err := s.core.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{ServerSideEncryption: s.readKey()})
	if err != nil {
		return objectstore.Info{}, s.fail(ctx, objectstore.OpStat, key, err)
	}
	in := s.info(key, st)
	if in.Nonce = st.UserMetadata[nonceName]; in.Nonce == "" {
		in.Nonce = objectstore.NoNonce
	}
	return in, nil
}

// Delete implements objectstore.Store. S3 itself does not say whether the object
// was there.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.check(ctx, objectstore.OpDelete, key); err != nil {
		return err
	}
	err := s.core.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{})
	if err == nil {
		return nil
	}
	if err = s.fail(ctx, objectstore.OpDelete, key, err); objectstore.Is(err, objectstore.NotFound) {
		return nil
	}
	return err
}

// List implements objectstore.Store. One object more than asked for is requested, to
// know in one request whether there are more; so a page has at most 999.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (objectstore.Page, error) {
	if err := objectstore.CheckPrefix(prefix); err != nil {
		return objectstore.Page{}, &objectstore.Error{Class: objectstore.Invalid, Op: objectstore.OpList, Place: s.String(), Key: prefix, Err: err}
	}
	if limit <= 0 || limit >= objectstore.MaxPage {
		limit = objectstore.MaxPage - 1
	}
	no := false
	o := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true, MaxKeys: limit + 1, FetchOwner: &no}
	if after != "" {
		o.StartAfter = s.prefix + after
	}
	if err := ctx.Err(); err != nil {
		return objectstore.Page{}, s.fail(ctx, objectstore.OpList, prefix, err)
	}
	var page objectstore.Page
	for st := range s.core.ListObjectsIter(ctx, s.bucket, o) {
		if st.Err != nil {
			return objectstore.Page{}, s.fail(ctx, objectstore.OpList, prefix, st.Err)
		}
		if len(page.Objects) == limit {
			page.More = true
			break
		}
		page.Objects = append(page.Objects, s.info(strings.TrimPrefix(st.Key, s.prefix), st))
	}
	return page, nil
}

func (s *Store) info(key string, st minio.ObjectInfo) objectstore.Info {
	return objectstore.Info{Key: key, Size: st.Size, Tag: objectstore.Tag(strings.Trim(st.ETag, `"`)), Modified: st.LastModified}
}

// readKey is the encryption that reads must name: only a customer's key.
func (s *Store) readKey() encrypt.ServerSide {
	if s.sse != nil && s.sse.Type() == encrypt.SSEC {
		return s.sse
	}
	return nil
}

func (s *Store) check(ctx context.Context, op objectstore.Op, key string) error {
	if err := objectstore.CheckKey(key); err != nil {
		return &objectstore.Error{Class: objectstore.Invalid, Op: op, Place: s.String(), Key: key, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return s.fail(ctx, op, key, err)
	}
	return nil
}

// total is the size of the whole object in a Content-Range header.
func total(h http.Header) (int64, bool) {
	_, size, ok := strings.Cut(h.Get("Content-Range"), "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(size, 10, 64)
	return n, err == nil
}
