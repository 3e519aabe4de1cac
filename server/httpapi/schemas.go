package httpapi

func typed(kind, text string) object { return object{"type": kind, "description": text} }

func list(of object, text string) object {
	return object{"type": "array", "items": of, "description": text}
}

func choice(text, usual string, values ...string) object {
	return object{"type": "string", "enum": values, "default": usual, "description": text}
}

func record(text string, required []string, properties object) object {
	out := object{"type": "object", "description": text, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// open is an object that may have more members than its schema names.
func open(o object) object {
	o["additionalProperties"] = true
	return o
}

var numbers = object{"oneOf": []any{
	object{"type": "array", "items": object{"type": "number"}},
	object{"type": "string", "description": "The type's text form; sparse vectors have no other: {1:1.5,3:2}/5."},
}}

// schemas are the bodies and answers of the routes.
var schemas = object{
	"NewCollection": record("A collection to make.", []string{"name", "dimension"}, object{
		"name": typed("string", "The table's name."), "schema": typed("string", "The table's schema; the first of the search path unless told otherwise."),
		"dimension":       object{"type": "integer", "minimum": 1, "description": "Elements of a vector."},
		"metric":          choice("The distance.", "cosine", "cosine", "l2", "ip", "l1", "hamming", "jaccard"),
		"vector_type":     choice("The type of the vectors.", "vector", "vector", "halfvec", "sparsevec", "bit"),
		"id_type":         choice("The type of the ids.", "bigint", "bigint", "uuid", "text"),
		"index":           choice("The index.", "hnsw", "hnsw", "none"),
		"m":               object{"type": "integer", "default": 16, "minimum": 2, "maximum": 100, "description": "Neighbours of a node of the graph."},
		"ef_construction": object{"type": "integer", "default": 64, "minimum": 4, "maximum": 1000, "description": "Candidates while the graph is built."},
		"columns": object{"type": "object", "additionalProperties": object{"type": "string", "enum": columnTypes},
			"description": "Further columns and their SQL types."},
	}),
	"Collections": record("The collections.", []string{"collections"}, object{"collections": list(ref("Collection"), "By schema and name.")}),
	"Collection": record("A collection.", nil, object{
		"name": typed("string", "The table's name."), "schema": typed("string", "Its schema."), "dimension": typed("integer", "Elements of a vector."),
		"metric": typed("string", "The distance that the index is made for."), "tier": typed("string", "hot, warm or cold."), "pinned": typed("boolean", "It is not demoted by itself."),
		"id_column": typed("string", "The primary key."),
		"columns": list(record("", nil, object{
			"name": typed("string", "The column."), "key": typed("string", "Its key in vectors."), "type": typed("string", "Its SQL type."), "nullable": typed("boolean", "It may be null."),
		}), "The columns."),
		"indexes": list(record("", nil, object{
			"name": typed("string", "The index."), "column": typed("string", "Its column."), "method": typed("string", "hnsw or ivfflat."),
			"metric": typed("string", "Its distance."), "valid": typed("boolean", "It is built."),
		}), "The vector indexes."),
		"state": ref("TierState"),
	}),
	"VectorsToStore": object{"oneOf": []any{
		ref("Vector"), list(ref("Vector"), "Many vectors."), record("Many vectors.", []string{"vectors"}, object{"vectors": list(ref("Vector"), "")}),
	}},
	"Vector": open(record("A vector. Every other member is a column of the collection.", nil, object{
		"id": object{"description": "The id; without one it is given.", "type": []string{"integer", "string"}}, "vector": numbers,
		"metadata": object{"description": "Any JSON."},
	})),
	"Stored": record("What was stored.", []string{"count"}, object{
		"count": typed("integer", "Vectors stored."), "ids": list(object{"type": []string{"integer", "string"}}, "Their ids, in the order of the body; not for lines."),
	}),
	"Search": record("A search.", []string{"vector"}, object{
		"vector": numbers, "k": object{"type": "integer", "default": defaultK, "minimum": 1, "maximum": maxK, "description": "How many to find."},
		"filter": object{"type": "object", "description": "Conditions on columns and on the metadata, which all must hold: {\"color\": \"red\", \"price\": {\"$lt\": 20}}. " +
			"Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $contains, and $and $or $not."},
		"ef":             object{"type": "integer", "minimum": 1, "maximum": 1000, "description": "Candidates of the search: more find better and take longer."},
		"exact":          typed("boolean", "Compare with every vector instead of using the index."),
		"include":        list(object{"type": "string"}, "The columns to return; all but the vectors unless told otherwise."),
		"include_vector": typed("boolean", "Return the vectors too."),
		"column":         typed("string", "The vector column, where there are several."),
		"metric":         typed("string", "Another distance than the index's."),
	}),
	"Found": record("What was found, the nearest first.", []string{"results"}, object{
		"results": list(open(record("", []string{"distance"}, object{
			"id": object{"type": []string{"integer", "string"}}, "distance": typed("number", "As the SQL operator gives it: of ip, the negative product."),
		})), ""),
	}),
	"Move": record("Where to.", nil, object{
		"tier": object{"type": "string", "enum": tiers, "description": "The tier."}, "wait": typed("boolean", "Answer when the collection is there."),
	}),
	"TierState": open(record("The collection's row of akidb.collection_tiers.", nil, object{
		"tier": typed("string", "hot, warm or cold."), "pinned": typed("boolean", "It is not demoted by itself."), "rows": typed("integer", "Rows (estimate)."),
	})),
	"NewSnapshot": record("A snapshot to make.", []string{"name"}, object{"name": typed("string", "Its name.")}),
	"Snapshots":   record("Snapshots.", []string{"snapshots"}, object{"snapshots": list(ref("Snapshot"), "")}),
	"Snapshot":    open(record("A snapshot, as SHOW SNAPSHOTS shows it.", nil, object{"name": typed("string", "Its name.")})),
	"Restore":     record("What to restore a snapshot as.", []string{"as"}, object{"as": typed("string", "The collection to make.")}),
	"Health":      open(record("The server's state.", []string{"status"}, object{"status": typed("string", "ok, ready, read only or not ready.")})),
	"Problem": open(record("An error (RFC 9457).", []string{"type", "title", "status", "detail"}, object{
		"type": typed("string", "about:blank"), "title": typed("string", "The HTTP status."), "status": typed("integer", "The HTTP status."),
		"detail": typed("string", "PostgreSQL's message."), "sqlstate": typed("string", "PostgreSQL's error code."), "error_detail": typed("string", "PostgreSQL's DETAIL."),
		"hint": typed("string", "What may help."), "column": typed("string", "The column."), "constraint": typed("string", "The constraint."),
		"position": typed("integer", "The byte of the body, from 1."), "line": typed("integer", "The line of the body, from 1."),
		"item": typed("integer", "The vector of the body, from 1."), "stored": typed("integer", "Vectors stored before the error, of lines."),
	})),
}
