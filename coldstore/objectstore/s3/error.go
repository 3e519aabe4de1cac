package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/akidb/akidb/coldstore/objectstore"
)

// known is what a code of S3 means.
type known struct {
	class objectstore.Class
	hint  string
}

const (
	hintKeys   = "The access key or the secret key is wrong, or belongs to another endpoint."
	hintToken  = "Temporary keys have run out: renew the session token, or use an instance role, which renews its keys by itself."
	hintRegion = "The region does not fit the bucket: set it to the bucket's own."
	hintKMS    = "The encryption key is disabled, missing, or may not be used with these keys."
)

// codes are S3's codes whose HTTP status alone says too little, or that deserve a
// better hint.
var codes = map[string]known{
	"NoSuchBucket":                   {objectstore.NoBucket, "Create the bucket, correct its name, or set create_bucket."},
	"NoSuchUpload":                   {objectstore.Unavailable, "The upload was aborted by somebody else, or by a rule of the bucket."},
	"PreconditionFailed":             {objectstore.Condition, ""},
	"ConditionalRequestConflict":     {objectstore.Unavailable, ""},
	"OperationAborted":               {objectstore.Unavailable, ""},
	"InvalidRange":                   {objectstore.OutOfRange, ""},
	"AccessDenied":                   {objectstore.Denied, "The policy of the keys must allow GetObject, PutObject, DeleteObject, ListBucket and AbortMultipartUpload under the prefix."},
	"AllAccessDisabled":              {objectstore.Denied, ""},
	"InvalidAccessKeyId":             {objectstore.Denied, hintKeys},
	"SignatureDoesNotMatch":          {objectstore.Denied, hintKeys},
	"ExpiredToken":                   {objectstore.Denied, hintToken},
	"ExpiredTokenException":          {objectstore.Denied, hintToken},
	"InvalidToken":                   {objectstore.Denied, hintToken},
	"TokenRefreshRequired":           {objectstore.Denied, hintToken},
	"RequestTimeTooSkewed":           {objectstore.Denied, "The clock of this machine and that of the store differ by more than 15 minutes: set it, for example by NTP."},
	"InvalidObjectState":             {objectstore.Denied, "The object was moved to an archive class by a rule of the bucket: restore it there, and exempt the prefix from the rule."},
	"AuthorizationHeaderMalformed":   {objectstore.Invalid, hintRegion},
	"InvalidRegion":                  {objectstore.Invalid, hintRegion},
	"PermanentRedirect":              {objectstore.Invalid, hintRegion},
	"IllegalLocationConstraint":      {objectstore.Invalid, hintRegion},
	"KMS.DisabledException":          {objectstore.Denied, hintKMS},
	"KMS.NotFoundException":          {objectstore.Denied, hintKMS},
	"XMinioKMSNotConfigured":         {objectstore.Unsupported, "The store has no key management: configure it there, or choose another encryption."},
	"XMinioStorageFull":              {objectstore.Full, ""},
	"XMinioAdminBucketQuotaExceeded": {objectstore.Full, ""},
	"QuotaExceeded":                  {objectstore.Full, ""},
	"SlowDown":                       {objectstore.Throttled, ""},
	"SlowDownRead":                   {objectstore.Throttled, ""},
	"SlowDownWrite":                  {objectstore.Throttled, ""},
	"Throttling":                     {objectstore.Throttled, ""},
	"TooManyRequests":                {objectstore.Throttled, ""},
	"RequestTimeout":                 {objectstore.Timeout, ""},
	"InternalError":                  {objectstore.Unavailable, ""},
	"ServiceUnavailable":             {objectstore.Unavailable, ""},
	"IncompleteBody":                 {objectstore.Unavailable, ""},
	"BadDigest":                      {objectstore.Unavailable, "The body was damaged on its way: look at the network."},
	"XAmzContentChecksumMismatch":    {objectstore.Unavailable, "The body was damaged on its way: look at the network."},
	"NotImplemented":                 {objectstore.Unsupported, ""},
}

// statuses are the classes of HTTP statuses.
var statuses = map[int]objectstore.Class{
	301: objectstore.Invalid, 307: objectstore.Unavailable,
	400: objectstore.Invalid, 401: objectstore.Denied, 403: objectstore.Denied, 404: objectstore.NotFound,
	405: objectstore.Unsupported, 408: objectstore.Timeout, 409: objectstore.Unavailable, 411: objectstore.Invalid,
	412: objectstore.Condition, 413: objectstore.Invalid, 416: objectstore.OutOfRange, 429: objectstore.Throttled,
	500: objectstore.Unavailable, 501: objectstore.Unsupported, 502: objectstore.Unavailable, 503: objectstore.Throttled,
	504: objectstore.Timeout, 507: objectstore.Full,
}

// failOrNil is fail for an error that may be nil.
func (s *Store) failOrNil(ctx context.Context, op objectstore.Op, key string, err error) error {
	if err == nil {
		return nil
	}
	return s.fail(ctx, op, key, err)
}

// fail gives an error its class, unless it has one.
func (s *Store) fail(ctx context.Context, op objectstore.Op, key string, err error) error {
	var done *objectstore.Error
	if errors.As(err, &done) {
		return err
	}
	e := &objectstore.Error{Op: op, Place: s.String(), Key: key, Err: err}
	var r minio.ErrorResponse
	switch {
	case ctx.Err() != nil:
		e.Class = objectstore.Canceled
	case errors.As(err, &r):
		e.Class, e.Code, e.Hint = classify(r)
	case isCertificate(err):
		e.Class, e.Hint = objectstore.Denied, "The certificate of the store is not trusted: name its authority with ca_file."
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Class, e.Hint = objectstore.Invalid, "The endpoint speaks http, not https."
	case strings.Contains(strings.ToLower(err.Error()), "checksum mismatch"): // minio-go has no type for it
		e.Class = objectstore.Corrupted
	default:
		e.Class = objectstore.ClassOfSystem(ctx, err)
	}
	return e
}

func classify(r minio.ErrorResponse) (class objectstore.Class, code, hint string) {
	if k, ok := codes[r.Code]; ok {
		return k.class, r.Code, k.hint
	}
	if c, ok := statuses[r.StatusCode]; ok {
		return c, r.Code, ""
	}
	if r.StatusCode >= 500 {
		return objectstore.Unavailable, r.Code, ""
	}
	return objectstore.Failed, r.Code, ""
}

func isCertificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &host)
}

func reclass(err error, c objectstore.Class) error {
	var e *objectstore.Error
	if !errors.As(err, &e) {
		return err
	}
	changed := *e
	changed.Class, changed.Hint = c, ""
	return &changed
}
