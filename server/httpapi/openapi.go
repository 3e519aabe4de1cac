package httpapi

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
)

// object is a piece of the OpenAPI document.
type object = map[string]any

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone; nobody is left to tell
}

// openapi answers GET /openapi.json.
func (a *API) openapi(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, document(a.opts.Version, a.routes))
}

// document is the OpenAPI 3.1 document, made from the table of routes.
func document(version string, routes []route) object {
	paths := object{}
	for i := range routes {
		rt := &routes[i]
		path, ok := paths[rt.path].(object)
		if !ok {
			path = object{}
			paths[rt.path] = path
		}
		path[lower(rt.method)] = operation(rt)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "AkiDB", "version": version, "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "A vector server that speaks PostgreSQL's protocol. A collection is a table: what is made here can be used in SQL, and the reverse.",
		},
		"servers": []any{object{"url": "/"}, object{"url": "/api/v1"}},
		"paths":   paths,
		"components": object{
			"schemas":         schemas,
			"securitySchemes": object{"password": object{"type": "http", "scheme": "basic", "description": "A role and its password; clients at trusted addresses need none."}},
		},
	}
}

func lower(method string) string {
	b := []byte(method)
	for i := range b {
		b[i] |= 0x20
	}
	return string(b)
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

var parameterTexts = map[string]string{
	"name": "The collection: a table in the search path, or schema.table.", "id": "The vector's id.", "snapshot": "The snapshot's name.",
}

func operation(rt *route) object {
	op := object{"operationId": rt.name, "summary": rt.summary, "tags": []string{rt.tag}, "responses": responses(rt)}
	var parameters []any
	for _, m := range pathParameter.FindAllStringSubmatch(rt.path, -1) {
		parameters = append(parameters, object{
			"name": m[1], "in": "path", "required": true, "description": parameterTexts[m[1]], "schema": object{"type": "string"},
		})
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if rt.handle != nil {
		op["security"] = []any{object{}, object{"password": []string{}}}
	}
	if rt.body != "" {
		content := object{"application/json": object{"schema": ref(rt.body)}}
		if rt.stream {
			content["application/x-ndjson"] = object{"schema": object{"type": "string", "description": "One vector on each line."}}
		}
		op["requestBody"] = object{"required": rt.body != "Move", "content": content}
	}
	return op
}

func responses(rt *route) object {
	ok := object{"description": http.StatusText(rt.status)}
	switch {
	case rt.answer != "":
		ok["content"] = object{"application/json": object{"schema": ref(rt.answer)}}
	case rt.name == "metrics":
		ok["content"] = object{"text/plain": object{"schema": object{"type": "string"}}}
	case rt.name == "openapi":
		ok["content"] = object{"application/json": object{"schema": object{"type": "object"}}}
	}
	out := object{strconv.Itoa(rt.status): ok}
	codes := rt.errors
	if rt.handle != nil {
		codes = append([]int{400, 401, 403, 500, 503}, codes...)
	}
	for _, code := range codes {
		content := object{"application/problem+json": object{"schema": ref("Problem")}}
		if rt.public != nil {
			content = object{"application/json": object{"schema": ref(rt.answer)}}
		}
		out[strconv.Itoa(code)] = object{"description": http.StatusText(code), "content": content}
	}
	if rt.status == http.StatusAccepted {
		out["200"] = ok
	}
	return out
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }
