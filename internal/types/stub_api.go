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

func ApplyTypmod(oid OID, typmod int32, d Datum, explicit bool) (Datum, error) { return d, nil }
func TypmodIn(oid OID, mods []string) (int32, error)                           { return -1, nil }
func FormatType(oid OID, typmod int32) string                                  { return "" }
func TypmodOut(oid OID, typmod int32) string                                   { return "" }

func checkJSON(s string) (string, error) { return s, nil }

var (
	intervalCodec, bitCodec, recordCodec, anyArrayCodec, jsonbCodec = &Codec{}, &Codec{}, &Codec{}, &Codec{}, &Codec{}
)

func intVectorCodec(oid OID) *Codec                       { return &Codec{} }
func arrayCodec(elem OID) *Codec                          { return &Codec{} }
func formatRecord(dst []byte, r *Record, env *Env) []byte { return dst }
func formatArray(dst []byte, a *Array, env *Env) []byte   { return dst }
func compareRecords(a, b *Record) int                     { return 0 }
func recordAppendKey(dst []byte, r *Record) []byte        { return dst }

type specialTime uint8

const (
	specialNone specialTime = iota
	specialInfinity
	specialNegInfinity
	specialEpoch
)

type dateTimeInput struct {
	special                                        specialTime
	year, month, day, hour, minute, second, micros int
	west                                           int
}

func decodeDateTime(s, typ string, env *Env, zone bool) (*dateTimeInput, error) { return nil, nil }
func (in *dateTimeInput) specialTimestamp() (Timestamp, bool)                   { return 0, false }
func (in *dateTimeInput) parts() DateTimeParts                                  { return DateTimeParts{} }

func decodeTimeOnly(s, typ string, env *Env) (*dateTimeInput, error) { return nil, nil }

const invalidTimeZoneDisplacement = "22009"

func (in *dateTimeInput) timeOfDay() Time { return 0 }
