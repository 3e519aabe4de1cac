package expr

// ServerVersion is the PostgreSQL version that AkiDB says it is. The catalog and
// the grammar are those of 16, of which 15's clients see no more than they know;
// it says 15 because pg_dump refuses servers newer than itself, and 15 is what
// Debian 12 has.
const ServerVersion = "15.14"
