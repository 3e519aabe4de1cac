// Package segment writes and reads segments: immutable Parquet objects that
// hold rows of one collection, ordered by the cells of its IVF index. Any tool
// that reads Parquet reads them; AkiDB's own index part lies inside the object,
// between the last row group and Parquet's footer, where such tools do not look.
// docs/formats/segment.md describes every byte.
//
// What holds:
//
//   - Rows come back exactly as they were written. What the plain Parquet type
//     cannot hold (NaN in a decimal, a two-dimensional array, a timestamp of the
//     last years of PostgreSQL's calendar) has its text in a companion column.
//   - Each column chunk is one contiguous range with its own CRC-32C, and so
//     have the index part and the footer. Nothing is decoded before its checksum
//     was compared; what does not match is XX001 with the object's key, and is
//     never served.
//   - Writing needs the memory of one row group, reading that of the row groups
//     under way.
//   - A row group is cut where a cell ends, so that it holds one large cell or a
//     few neighbouring small ones.
//
// The package never lists, deletes or names objects: keys come from
// coldstore/manifest.
package segment
