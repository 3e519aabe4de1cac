// Package quantize turns vectors into compact codes whose distances are cheap
// and near the true ones. Codes steer a search; what it returns is measured again
// on the vectors themselves.
//
// SQ8 spends one byte an element; RaBitQ one bit, and four more where the bit does
// not decide, on vectors that a Rotation has mixed. The package holds no vectors and owns no
// memory: codes are written where the caller says.
package quantize
