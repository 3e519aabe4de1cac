package expr

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStringFunctionsAnswerAsPostgres(t *testing.T) {
	checkCalls(t, `
length('jose') => 4
char_length('josé') => 4
octet_length('josé') => 5
bit_length('jose') => 32
upper('tom') => TOM
lower('TOM') => tom
initcap('hi THOMAS') => Hi Thomas
substr('alphabet', 3) => phabet
substr('alphabet', 3, 2) => ph
substring('Thomas', 2, 3) => hom
substring('Thomas', -1, 3) => T
substring('Thomas', 9) => ''
substring('Thomas', 2, -1) => ERROR 22011 negative substring length not allowed
substr('alphabet', 2147483647, 2147483647) => ''
position('Thomas', 'om') => 3
strpos('high', 'ig') => 2
strpos('çà', 'à') => 2
overlay('Txxxxas', 'hom', 2, 4) => Thomas
overlay('abcdef', 'XX', 3) => abXXef
overlay('abc', 'X', 0) => ERROR 22011 negative substring length not allowed
btrim('xyxtrimyyx', 'xyz') => trim
btrim('  a ') => a
ltrim('zzzytest', 'xyz') => test
rtrim('testxxzx', 'xyz') => test
lpad('hi', 5, 'xy') => xyxhi
rpad('hi', 5, 'xy') => hixyx
lpad('hello', 2) => he
lpad('hi', 4, ' ') =>   hi
lpad('hi', 5, '') => hi
repeat('Pg', 4) => PgPgPgPg
repeat('Pg', -1) => ''
replace('abcdefabcdef', 'cd', 'XX') => abXXefabXXef
replace('abc', '', 'X') => abc
translate('12345', '143', 'ax') => a2x5
reverse('abcdé') => édcba
left('abcde', 2) => ab
left('abcde', -2) => abc
right('abcde', 2) => de
right('abcde', -2) => cde
split_part('abc~@~def~@~ghi', '~@~', 2) => def
split_part('abc,def,ghi,jkl', ',', -2) => ghi
split_part('abc', ',', 1) => abc
split_part('abc', '', 1) => abc
split_part('abc', '', 2) => ''
split_part('a', ',', 0) => ERROR 22023 field position must not be zero
starts_with('alphabet', 'alph') => t
ascii('x') => 120
ascii('é') => 233
chr(65) => A
chr(0) => ERROR 54000 null character not permitted
chr(-1) => ERROR 22023 character number must be positive
normalize('a') => a
is_normalized('a', 'NFD') => t
normalize('a', 'NFX') => ERROR 22023 invalid normalization form: NFX
unistr('d\0061t\+000061') => data
unistr('d\u0061t\U00000061') => data
unistr('\d83d\de00') => 😀
unistr('\d83d') => ERROR 42601 invalid Unicode surrogate pair
unistr('\zzzz') => ERROR 42601 invalid Unicode escape
`)
}

func TestListsAndTextTurnIntoEachOther(t *testing.T) {
	checkCalls(t, `
string_to_array('xx~~yy~~zz', '~~', 'yy') => {xx,NULL,zz}
string_to_array('abc', null) => {a,b,c}
string_to_array('', ',') => {}
string_to_array('a,b', '') => {"a,b"}
string_to_array(null, ',') => NULL
string_to_table('xx~^~yy~^~zz', '~^~', 'yy') => (xx) (NULL) (zz)
array_to_string(int4[]'{1,2,3,NULL,5}', ',', '*') => 1,2,3,*,5
array_to_string(int4[]'{1,2,3,NULL,5}', ',') => 1,2,3,5
array_to_string(text[]'{{a,b},{c,d}}', '-') => a-b-c-d
concat('abcde', 2, null, 22) => abcde222
concat(true, 1.5) => t1.5
concat_ws(',', 'abcde', 2, null, 22) => abcde,2,22
concat_ws(null, 'a') => NULL
format('Hello %s, %1$s', 'World') => Hello World, World
format('Hello %s') => ERROR 22023 too few arguments for format()
format('Testing %s, %s, %s, %%', 'one', 'two', 'three') => Testing one, two, three, %
format('INSERT INTO %I VALUES(%L)', 'Foo bar', 'O''Reilly') => INSERT INTO "Foo bar" VALUES('O''Reilly')
format('%I', null) => ERROR 22004 null values cannot be formatted as an SQL identifier
format('%L', null) => NULL
format('|%10s|', 'foo') => |       foo|
format('|%-10s|', 'foo') => |foo       |
format('|%*s|', 10, 'foo') => |       foo|
format('|%*s|', -10, 'foo') => |foo       |
format('|%-*s|', 10, 'foo') => |foo       |
format('|%2$*1$L|', 10, 'foo') => |     'foo'|
format('Testing %3$s, %2$s, %s', 'one', 'two', 'three') => Testing three, two, three
format('%q', 'x') => ERROR 22023 unrecognized format() type specifier "q"
format('%', 'x') => ERROR 22023 unterminated format() type specifier
format('%0$s', 'x') => ERROR 22023 format specifies argument 0, but arguments are numbered from 1
quote_ident('Foo bar') => "Foo bar"
quote_ident('select') => "select"
quote_ident('name') => name
quote_literal('O''Reilly') => 'O''Reilly'
quote_literal('a\b') => E'a\\b'
quote_literal(42.5) => '42.5'
quote_nullable(null) => NULL
quote_nullable('x') => 'x'
parse_ident('"SomeSchema".someTable') => {SomeSchema,sometable}
parse_ident('a.b[1]', true) => ERROR 22023 string is not a valid identifier: "a.b[1]"
parse_ident('a.b[1]', false) => {a,b}
`)
}

func TestByteFunctionsAnswerAsPostgres(t *testing.T) {
	checkCalls(t, `
length(bytea'\x1234567890') => 5
substring(bytea'\x1234567890', 3, 2) => \x5678
substr(bytea'\x1234567890', 3) => \x567890
position(bytea'\x1234567890', bytea'\x5678') => 3
overlay(bytea'\x1234567890', bytea'\x002003', 2, 3) => \x1200200390
btrim(bytea'\x1234567890', bytea'\x9012') => \x345678
get_byte(bytea'\x1234567890', 4) => 144
get_byte(bytea'\x12', 4) => ERROR 2202E index 4 out of valid range, 0..0
set_byte(bytea'\x1234567890', 4, 64) => \x1234567840
get_bit(bytea'\x1234567890', int8'30') => 1
set_bit(bytea'\x1234567890', int8'30', 0) => \x1234563890
bit_count(bytea'\x1234567890') => 15
bit_count(bit'10111') => 4
get_bit(bit'101010101010101010', 6) => 1
set_bit(bit'101010101010101010', 6, 0) => 101010001010101010
substring(bit'110010111111', 3, 2) => 00
position(bit'110010', bit'010') => 4
md5('abc') => 900150983cd24fb0d6963f7d28e17f72
sha224(bytea'\x616263') => \x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7
sha256(bytea'\x616263') => \xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
encode(bytea'\x123400', 'base64') => EjQA
encode(bytea'\x123400', 'hex') => 123400
encode(bytea'\x125cff', 'escape') => `+"\x12"+`\\\377
encode(bytea'\x12', 'x') => ERROR 22023 unrecognized encoding: "x"
decode('MTIzAAE=', 'base64') => \x3132330001
decode('12 34', 'hex') => \x1234
decode('123', 'hex') => ERROR 22023 invalid hexadecimal data: odd number of digits
decode('1g', 'hex') => ERROR 22023 invalid hexadecimal digit: "g"
decode('a\\b\001', 'escape') => \x615c6201
decode('M!', 'base64') => ERROR 22023 invalid symbol "!" found while decoding base64 sequence
decode('MTI', 'base64') => ERROR 22023 invalid base64 end sequence
to_hex(2147483647) => 7fffffff
to_hex(-1) => ffffffff
to_hex(int8'-1') => ffffffffffffffff
to_bin(5) => 101
to_oct(8) => 10
convert_from(bytea'\x746578745f696e5f75746638', name'UTF8') => text_in_utf8
convert_from(bytea'\xe9', name'LATIN1') => é
convert_to('é', name'LATIN1') => \xe9
convert_to('some_text', name'UTF8') => \x736f6d655f74657874
`)
}

func TestRegexFunctionsAnswerAsPostgres(t *testing.T) {
	checkCalls(t, `
substring('foobar', 'o.b') => oob
substring('foobar', 'o(.)b') => o
substring('foobar', 'z') => NULL
substring('foobar', '%#"o_b#"%', '#') => oob
substring('foobar', '#"o_b#"%', '#') => NULL
regexp_replace('foobarbaz', 'b..', 'X') => fooXbaz
regexp_replace('foobarbaz', 'b..', 'X', 'g') => fooXX
regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g') => fooXarYXazY
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i') => X PXstgrXSQL fXnctXXn
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i') => A PostgrXSQL function
regexp_replace('Thomas', '.[mN]a.', 'M') => ThM
regexp_replace('foo', 'o*', '[\&]', 'g') => []f[oo][]
regexp_replace('abc', 'b', '\\') => a\c
regexp_replace('abc', 'b', 'x', '1') => ERROR 22023 invalid regular expression option: "1"
regexp_match('foobarbequebaz', 'bar.*que') => {barbeque}
regexp_match('foobarbequebaz', '(bar)(beque)') => {bar,beque}
regexp_match('foobarbequebaz', '(x)?(bar)') => {NULL,bar}
regexp_match('foo', 'z') => NULL
regexp_match('foo', 'o', 'g') => ERROR 22023 regexp_match() does not support the "global" option
regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g') => ({bar,beque}) ({bazil,barf})
regexp_matches('foo', 'z') => ''
regexp_split_to_array('the quick brown fox', '\s+') => {the,quick,brown,fox}
regexp_split_to_table('the quick', '\s*') => (t) (h) (e) (q) (u) (i) (c) (k)
regexp_like('Hello World', 'world') => f
regexp_like('Hello World', 'world', 'i') => t
regexp_count('ABCABCAXYaxy', 'A.') => 3
regexp_count('ABCABCAXYaxy', 'A.', 1, 'i') => 4
regexp_count('a', 'a', 0) => ERROR 22023 invalid value for parameter "start": 0
regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2) => 23
regexp_instr('ABCDEFGHI', '(c..)(...)', 1, 1, 0, 'i', 2) => 6
regexp_instr('ABCDEFGHI', '(C..)', 1, 1, 1) => 6
regexp_substr('number of your street, town zip, FR', '[^,]+', 1, 2) =>  town zip
regexp_substr('ABCDEFGHI', '(c..)(...)', 1, 1, 'i', 2) => FGH
regexp_substr('abc', 'x') => NULL
regexp_like('a', '(a') => ERROR 2201B invalid regular expression: parentheses () not balanced
regexp_like('aa', '(a)\1') => ERROR 0A000 a back reference in a regular expression is not supported
regexp_like('a', 'a', 'z') => ERROR 22023 invalid regular expression option: "z"
`)
}

func FuzzFormat(f *testing.F) {
	for _, s := range []string{"%s", "%1$I %L", "%*s", "%-10s|", "%%", "%2$*1$L", "%99999999999s", "%"} {
		f.Add(s, "a", "1")
	}
	f.Fuzz(func(t *testing.T, format, a, b string) {
		out, err := formatText(format, []*string{&a, &b})
		if err == nil && utf8.ValidString(format) && utf8.ValidString(a) && utf8.ValidString(b) && !utf8.ValidString(out) {
			t.Fatalf("format(%q) made invalid text %q", format, out)
		}
	})
}

func FuzzLike(f *testing.F) {
	f.Add("foobar", "f%b_r")
	f.Add("", "%")
	f.Add("aaa", `\a%`)
	f.Fuzz(func(t *testing.T, s, pattern string) {
		if strings.ContainsAny(pattern, `\`) || !utf8.ValidString(s) || !utf8.ValidString(pattern) {
			_, _ = Like(s, pattern)
			return
		}
		got, err := Like(s, pattern)
		if err != nil {
			t.Fatal(err)
		}
		if want := slowLike([]rune(s), []rune(pattern)); got != want {
			t.Fatalf("%q LIKE %q: %t, want %t", s, pattern, got, want)
		}
	})
}

// slowLike is the definition, without cleverness.
func slowLike(s, p []rune) bool {
	reach := map[int]bool{0: true}
	for _, c := range p {
		next := map[int]bool{}
		for i := range reach {
			switch {
			case c == '%':
				for j := i; j <= len(s); j++ {
					next[j] = true
				}
			case i < len(s) && (c == '_' || c == s[i]):
				next[i+1] = true
			}
		}
		reach = next
	}
	return reach[len(s)]
}
