package bom

import (
	"reflect"
	"testing"

	biopsy "github.com/biopsy-sca/biopsy"
)

func TestSupportComesBack(t *testing.T) {
	days := -12
	c := biopsy.Component{Name: "x", Support: &biopsy.Support{Level: "no longer maintained", End: "2024-01-02", Days: &days, Product: "x", Cycle: "1", Latest: "1.9", Source: "eol", Because: "so"}}
	var back biopsy.Component
	milestone := ""
	for _, p := range Properties(&c, nil) {
		Set(&back, p.Name, p.Value)
		if p.Name == EndOfSupport {
			milestone = p.Value
		}
	}
	if !reflect.DeepEqual(back.Support, c.Support) || milestone != "2024-01-02" || len(back.Extra) > 0 {
		t.Errorf("got %+v, milestone %q and %v; want %+v", back.Support, milestone, back.Extra, c.Support)
	}
	var other biopsy.Component
	Set(&other, Prefix+"support-days", "soon")
	Set(&other, EndOfSupport, "2030-01-01")
	if other.Support != nil || other.Extra[Foreign+EndOfSupport] != "2030-01-01" || other.Extra["biopsy:support-days"] != "soon" {
		t.Errorf("what others say stays theirs: got %+v, %v", other.Support, other.Extra)
	}
}
