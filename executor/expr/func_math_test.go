package expr

import "testing"

func TestMathFunctionsAnswerAsPostgres(t *testing.T) {
	checkCalls(t, `
abs(-17.4) => 17.4
abs(int4'-3') => 3
abs(int4'-2147483648') => ERROR 22003 integer out of range
abs(float8'-1.5') => 1.5
ceil(42.2) => 43
ceil(-42.8) => -42
ceiling(float8'95.3') => 96
floor(-42.8) => -43
round(42.4) => 42
round(float8'2.5') => 2
round(2.5) => 3
round(42.4382, 2) => 42.44
round(1234.56, -1) => 1230
trunc(-42.8) => -42
trunc(42.4382, 2) => 42.43
mod(9, 4) => 1
mod(9, 0) => ERROR 22012 division by zero
mod(9.5, 2.0) => 1.5
sign(-8.4) => -1
sign(float8'NaN') => NaN
div(9.0, 4.0) => 2
div(-9.0, 4.0) => -2
div(9.0, 0.0) => ERROR 22012 division by zero
gcd(1071, 462) => 21
gcd(int4'-2147483648', 0) => ERROR 22003 integer out of range
gcd(10.5, 4.2) => 2.1
lcm(1071, 462) => 23562
lcm(int4'2147483647', 2) => ERROR 22003 integer out of range
lcm(10.5, 4.2) => 21.0
factorial(int8'5') => 120
factorial(int8'-1') => ERROR 22003 factorial of a negative number is undefined
power(9.0, 3.0) => 729.00000000000000
power(float8'9', float8'3') => 729
power(float8'0', float8'-1') => ERROR 2201F zero raised to a negative power is undefined
sqrt(float8'2') => 1.4142135623730951
sqrt(2.0) => 1.414213562373095
sqrt(float8'-1') => ERROR 2201F cannot take square root of a negative number
cbrt(float8'64') => 4
exp(float8'1') => 2.718281828459045
exp(1.0) => 2.7182818284590452
exp(float8'1000') => ERROR 22003 value out of range: overflow
ln(2.0) => 0.6931471805599453
ln(float8'0') => ERROR 2201E cannot take logarithm of zero
log(100.0) => 2.0000000000000000
log(float8'-1') => ERROR 2201E cannot take logarithm of a negative number
log10(float8'1000') => 3
log(2.0, 64.0) => 6.0000000000000000
scale(8.4100) => 4
min_scale(8.4100) => 2
trim_scale(8.4100) => 8.41
width_bucket(5.35, 0.024, 10.06, 5) => 3
width_bucket(float8'5.35', float8'0.024', float8'10.06', 5) => 3
width_bucket(float8'10', float8'0', float8'10', 10) => 11
width_bucket(float8'-1', float8'0', float8'10', 10) => 0
width_bucket(float8'1', float8'10', float8'0', 10) => 10
width_bucket(float8'1', float8'0', float8'0', 10) => ERROR 2201G lower bound cannot equal upper bound
width_bucket(float8'1', float8'0', float8'1', 0) => ERROR 2201G count must be greater than zero
width_bucket(3, int4[]'{1,3,5}') => 2
sind(float8'30') => 0.5
cosd(float8'60') => 0.5
tand(float8'45') => 1
cotd(float8'45') => 1
asind(float8'0.5') => 30
acosd(float8'0.5') => 60
atand(float8'1') => 45
atan2d(float8'1', float8'0') => 90
sind(float8'-750') => -0.5
acos(float8'2') => ERROR 22003 input is out of range
sin(float8'Infinity') => ERROR 22003 input is out of range
degrees(float8'0.5') => 28.64788975654116
radians(float8'45') => 0.7853981633974483
pi() => 3.141592653589793
setseed(float8'2') => ERROR 22023 setseed parameter 2 is out of allowed range [-1,1]
`)
}

func TestSetseedMakesRandomRepeatable(t *testing.T) {
	ctx := testContext()
	draw := func() string {
		runCall(ctx, "setseed(float8'0.5')")
		return runCall(ctx, "random()") + runCall(ctx, "random()")
	}
	if a, b := draw(), draw(); a != b {
		t.Errorf("random after the same seed: %s and %s", a, b)
	}
}
