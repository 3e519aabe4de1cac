package expr

// ServerVersion is the PostgreSQL version that AkiDB says it is: its functions,
// catalog and messages are those of this version.
const ServerVersion = "16.4"
