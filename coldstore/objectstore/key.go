package objectstore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths in bytes: S3 takes keys of 1,024 bytes, file systems names of 255.
// The key limit leaves room for the prefix that a store may be configured with.
const (
	MaxKeyBytes     = 768
	MaxPrefixBytes  = 1024 - MaxKeyBytes - 1
	maxSegmentBytes = 255
)

// CheckKey says whether key can be used in every store: segments joined by "/",
// each of 1 to 255 bytes of printable UTF-8, not beginning with a dot (files of
// the directory store that are not objects do) and without backslashes. No key
// may be a folder of another ("a" beside "a/b"): only the directory store
// notices that.
func CheckKey(key string) error {
	if key == "" {
		return fmt.Errorf("the key is empty")
	}
	if len(key) > MaxKeyBytes {
		return fmt.Errorf("the key has %d bytes, more than %d", len(key), MaxKeyBytes)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if err := checkSegment(segment); err != nil {
			return err
		}
	}
	return nil
}

// CheckPrefix says whether p can begin a listing: the beginning of some key, or
// empty.
func CheckPrefix(p string) error {
	if p == "" {
		return nil
	}
	folder, rest, ok := cutLast(p)
	if ok {
		if err := CheckKey(folder); err != nil {
			return err
		}
	}
	if rest == "" {
		return nil
	}
	return CheckKey(rest)
}

func checkSegment(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("the key has an empty part")
	case len(s) > maxSegmentBytes:
		return fmt.Errorf("a part of the key has %d bytes, more than %d", len(s), maxSegmentBytes)
	case s[0] == '.':
		return fmt.Errorf("a part of the key begins with a dot")
	case !utf8.ValidString(s):
		return fmt.Errorf("the key is not valid UTF-8")
	}
	for _, r := range s {
		if r == '\\' || !unicode.IsPrint(r) {
			return fmt.Errorf("the key contains the character %q", r)
		}
	}
	return nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}
