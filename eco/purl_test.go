package eco

import (
	"strings"
	"testing"
)

func TestPurl(t *testing.T) {
	for _, c := range []struct{ typ, namespace, name, version, want string }{
		{"pypi", "", "Zope.Interface", "6.0", "pkg:pypi/zope-interface@6.0"},
		{"pypi", "", "ruamel._-yaml", "0.18.5", "pkg:pypi/ruamel-yaml@0.18.5"},
		{"PyPI", "", "a.b", "", "pkg:pypi/a-b"},
		{"npm", "", "socket.io_x", "4.0.0", "pkg:npm/socket.io_x@4.0.0"},
		{"generic", "", "Foo.Bar", "1", "pkg:generic/Foo.Bar@1"},
		{"", "", "x", "1", ""},
		{"pypi", "", "", "1", ""},
	} {
		if got := Purl(c.typ, c.namespace, c.name, c.version); got != c.want {
			t.Errorf("Purl(%q, %q, %q, %q): got %q, want %q", c.typ, c.namespace, c.name, c.version, got, c.want)
		}
	}
	p, err := Parse("pkg:pypi/Zope.Interface@6.0")
	if err != nil || p.Name != "zope-interface" {
		t.Errorf("Parse: got name %q, error %v, want zope-interface", p.Name, err)
	}
}

func TestParseBoundsWhatItWouldWrite(t *testing.T) {
	if _, err := Parse("pkg:a/" + strings.Repeat("\x8f", 4000)); err == nil {
		t.Error("a purl that is 12,006 bytes long when escaped was accepted")
	}
	if _, err := Parse("pkg:a/" + strings.Repeat("b", 8000)); err != nil {
		t.Error(err)
	}
}
