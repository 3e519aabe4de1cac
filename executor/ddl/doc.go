// Package ddl changes the schema: it turns CREATE, ALTER, DROP and the like into
// catalog changes, checks them, and has the rows follow. One kind of object a file.
package ddl
