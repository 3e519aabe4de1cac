package types

import "strings"

// OIDs of the rest of the built-in types; the commonly used ones stand in type.go.
const (
	CIDROID                 OID = 650
	InetOID                 OID = 869
	RefcursorOID            OID = 1790
	TriggerOID              OID = 2279
	LanguageHandlerOID      OID = 2280
	InternalOID             OID = 2281
	AnyNonArrayOID          OID = 2776
	AnyEnumOID              OID = 3500
	AnyRangeOID             OID = 3831
	RegconfigOID            OID = 3734
	RegdictionaryOID        OID = 3769
	EventTriggerOID         OID = 3838
	RegcollationOID         OID = 4191
	XID8OID                 OID = 5069
	AnyCompatibleOID        OID = 5077
	AnyCompatibleArrayOID   OID = 5078
	AnyCompatibleNonArryOID OID = 5079
	AnyCompatibleRangeOID   OID = 5080
	TableAMHandlerOID       OID = 269
	IndexAMHandlerOID       OID = 325

	Int2VectorArrayOID OID = 1006
	OidVectorArrayOID  OID = 1013
	TimeArrayOID       OID = 1183
	TimeTZArrayOID     OID = 1270
	IntervalArrayOID   OID = 1187
	BitArrayOID        OID = 1561
	VarbitArrayOID     OID = 1563
	RecordArrayOID     OID = 2287
	CstringArrayOID    OID = 1263
	RegclassArrayOID   OID = 2210
	RegtypeArrayOID    OID = 2211
	RegprocArrayOID    OID = 1008
)

// baseTypes is every type that is not an array of another; the array types
// follow from the last OID.
func baseTypes() []Type {
	return []Type{
		{BoolOID, "bool", "boolean", 1, 'B', true, 0, 1000, boolCodec},
		{ByteaOID, "bytea", "bytea", -1, 'U', false, 0, 1001, byteaCodec},
		{CharOID, "char", `"char"`, 1, 'Z', false, 0, 1002, charCodec},
		{NameOID, "name", "name", 64, 'S', false, CharOID, 1003, nameCodec},
		{Int8OID, "int8", "bigint", 8, 'N', false, 0, 1016, int8Codec},
		{Int2OID, "int2", "smallint", 2, 'N', false, 0, 1005, int2Codec},
		{Int2VectorOID, "int2vector", "int2vector", -1, 'A', false, Int2OID, 1006, intVectorCodec(Int2OID)},
		{Int4OID, "int4", "integer", 4, 'N', false, 0, 1007, int4Codec},
		{RegprocOID, "regproc", "regproc", 4, 'N', false, 0, 1008, regCodec(RegprocOID)},
		{TextOID, "text", "text", -1, 'S', true, 0, 1009, textCodec},
		{OidOID, "oid", "oid", 4, 'N', true, 0, 1028, oidCodec},
		{TidOID, "tid", "tid", 6, 'U', false, 0, 1010, tidCodec},
		{XidOID, "xid", "xid", 4, 'U', false, 0, 1011, xidCodec},
		{CidOID, "cid", "cid", 4, 'U', false, 0, 1012, xidCodec},
		{OidVectorOID, "oidvector", "oidvector", -1, 'A', false, OidOID, 1013, intVectorCodec(OidOID)},
		{JSONOID, "json", "json", -1, 'U', false, 0, 199, jsonCodec},
		{XMLOID, "xml", "xml", -1, 'U', false, 0, 143, xmlCodec},
		{PgNodeTreeOID, "pg_node_tree", "pg_node_tree", -1, 'Z', false, 0, 0, textCodec},
		{TableAMHandlerOID, "table_am_handler", "table_am_handler", 4, 'P', false, 0, 0, pseudoCodec("table_am_handler")},
		{IndexAMHandlerOID, "index_am_handler", "index_am_handler", 4, 'P', false, 0, 0, pseudoCodec("index_am_handler")},
		{CIDROID, "cidr", "cidr", -1, 'I', false, 0, 651, cidrCodec},
		{Float4OID, "float4", "real", 4, 'N', false, 0, 1021, float4Codec},
		{Float8OID, "float8", "double precision", 8, 'N', true, 0, 1022, float8Codec},
		{UnknownOID, "unknown", "unknown", -2, 'X', false, 0, 0, textCodec},
		{InetOID, "inet", "inet", -1, 'I', true, 0, 1041, inetCodec},
		{BpcharOID, "bpchar", "character", -1, 'S', false, 0, 1014, bpcharCodec},
		{VarcharOID, "varchar", "character varying", -1, 'S', false, 0, 1015, textCodec},
		{DateOID, "date", "date", 4, 'D', false, 0, 1182, dateCodec},
		{TimeOID, "time", "time without time zone", 8, 'D', false, 0, 1183, timeCodec},
		{TimestampOID, "timestamp", "timestamp without time zone", 8, 'D', false, 0, 1115, timestampCodec},
		{TimestampTZOID, "timestamptz", "timestamp with time zone", 8, 'D', true, 0, 1185, timestamptzCodec},
		{IntervalOID, "interval", "interval", 16, 'T', true, 0, 1187, intervalCodec},
		{TimeTZOID, "timetz", "time with time zone", 12, 'D', false, 0, 1270, timetzCodec},
		{BitOID, "bit", "bit", -1, 'V', false, 0, 1561, bitCodec},
		{VarbitOID, "varbit", "bit varying", -1, 'V', true, 0, 1563, bitCodec},
		{NumericOID, "numeric", "numeric", -1, 'N', false, 0, 1231, numericCodec},
		{RefcursorOID, "refcursor", "refcursor", -1, 'U', false, 0, 2201, textCodec},
		{RegprocedureOID, "regprocedure", "regprocedure", 4, 'N', false, 0, 2207, regCodec(RegprocedureOID)},
		{RegoperOID, "regoper", "regoper", 4, 'N', false, 0, 2208, regCodec(RegoperOID)},
		{RegoperatorOID, "regoperator", "regoperator", 4, 'N', false, 0, 2209, regCodec(RegoperatorOID)},
		{RegclassOID, "regclass", "regclass", 4, 'N', false, 0, 2210, regCodec(RegclassOID)},
		{RegtypeOID, "regtype", "regtype", 4, 'N', false, 0, 2211, regCodec(RegtypeOID)},
		{RecordOID, "record", "record", -1, 'P', false, 0, 2287, recordCodec},
		{CstringOID, "cstring", "cstring", -2, 'P', false, 0, 1263, textCodec},
		{AnyOID, "any", `"any"`, 4, 'P', false, 0, 0, pseudoCodec("any")},
		{AnyArrayOID, "anyarray", "anyarray", -1, 'P', false, 0, 0, anyArrayCodec},
		{VoidOID, "void", "void", 4, 'P', false, 0, 0, voidCodec},
		{TriggerOID, "trigger", "trigger", 4, 'P', false, 0, 0, pseudoCodec("trigger")},
		{LanguageHandlerOID, "language_handler", "language_handler", 4, 'P', false, 0, 0, pseudoCodec("language_handler")},
		{InternalOID, "internal", "internal", 8, 'P', false, 0, 0, pseudoCodec("internal")},
		{AnyElementOID, "anyelement", "anyelement", 4, 'P', false, 0, 0, pseudoCodec("anyelement")},
		{AnyNonArrayOID, "anynonarray", "anynonarray", 4, 'P', false, 0, 0, pseudoCodec("anynonarray")},
		{UUIDOID, "uuid", "uuid", 16, 'U', false, 0, 2951, uuidCodec},
		{AnyEnumOID, "anyenum", "anyenum", 4, 'P', false, 0, 0, pseudoCodec("anyenum")},
		{RegconfigOID, "regconfig", "regconfig", 4, 'N', false, 0, 3735, regCodec(RegconfigOID)},
		{RegdictionaryOID, "regdictionary", "regdictionary", 4, 'N', false, 0, 3770, regCodec(RegdictionaryOID)},
		{JSONBOID, "jsonb", "jsonb", -1, 'U', false, 0, 3807, jsonbCodec},
		{AnyRangeOID, "anyrange", "anyrange", -1, 'P', false, 0, 0, pseudoCodec("anyrange")},
		{EventTriggerOID, "event_trigger", "event_trigger", 4, 'P', false, 0, 0, pseudoCodec("event_trigger")},
		{JSONPathOID, "jsonpath", "jsonpath", -1, 'U', false, 0, 4073, jsonpathCodec},
		{RegnamespaceOID, "regnamespace", "regnamespace", 4, 'N', false, 0, 4090, regCodec(RegnamespaceOID)},
		{RegroleOID, "regrole", "regrole", 4, 'N', false, 0, 4097, regCodec(RegroleOID)},
		{RegcollationOID, "regcollation", "regcollation", 4, 'N', false, 0, 4192, regCodec(RegcollationOID)},
		{XID8OID, "xid8", "xid8", 8, 'U', false, 0, 271, xid8Codec},
		{AnyCompatibleOID, "anycompatible", "anycompatible", 4, 'P', false, 0, 0, pseudoCodec("anycompatible")},
		{AnyCompatibleArrayOID, "anycompatiblearray", "anycompatiblearray", -1, 'P', false, 0, 0, anyArrayCodec},
		{AnyCompatibleNonArryOID, "anycompatiblenonarray", "anycompatiblenonarray", 4, 'P', false, 0, 0, pseudoCodec("anycompatiblenonarray")},
		{AnyCompatibleRangeOID, "anycompatiblerange", "anycompatiblerange", -1, 'P', false, 0, 0, pseudoCodec("anycompatiblerange")},
		{VectorOID, "vector", "vector", -1, 'U', false, 0, VectorArrayOID, vectorCodec},
		{HalfVecOID, "halfvec", "halfvec", -1, 'U', false, 0, HalfVecArrayOID, halfvecCodec},
		{SparseVecOID, "sparsevec", "sparsevec", -1, 'U', false, 0, SparseVecArrayOID, sparsevecCodec},
	}
}

// sqlAliases are the spellings of SQL that are neither a typname nor the name
// that format_type prints.
var sqlAliases = map[string]OID{
	"int":                    Int4OID,
	"decimal":                NumericOID,
	"dec":                    NumericOID,
	"float":                  Float8OID,
	"char":                   BpcharOID,
	"nchar":                  BpcharOID,
	"national character":     BpcharOID,
	"national char":          BpcharOID,
	"char varying":           VarcharOID,
	"national char varying":  VarcharOID,
	"nchar varying":          VarcharOID,
	"time":                   TimeOID,
	"timestamp":              TimestampOID,
	"\"char\"":               CharOID,
	"smallserial":            Int2OID,
	"serial":                 Int4OID,
	"bigserial":              Int8OID,
	"serial2":                Int2OID,
	"serial4":                Int4OID,
	"serial8":                Int8OID,
	"time with time zone":    TimeTZOID,
	"time without time zone": TimeOID,
}

// lowOIDs bounds the directly indexed part of the table: every built-in type
// lies below it, so that Lookup is one load.
const lowOIDs = 16400

var (
	byOID     [lowOIDs]*Type
	byName    map[string]*Type
	bySQLName map[string]*Type
	allTypes  []*Type
)

func init() {
	byName, bySQLName = map[string]*Type{}, map[string]*Type{}
	for _, base := range baseTypes() {
		t := base
		register(&t)
		if t.Array != 0 {
			register(arrayOf(&t))
			bySQLName[t.Name+"[]"] = byOID[t.Array]
		}
	}
	for name, oid := range sqlAliases {
		bySQLName[name] = byOID[oid]
		bySQLName[name+"[]"] = byOID[byOID[oid].Array]
	}
}

func arrayOf(t *Type) *Type {
	return &Type{
		OID: t.Array, Name: "_" + t.Name, SQLName: t.SQLName + "[]", Len: -1,
		Category: 'A', Elem: t.OID, Codec: arrayCodec(t.OID),
	}
}

func register(t *Type) {
	byOID[t.OID] = t
	byName[t.Name] = t
	if _, ok := bySQLName[t.Name]; !ok {
		bySQLName[t.Name] = t
	}
	bySQLName[t.SQLName] = t
	allTypes = append(allTypes, t)
}

// Lookup returns the type with an OID, nil when there is none. What a user made
// has a row whose names are ???, but for domains.
func Lookup(oid OID) *Type {
	if oid < lowOIDs {
		return byOID[oid]
	}
	if IsUserType(oid) {
		return userType(oid)
	}
	return nil
}

// ByName returns the type with a pg_type.typname (int4, _int4, vector), or nil.
func ByName(typname string) *Type { return byName[typname] }

// BySQLName returns the type that SQL calls name: a typname, an alias (int,
// decimal, serial) or format_type's spelling (timestamp with time zone,
// integer[]). Case and the spaces between words do not matter.
func BySQLName(name string) *Type {
	if t := bySQLName[name]; t != nil {
		return t
	}
	folded := strings.ToLower(strings.Join(strings.Fields(name), " "))
	return bySQLName[folded]
}

// All returns every built-in type; the slice is the caller's.
func All() []*Type { return append([]*Type(nil), allTypes...) }

// IsArray tells whether t is a true array type (int2vector and oidvector are not).
func (t *Type) IsArray() bool { return t.Category == 'A' && t.Name[0] == '_' }
