// Package dir is the object store in a local directory: what an embedded server
// uses, and what tests use that need no MinIO.
//
// An object is a file under its key, as it is, so that other tools read it. What
// else lies in the directory begins with a dot (docs/formats/objectstore.md):
// .tmp holds files being written, .locks the lock files.
//
// Invariants:
//
//   - A file appears under its key by link or rename, after its bytes are synced;
//     the directory is synced before Put returns. Files are never changed in place.
//   - Every put and delete of a key holds the key's lock: one of 256 mutexes inside
//     the process, then flock on one of 256 lock files between processes. The kernel
//     drops an flock with its process, so a crash leaves no lock behind. Lock
//     files stay, or two processes could lock two files of one name.
//   - A version tag is the file's time, inode and size. The time is set under the
//     lock to be later than that of the file replaced, whatever the clock and the
//     resolution of the file system.
//   - A temporary file is locked (flock) while it is written; Open removes those
//     that nobody holds.
//
// The directory may be used by many processes of one machine. Over NFS it is as
// good as the locks there.
package dir
