package expr

import "testing"

// The results are PostgreSQL 15's.
func TestArraysAndSeriesUnfoldIntoRows(t *testing.T) {
	checkCalls(t, `
unnest(_int4'{1,NULL,3}') => (1) (NULL) (3)
unnest(_int4'{{1,2},{3,4}}') => (1) (2) (3) (4)
unnest(_text'{}') => ''
generate_subscripts(_int4'[2:4]={1,2,3}', 1) => (2) (3) (4)
generate_subscripts(_int4'{{1,2,3},{4,5,6}}', 2) => (1) (2) (3)
generate_subscripts(_int4'[2:4]={1,2,3}', 1, true) => (4) (3) (2)
generate_subscripts(_int4'{1}', 2) => ''
generate_series(1, 3) => (1) (2) (3)
generate_series(3, 1) => ''
generate_series(10, 1, -4) => (10) (6) (2)
generate_series(1, 3, 0) => ERROR 22023 step size cannot equal zero
generate_series(int4'2147483646', int4'2147483647') => (2147483646) (2147483647)
generate_series(int8'-9223372036854775807', int8'-9223372036854775808', int8'-1') => (-9223372036854775807) (-9223372036854775808)
generate_series(1.0, 2.0, 0.4) => (1.0) (1.4) (1.8)
generate_series(1.0, numeric'NaN') => ERROR 22023 stop value cannot be NaN
generate_series(numeric'Infinity', 1.0) => ERROR 22023 start value cannot be infinity
`)
}
