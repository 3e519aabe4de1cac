package objectstore

import "github.com/akidb/akidb/internal/pgerr"

// Class says what kind of failure an error is, and so what can be done.
type Class uint8

// The classes. Unavailable, Throttled and Timeout pass by themselves.
const (
	Failed      Class = iota // an error of input or output that nothing more is known of
	NotFound                 // no object under the key
	NoBucket                 // the bucket or directory itself is missing
	Condition                // the condition of a put does not hold
	Denied                   // no permission, wrong keys, expired token, untrusted certificate
	Invalid                  // the request makes no sense to the store
	OutOfRange               // the range begins behind the object
	Full                     // no space, or over a quota
	Unsupported              // the store cannot do what was asked
	Corrupted                // bytes are not what was written
	Canceled                 // the caller's context ended
	Unavailable              // a lost connection, or a fault inside the store
	Throttled                // the store asks to slow down
	Timeout                  // no answer in time
	classes
)

// Classes is the number of classes, for tables indexed by them.
const Classes = int(classes)

// kind is what belongs to a class: its name in metrics, its SQLSTATE and the
// hint used when the store knows no better one.
type kind struct{ name, sqlstate, text, hint string }

var kinds = [classes]kind{
	Failed:      {"failed", pgerr.IOError, "input/output error", "The server's log has the store's own words."},
	NotFound:    {"not_found", pgerr.UndefinedFile, "no such object", "It was deleted, or the prefix is not the one it was written under."},
	NoBucket:    {"no_bucket", pgerr.UndefinedFile, "the bucket or directory does not exist", "Create it, or correct its name in the configuration."},
	Condition:   {"condition", pgerr.ObjectNotInPrerequisiteState, "another writer was first", "Read the object again before writing. If two servers use one prefix, stop one of them."},
	Denied:      {"denied", pgerr.InsufficientPrivilege, "permission denied", "Check the keys and the rights to read, write, list and delete under the prefix."},
	Invalid:     {"invalid", pgerr.InvalidParameterValue, "the request was refused", "Check region, endpoint and encryption settings of the store."},
	OutOfRange:  {"out_of_range", pgerr.DataCorrupted, "the range lies behind the end of the object", "The object is shorter than it should be: restore it from a copy."},
	Full:        {"full", pgerr.DiskFull, "no space left", "Free space or raise the quota; nothing was changed."},
	Unsupported: {"unsupported", pgerr.FeatureNotSupported, "the store does not support this", "Use a store with conditional writes."},
	Corrupted:   {"corrupted", pgerr.DataCorrupted, "the bytes are not those that were written", "Restore the object from a copy, or the collection from an older snapshot."},
	Canceled:    {"canceled", pgerr.QueryCanceled, "canceled", ""},
	Unavailable: {"unavailable", pgerr.IOError, "the store cannot be reached or has an internal error", "It was tried repeatedly. Check endpoint, network and the state of the store."},
	Throttled:   {"throttled", pgerr.InsufficientResources, "the store asks to slow down", "It was tried repeatedly. Lower the load, or raise the limits of the store."},
	Timeout:     {"timeout", pgerr.IOError, "no answer in time", "It was tried repeatedly. Check endpoint and network, or raise the timeout."},
}

// String is the name of the class as metrics use it.
func (c Class) String() string { return kinds[c].name }

// Transient reports whether a failure of this class can pass by itself.
func (c Class) Transient() bool { return c == Unavailable || c == Throttled || c == Timeout }

// SQLSTATE is the code that a client gets for this class.
func (c Class) SQLSTATE() string { return kinds[c].sqlstate }
