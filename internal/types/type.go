package types

// OIDs of built-in types, PostgreSQL's own; the vector types are AkiDB's.
const (
	BoolOID         OID = 16
	ByteaOID        OID = 17
	CharOID         OID = 18 // "char"
	NameOID         OID = 19
	Int8OID         OID = 20
	Int2OID         OID = 21
	Int2VectorOID   OID = 22
	Int4OID         OID = 23
	RegprocOID      OID = 24
	TextOID         OID = 25
	OidOID          OID = 26
	TidOID          OID = 27
	XidOID          OID = 28
	CidOID          OID = 29
	OidVectorOID    OID = 30
	JSONOID         OID = 114
	XMLOID          OID = 142
	PgNodeTreeOID   OID = 194
	Float4OID       OID = 700
	Float8OID       OID = 701
	UnknownOID      OID = 705
	BpcharOID       OID = 1042
	VarcharOID      OID = 1043
	DateOID         OID = 1082
	TimeOID         OID = 1083
	TimestampOID    OID = 1114
	TimestampTZOID  OID = 1184
	IntervalOID     OID = 1186
	TimeTZOID       OID = 1266
	BitOID          OID = 1560
	VarbitOID       OID = 1562
	NumericOID      OID = 1700
	RegprocedureOID OID = 2202
	RegoperOID      OID = 2203
	RegoperatorOID  OID = 2204
	RegclassOID     OID = 2205
	RegtypeOID      OID = 2206
	RecordOID       OID = 2249
	CstringOID      OID = 2275
	AnyOID          OID = 2276
	AnyArrayOID     OID = 2277
	VoidOID         OID = 2278
	AnyElementOID   OID = 2283
	UUIDOID         OID = 2950
	JSONBOID        OID = 3802
	RegnamespaceOID OID = 4089
	RegroleOID      OID = 4096
	JSONPathOID     OID = 4072

	VectorOID         OID = 16385
	VectorArrayOID    OID = 16386
	HalfVecOID        OID = 16387
	HalfVecArrayOID   OID = 16388
	SparseVecOID      OID = 16389
	SparseVecArrayOID OID = 16390

	BoolArrayOID        OID = 1000
	ByteaArrayOID       OID = 1001
	CharArrayOID        OID = 1002
	NameArrayOID        OID = 1003
	Int2ArrayOID        OID = 1005
	Int4ArrayOID        OID = 1007
	TextArrayOID        OID = 1009
	BpcharArrayOID      OID = 1014
	VarcharArrayOID     OID = 1015
	Int8ArrayOID        OID = 1016
	Float4ArrayOID      OID = 1021
	Float8ArrayOID      OID = 1022
	OidArrayOID         OID = 1028
	NumericArrayOID     OID = 1231
	UUIDArrayOID        OID = 2951
	JSONArrayOID        OID = 199
	JSONBArrayOID       OID = 3807
	DateArrayOID        OID = 1182
	TimestampArrayOID   OID = 1115
	TimestampTZArrayOID OID = 1185
)

// NoTypmod is the type modifier of a type without one.
const NoTypmod int32 = -1

// Type is one row of the type table. Its columns are those of pg_type that
// AkiDB needs, plus its codec.
type Type struct {
	OID       OID
	Name      string // typname: int4, _int4, vector
	SQLName   string // format_type's name without modifier: integer, integer[], vector
	Len       int16  // typlen; -1 variable
	Category  byte   // typcategory: N, S, B, D, T, A, U, V, P (pseudo), …
	Preferred bool   // typispreferred
	Elem      OID    // element type of an array
	Array     OID    // array type of an element
	Codec     *Codec
}

// Codec is how a type is read, written and compared. A nil function means that
// PostgreSQL has none either (a pseudo-type, or a type without order).
type Codec struct {
	// Parse reads the text form. typmod is applied by ApplyTypmod, not here.
	Parse func(s string, env *Env) (Datum, error)
	// Format appends the text form.
	Format func(dst []byte, d Datum, env *Env) []byte
	// Decode reads the binary form; b is not kept.
	Decode func(b []byte) (Datum, error)
	// Encode appends the binary form.
	Encode func(dst []byte, d Datum) ([]byte, error)
	// Compare orders two non-NULL values: -1, 0, 1.
	Compare func(a, b Datum) int
	// AppendKey appends an encoding whose bytes order like Compare, and
	// DecodeKey reads it back and returns the rest. Equal values encode equally.
	AppendKey func(dst []byte, d Datum) []byte
	DecodeKey func(b []byte) (Datum, []byte, error)
}
