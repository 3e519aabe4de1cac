package ddl

import (
	"slices"
	"strings"

	"github.com/akidb/akidb/internal/catalog"
	"github.com/akidb/akidb/internal/pgerr"
	"github.com/akidb/akidb/internal/types"
	"github.com/akidb/akidb/sql"
)

// maxDimensions is the limit of an indexed vector's type.
const (
	maxVectorDimensions = 16000
	maxBitDimensions    = 64000
)

// vectorClass is an operator class of the vector indexes.
type vectorClass struct {
	name   string
	input  types.OID
	metric types.Metric
}

// nearestClasses are pgvector's operator classes by method. Of hnsw, the first of a
// type is its default here; pgvector has none.
var nearestClasses = map[string][]vectorClass{"hnsw": hnswClasses, "ivfflat": ivfflatClasses}

var ivfflatClasses = []vectorClass{
	{"vector_l2_ops", types.VectorOID, types.MetricL2}, {"vector_ip_ops", types.VectorOID, types.MetricInnerProduct},
	{"vector_cosine_ops", types.VectorOID, types.MetricCosine}, {"halfvec_l2_ops", types.HalfVecOID, types.MetricL2},
	{"halfvec_ip_ops", types.HalfVecOID, types.MetricInnerProduct}, {"halfvec_cosine_ops", types.HalfVecOID, types.MetricCosine},
	{"bit_hamming_ops", types.BitOID, types.MetricHamming},
}

var hnswClasses = []vectorClass{
	{"vector_cosine_ops", types.VectorOID, types.MetricCosine}, {"vector_l2_ops", types.VectorOID, types.MetricL2},
	{"vector_ip_ops", types.VectorOID, types.MetricInnerProduct}, {"vector_l1_ops", types.VectorOID, types.MetricL1},
	{"halfvec_cosine_ops", types.HalfVecOID, types.MetricCosine}, {"halfvec_l2_ops", types.HalfVecOID, types.MetricL2},
	{"halfvec_ip_ops", types.HalfVecOID, types.MetricInnerProduct}, {"halfvec_l1_ops", types.HalfVecOID, types.MetricL1},
	{"sparsevec_cosine_ops", types.SparseVecOID, types.MetricCosine}, {"sparsevec_l2_ops", types.SparseVecOID, types.MetricL2},
	{"sparsevec_ip_ops", types.SparseVecOID, types.MetricInnerProduct}, {"sparsevec_l1_ops", types.SparseVecOID, types.MetricL1},
	{"bit_hamming_ops", types.BitOID, types.MetricHamming}, {"bit_jaccard_ops", types.BitOID, types.MetricJaccard},
}

// noClass is the error for a type without a default operator class.
func noClass(oid types.OID, method string) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, `data type %s has no default operator class for access method "%s"`, types.FormatType(oid, types.NoTypmod), method).
		WithHint("You must specify an operator class for the index or define a default operator class for the data type.")
}

func noSuchClass(name []string, method string) *pgerr.Error {
	return pgerr.Newf(pgerr.UndefinedObject, `operator class "%s" does not exist for access method "%s"`, strings.Join(name, "."), method)
}

func wrongClass(name string, oid types.OID) *pgerr.Error {
	return pgerr.Newf(pgerr.DatatypeMismatch, `operator class "%s" does not accept data type %s`, name, types.FormatType(oid, types.NoTypmod))
}

// nearestClass picks the operator class of a vector index's key; chosen says
// that the statement named none.
func nearestClass(method string, oid types.OID, name []string) (class vectorClass, chosen bool, err error) {
	classes := nearestClasses[method]
	if len(name) == 0 {
		for _, c := range classes {
			if c.input == oid && (method == "hnsw" || c.name == ivfflatDefault) {
				return c, method == "hnsw", nil
			}
		}
		return class, false, noClass(oid, method)
	}
	last := name[len(name)-1]
	for _, c := range classes {
		if c.name != last {
			continue
		}
		if c.input != oid {
			return class, false, wrongClass(last, oid)
		}
		return c, false, nil
	}
	return class, false, noSuchClass(name, method)
}

// ivfflatDefault is the only default class that pgvector has for ivfflat.
const ivfflatDefault = "vector_l2_ops"

// btreeClasses are the operator classes by the type they take; several types
// share text_ops and its like.
var btreeClasses = map[string][]types.OID{
	"bool_ops": {types.BoolOID}, "bytea_ops": {types.ByteaOID}, "char_ops": {types.CharOID}, "name_ops": {types.NameOID},
	"int2_ops": {types.Int2OID}, "int4_ops": {types.Int4OID}, "int8_ops": {types.Int8OID}, "oid_ops": {types.OidOID, types.RegclassOID, types.RegtypeOID},
	"float4_ops": {types.Float4OID}, "float8_ops": {types.Float8OID}, "numeric_ops": {types.NumericOID},
	"text_ops": {types.TextOID, types.VarcharOID}, "varchar_ops": {types.TextOID, types.VarcharOID}, "bpchar_ops": {types.BpcharOID},
	"text_pattern_ops": {types.TextOID, types.VarcharOID}, "varchar_pattern_ops": {types.TextOID, types.VarcharOID}, "bpchar_pattern_ops": {types.BpcharOID},
	"date_ops": {types.DateOID}, "time_ops": {types.TimeOID}, "timetz_ops": {types.TimeTZOID}, "timestamp_ops": {types.TimestampOID},
	"timestamptz_ops": {types.TimestampTZOID}, "interval_ops": {types.IntervalOID}, "uuid_ops": {types.UUIDOID}, "jsonb_ops": {types.JSONBOID},
	"bit_ops": {types.BitOID}, "varbit_ops": {types.VarbitOID}, "record_ops": {types.RecordOID},
	"vector_ops": {types.VectorOID}, "halfvec_ops": {types.HalfVecOID}, "sparsevec_ops": {types.SparseVecOID},
}

// btreeClass checks an operator class of a btree and gives what is stored: ""
// for the type's own.
func btreeClass(oid types.OID, name []string) (string, error) {
	if len(name) == 0 {
		if !hasOrder(oid) {
			return "", noClass(oid, "btree")
		}
		return "", nil
	}
	last := name[len(name)-1]
	if t := types.Lookup(oid); last == "array_ops" && t != nil && t.IsArray() {
		return last, nil
	}
	inputs, ok := btreeClasses[last]
	if !ok && last != "array_ops" {
		return "", noSuchClass(name, "btree")
	}
	for _, input := range inputs {
		if input == oid {
			return last, nil
		}
	}
	return "", wrongClass(last, oid)
}

// unusedClasses are the operator classes of the methods that are accepted only;
// "" stands before the types that have a default class.
var unusedClasses = map[string]map[string][]types.OID{
	"gin":    {"": {types.JSONBOID}, "jsonb_ops": {types.JSONBOID}, "jsonb_path_ops": {types.JSONBOID}},
	"gist":   {},
	"spgist": {"": {types.TextOID, types.VarcharOID}, "text_ops": {types.TextOID, types.VarcharOID}},
}

// keyClass checks the operator class of a key that is not a vector index's.
func keyClass(method string, oid types.OID, name []string) (string, error) {
	classes, ok := unusedClasses[method]
	if !ok {
		class, err := btreeClass(oid, name) // btree, hash and brin share names
		return class, renameMethod(err, method)
	}
	last := ""
	if len(name) > 0 {
		last = name[len(name)-1]
	}
	t := types.Lookup(oid)
	if method == "gin" && t != nil && t.IsArray() && (last == "" || last == "array_ops") {
		return last, nil
	}
	inputs, known := classes[last]
	switch {
	case slices.Contains(inputs, oid):
		return last, nil
	case last == "":
		return "", noClass(oid, method)
	case !known && last != "array_ops":
		return "", noSuchClass(name, method)
	}
	return "", wrongClass(last, oid)
}

// renameMethod has an error of btree's name another method.
func renameMethod(err error, method string) error {
	if e := pgerr.As(err); e != nil {
		e.Message = strings.ReplaceAll(e.Message, `access method "btree"`, `access method "`+method+`"`)
	}
	return err
}

// checkDimensions demands that a vector key's type says its dimension.
func checkDimensions(method string, k *catalog.IndexKey) error {
	if k.Typmod < 1 {
		return pgerr.New(pgerr.InvalidParameterValue, "column does not have dimensions").
			WithHint("Give the type its dimension, as in %s, or index a cast: ((%s)).",
				sql.QuoteIdent(types.FormatType(k.Type, types.NoTypmod))+"(768)", "embedding::"+types.FormatType(k.Type, types.NoTypmod)+"(768)")
	}
	limit := int32(maxVectorDimensions)
	switch k.Type {
	case types.BitOID:
		limit = maxBitDimensions
	case types.SparseVecOID: // only its non-zero elements are limited, in each value
		return nil
	}
	if k.Typmod > limit {
		return pgerr.Newf(pgerr.ProgramLimitExceeded, "column cannot have more than %d dimensions for %s index", limit, method)
	}
	return nil
}
