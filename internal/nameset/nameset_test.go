package nameset

import (
	"fmt"
	"testing"
)

func TestEveryNameIsFound(t *testing.T) {
	var s Set
	for i := range 5000 {
		s.Add(fmt.Sprintf("net/http.Func%d", i))
	}
	got, err := Parse(s.String())
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i := range 5000 {
		if name := fmt.Sprintf("net/http.Func%d", i); !got.Has(name) {
			t.Errorf("%s was added and is not found", name)
		}
		if got.Has(fmt.Sprintf("net/url.Func%d", i)) {
			wrong++
		}
	}
	if wrong > 5 {
		t.Errorf("%d of 5000 names are found by mistake, want about 0.4", wrong)
	}
	if n := len(s.String()); n > 5000*4 {
		t.Errorf("5000 names take %d bytes", n)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"=", "gA", "/////w8", "gICAgICAgICAgAE"} {
		if s, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %d names, want an error", text, s.Len())
		}
	}
	if s, err := Parse(""); err != nil || s.Len() != 0 {
		t.Errorf("the empty set: got %v, %v", s, err)
	}
}

func FuzzParse(f *testing.F) {
	var s Set
	s.Add("a")
	s.Add("b")
	f.Add(s.String())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range s.hashes {
			if len(again.hashes) > len(s.hashes) || h >= 1<<bits {
				t.Fatalf("%d is no hash", h)
			}
		}
	})
}
