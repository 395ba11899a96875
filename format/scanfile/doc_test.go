package scanfile

import (
	"os"
	"reflect"
	"strings"
	"testing"

	biopsy "github.com/biopsy-sca/biopsy"
)

// The page that describes the scan file must name every field of it.
func TestEveryFieldIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../doc/scanfile.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name != "" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("doc/scanfile.md does not describe %q of %s", name, typ)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[biopsy.Scan]())
	if len(seen) < 15 {
		t.Errorf("only %d types walked", len(seen))
	}
}
