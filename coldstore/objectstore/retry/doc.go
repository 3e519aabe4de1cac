// Package retry repeats what an object store failed at for a passing reason
// (objectstore.Class.Transient), with exponential backoff and full jitter; all else
// it returns at once.
//
// What makes repeating safe:
//
//   - Reading, listing, deleting and unconditional puts can be repeated as they are.
//   - A conditional put whose answer is lost may have happened, and repeated it
//     meets its own work and is refused. So each put carries a nonce, and a refusal
//     after a doubtful attempt is settled by reading back: it is ours if the
//     object has our nonce, or, in a store that keeps none, our bytes.
//   - A body is put again only if it can seek, or is small enough to be kept; else the
//     error is returned, after a look whether the put happened all the same.
//   - A body that breaks off while it is read is opened again where it broke off, if
//     the object's version is still the same.
//
// An error that says of itself that it was tried more than once is not tried again:
// the S3 store repeats single parts of an upload by the same policy.
package retry
