package types

import "time"

// Stubs of the API under construction; each moves to its own file.

type Weekday = time.Weekday

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

var intervalCodec = &Codec{}

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
