package main

import "testing"

func TestANameIsReadAsSQLReadsIt(t *testing.T) {
	for name, want := range map[string]string{
		"Items": `"items"`, `"Items"`: `"Items"`, "Shop.Items": `"shop"."items"`, `Shop."Odd.name"`: `"shop"."Odd.name"`, `"A"."B"`: `"A"."B"`, `a"b`: `"a""b"`,
	} {
		if got := written(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
