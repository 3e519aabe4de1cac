package bench

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Vector is a value of the type vector: int16 dimensions, int16 0, then big-endian float4s on the wire.
type Vector []float32

const vectorHeader = 4

// appendVector appends the binary form.
func appendVector(buf []byte, v []float32) []byte {
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(v)))
	buf = binary.BigEndian.AppendUint16(buf, 0)
	for _, x := range v {
		buf = binary.BigEndian.AppendUint32(buf, math.Float32bits(x))
	}
	return buf
}

func parseVector(src []byte) (Vector, error) {
	if len(src) < vectorHeader {
		return nil, fmt.Errorf("vector of %d bytes", len(src))
	}
	dim := int(binary.BigEndian.Uint16(src))
	if len(src) != vectorHeader+4*dim {
		return nil, fmt.Errorf("vector of %d dimensions in %d bytes", dim, len(src))
	}
	v := make(Vector, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.BigEndian.Uint32(src[vectorHeader+4*i:]))
	}
	return v, nil
}

// registerVector makes pgx send and read the type vector in binary. The server tells the type's oid itself, as the
// type of a parameter, so that nothing is asked of its catalogs.
func registerVector(ctx context.Context, conn *pgx.Conn) error {
	statement, err := conn.Prepare(ctx, "", "SELECT $1::vector")
	if err != nil {
		return fmt.Errorf("the server does not know the type vector: %w", err)
	}
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "vector", OID: statement.ParamOIDs[0], Codec: vectorCodec{}})
	conn.TypeMap().RegisterDefaultPgType(Vector{}, "vector")
	return nil
}

type vectorCodec struct{}

func (vectorCodec) FormatSupported(format int16) bool { return format == pgtype.BinaryFormatCode }

func (vectorCodec) PreferredFormat() int16 { return pgtype.BinaryFormatCode }

func (vectorCodec) PlanEncode(_ *pgtype.Map, _ uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(Vector); ok && format == pgtype.BinaryFormatCode {
		return encodeVector{}
	}
	return nil
}

func (vectorCodec) PlanScan(_ *pgtype.Map, _ uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*Vector); ok && format == pgtype.BinaryFormatCode {
		return scanVector{}
	}
	return nil
}

func (c vectorCodec) DecodeDatabaseSQLValue(m *pgtype.Map, oid uint32, format int16, src []byte) (driver.Value, error) {
	return c.DecodeValue(m, oid, format, src)
}

func (vectorCodec) DecodeValue(_ *pgtype.Map, _ uint32, _ int16, src []byte) (any, error) {
	if src == nil {
		return nil, nil
	}
	return parseVector(src)
}

type encodeVector struct{}

func (encodeVector) Encode(value any, buf []byte) ([]byte, error) {
	return appendVector(buf, value.(Vector)), nil
}

type scanVector struct{}

func (scanVector) Scan(src []byte, target any) error {
	if src == nil {
		*target.(*Vector) = nil
		return nil
	}
	v, err := parseVector(src)
	*target.(*Vector) = v
	return err
}
