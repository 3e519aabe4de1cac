// Package cache keeps ranges of immutable objects on the local disk, up to a number
// of bytes. It knows nothing of what they mean.
//
// Ranges are appended to files of equal size; when all room is taken the oldest
// file goes as a whole, and those of its ranges that were read since they were
// written move to the newest one. So the disk sees only long writes, no range is
// ever changed, and what is used stays.
//
// A range has a checksum for each 64 KiB: what the disk gives back wrong is not
// there. The table of ranges is in memory alone and Open begins with an empty
// cache: nothing has to be synced or be right after a crash, and filling it again
// costs no more than the first time.
package cache
