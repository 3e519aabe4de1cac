package types

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
)

// The id of a type that a user made says what it is, so that a codec can be
// found without the catalog: the two bits of userClass tell enums, row types and
// domains apart, and userArray makes the array type of each.
const (
	enumClass   OID = 1 << 28
	rowClass    OID = 2 << 28
	domainClass OID = 3 << 28
	userClass   OID = 3 << 28
	userArray   OID = 1 << 30
	ownPart     OID = 1<<28 - 1
)

// EnumOID, RowOID and DomainOID make the id of a type from a free object id (of
// a row type: from that of its table).
func EnumOID(id OID) OID   { return id&ownPart | enumClass }
func RowOID(id OID) OID    { return id&ownPart | rowClass }
func DomainOID(id OID) OID { return id&ownPart | domainClass }

// TableOf is the table of a row type.
func TableOf(row OID) OID { return row & ownPart }

// UserArrayOID is the array type of a user's type.
func UserArrayOID(oid OID) OID { return oid | userArray }

// UserElem is the element type of a user's array type, 0 for every other type.
func UserElem(oid OID) OID {
	if oid&userArray == 0 || oid&userClass == 0 {
		return 0
	}
	return oid &^ userArray
}

// IsEnum, IsRow and IsDomain say what a type's id says of it; array types are none.
func IsEnum(oid OID) bool   { return oid&(userArray|userClass) == enumClass }
func IsRow(oid OID) bool    { return oid&(userArray|userClass) == rowClass }
func IsDomain(oid OID) bool { return oid&(userArray|userClass) == domainClass }

// IsUserType says whether a user made the type, or its element type.
func IsUserType(oid OID) bool { return oid&userClass != 0 }

// Enum is a value of an enum. Order is what tells a type's labels apart, and it
// never changes: a label can be renamed, and new ones get a place between others.
type Enum struct {
	Type  OID
	Order float64
}

// UserTypes is what the text forms of users' types need of the catalog.
type UserTypes interface {
	// EnumOrder finds a label; the error is that of the type's input function.
	EnumOrder(typ OID, label string) (float64, error)
	EnumLabel(typ OID, order float64) (string, bool)
	// RowFields are the columns of a row type.
	RowFields(typ OID) (names []string, oids []OID, ok bool)
}

// userTypes keeps the rows that userType has made: what an id stands for does
// not change, so that they are a memo and no registry.
var userTypes sync.Map // OID -> *Type

func userType(oid OID) *Type {
	if t, ok := userTypes.Load(oid); ok {
		return t.(*Type)
	}
	t := makeUserType(oid)
	if t != nil {
		userTypes.Store(oid, t)
	}
	return t
}

// makeUserType makes the row of an enum, a row type, or an array of one; a
// domain has none, for its values are those of its base type. Names stand in
// the catalog alone.
func makeUserType(oid OID) *Type {
	if elem := UserElem(oid); elem != 0 {
		if IsDomain(elem) {
			return nil
		}
		return &Type{OID: oid, Name: "_???", SQLName: "???", Len: -1, Category: 'A', Elem: elem, Codec: arrayCodec(elem)}
	}
	switch {
	case IsEnum(oid):
		return &Type{OID: oid, Name: "???", SQLName: "???", Len: 4, Category: 'E', Array: UserArrayOID(oid), Codec: enumCodec(oid)}
	case IsRow(oid):
		return &Type{OID: oid, Name: "???", SQLName: "???", Len: -1, Category: 'C', Array: UserArrayOID(oid), Codec: rowCodec(oid)}
	}
	return nil
}

// enumCodec: the binary form here is the one on disk, the label's order; clients
// get EncodeWire's. Without a catalog the text form is the order, too.
func enumCodec(oid OID) *Codec {
	return &Codec{
		Parse: func(s string, env *Env) (Datum, error) {
			if env.Users == nil {
				order, err := strconv.ParseFloat(s, 64)
				if err != nil {
					return nil, unknownType(oid)
				}
				return Enum{oid, order}, nil
			}
			order, err := env.Users.EnumOrder(oid, s)
			if err != nil {
				return nil, err
			}
			return Enum{oid, order}, nil
		},
		Format: formatEnum,
		Decode: func(b []byte) (Datum, error) {
			if len(b) != 8 {
				return nil, incorrectFormat()
			}
			return Enum{oid, math.Float64frombits(binary.BigEndian.Uint64(b))}, nil
		},
		Encode: func(dst []byte, d Datum) ([]byte, error) {
			if label, ok := d.(string); ok {
				return append(dst, label...), nil
			}
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(d.(Enum).Order)), nil
		},
		Compare: func(a, b Datum) int { return CompareFloat(a.(Enum).Order, b.(Enum).Order) },
		AppendKey: func(dst []byte, d Datum) []byte {
			return binary.BigEndian.AppendUint64(dst, float64Order(d.(Enum).Order))
		},
		DecodeKey: func(b []byte) (Datum, []byte, error) {
			if len(b) < 8 {
				return nil, nil, corruptKey()
			}
			return Enum{oid, float64FromOrder(binary.BigEndian.Uint64(b))}, b[8:], nil
		},
	}
}

func formatEnum(dst []byte, d Datum, env *Env) []byte {
	e, ok := d.(Enum)
	if !ok {
		return append(dst, d.(string)...)
	}
	if env.Users != nil {
		if label, ok := env.Users.EnumLabel(e.Type, e.Order); ok {
			return append(dst, label...)
		}
	}
	return strconv.AppendFloat(dst, e.Order, 'g', -1, 64)
}

// rowCodec is a record whose columns the catalog knows.
func rowCodec(oid OID) *Codec {
	c := *recordCodec
	c.Parse = func(s string, env *Env) (Datum, error) {
		if env.Users != nil {
			if names, oids, ok := env.Users.RowFields(oid); ok {
				r, err := ParseRecord(names, oids, s, env)
				if err != nil {
					return nil, err
				}
				return r, nil
			}
		}
		return nil, unknownType(oid)
	}
	return &c
}

// EncodeWire appends the binary form that clients get: labels in place of their
// order.
func EncodeWire(dst []byte, oid OID, d Datum, env *Env) ([]byte, error) {
	if IsUserType(oid) || oid == RecordOID {
		d = labelled(d, envOr(env))
	}
	return Encode(dst, oid, d)
}

// labelled puts labels in the place of enums, in arrays and records too.
func labelled(d Datum, env *Env) Datum {
	switch v := d.(type) {
	case Enum:
		return string(formatEnum(nil, v, env))
	case *Array:
		if !IsUserType(v.Elem) {
			return v
		}
		out := *v
		out.Elems = labelledAll(v.Elems, env)
		return &out
	case *Record:
		out := *v
		out.Values = labelledAll(v.Values, env)
		return &out
	}
	return d
}

func labelledAll(in []Datum, env *Env) []Datum {
	out := make([]Datum, len(in))
	for i, d := range in {
		out[i] = labelled(d, env)
	}
	return out
}

// DecodeWire reads the binary form that clients send.
func DecodeWire(oid OID, b []byte, env *Env) (Datum, error) {
	switch {
	case IsEnum(oid):
		return Parse(oid, NoTypmod, string(b), env)
	case IsEnum(UserElem(oid)):
		return decodeLabels(UserElem(oid), b, env)
	case IsUserType(oid):
		return nil, pgerr.Newf(pgerr.FeatureNotSupported, "input of a composite type in binary form is not supported")
	}
	return Decode(oid, b)
}

// decodeLabels reads an array of labels.
func decodeLabels(elem OID, b []byte, env *Env) (Datum, error) {
	a, b, err := decodeArrayHeader(elem, b)
	if err != nil {
		return nil, err
	}
	for i := range a.Elems {
		var label Datum
		if label, b, err = decodeBinaryField(TextOID, b); err != nil {
			return nil, err
		}
		if label == nil {
			continue
		}
		if a.Elems[i], err = Parse(elem, NoTypmod, label.(string), env); err != nil {
			return nil, err
		}
	}
	if len(b) > 0 {
		return nil, incorrectFormat()
	}
	return a, nil
}
