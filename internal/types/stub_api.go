package types

import "time"

// Stubs of the API under construction; each moves to its own file.

type Weekday = time.Weekday


func ParseJSONB(s string) (JSONB, error) { return "", nil }

// JSONMember is one key of a JSON object.
type JSONMember struct {
	Key   string
	Value any
}

// JSONObject is a JSON object in key order.
type JSONObject []JSONMember

// Value: nil, bool, *Numeric, string, []any, JSONObject.
func (j JSONB) Value() (any, error)                { return nil, nil }
func JSONBFromValue(v any) JSONB                   { return "" }
func ParseJSONValue(s string) (any, error)         { return nil, nil }
func AppendJSONString(dst []byte, s string) []byte { return dst }

func TimestampFromTime(t time.Time) TimestampTZ           { return 0 }
func (t TimestampTZ) Time() time.Time                     { return time.Time{} }
func (t Timestamp) Time() time.Time                       { return time.Time{} }
func (t Timestamp) AtZone(loc *time.Location) TimestampTZ { return 0 }
func (t TimestampTZ) In(loc *time.Location) Timestamp     { return 0 }
func (t Timestamp) Split() (Date, Time)                   { return 0, 0 }
func (t Timestamp) IsInfinite() bool                      { return false }
func (t TimestampTZ) IsInfinite() bool                    { return false }
func (d Date) IsInfinite() bool                           { return false }
func DateFromYMD(year, month, day int) Date               { return 0 }
func (d Date) YMD() (year, month, day int)                { return }
func (d Date) Timestamp() (Timestamp, error)              { return 0, nil }

// DateTimeParts are the calendar parts of a timestamp.
type DateTimeParts struct {
	Year, Month, Day, Hour, Minute, Second, Micros int
}

func (t Timestamp) Parts() DateTimeParts                       { return DateTimeParts{} }
func TimestampFromParts(p DateTimeParts) (Timestamp, error)    { return 0, nil }
func TimestampAdd(t Timestamp, iv Interval) (Timestamp, error) { return 0, nil }
func TimestampTZAdd(t TimestampTZ, iv Interval, loc *time.Location) (TimestampTZ, error) {
	return 0, nil
}
func TimestampSub(a, b Timestamp) (Interval, error) { return Interval{}, nil }
func AgeTimestamp(a, b Timestamp) Interval          { return Interval{} }
func (i Interval) Neg() (Interval, error)           { return i, nil }
func (i Interval) Add(j Interval) (Interval, error) { return i, nil }
func (i Interval) Sub(j Interval) (Interval, error) { return i, nil }
func (i Interval) Mul(f float64) (Interval, error)  { return i, nil }
func (i Interval) Div(f float64) (Interval, error)  { return i, nil }
func (i Interval) JustifyHours() Interval           { return i }
func (i Interval) JustifyDays() Interval            { return i }
func (i Interval) JustifyInterval() Interval        { return i }

// LookupZone finds a zone by name, abbreviation or offset.
func LookupZone(name string) (*time.Location, bool) { return time.UTC, false }

func ApplyTypmod(oid OID, typmod int32, d Datum, explicit bool) (Datum, error) { return d, nil }
func TypmodIn(oid OID, mods []string) (int32, error)                           { return -1, nil }
func FormatType(oid OID, typmod int32) string                                  { return "" }
func TypmodOut(oid OID, typmod int32) string                                   { return "" }

func checkJSON(s string) (string, error) { return s, nil }

var (
	dateCodec, timeCodec, timestampCodec, timestamptzCodec, intervalCodec, timetzCodec, bitCodec, recordCodec, anyArrayCodec, jsonbCodec = &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}
)

func intVectorCodec(oid OID) *Codec                       { return &Codec{} }
func arrayCodec(elem OID) *Codec                          { return &Codec{} }
func formatRecord(dst []byte, r *Record, env *Env) []byte { return dst }
func formatArray(dst []byte, a *Array, env *Env) []byte   { return dst }
func compareRecords(a, b *Record) int                     { return 0 }
func recordAppendKey(dst []byte, r *Record) []byte        { return dst }
