package cpe

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, key, version, update, target, out string }{
		{"cpe:2.3:a:openssl:openssl:1.0.2:zg:*:*:*:*:*:*", "openssl:openssl", "1.0.2", "zg", "*", "cpe:2.3:a:openssl:openssl:1.0.2:zg:*:*:*:*:*:*"},
		{"CPE:2.3:A:OpenSSL:OpenSSL", "openssl:openssl", "*", "*", "*", "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*"},
		{`cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.1:-:*:*:*:*:*:*`, "notepad-plus-plus:notepad++", "8.1", "-", "*", `cpe:2.3:a:notepad-plus-plus:notepad\+\+:8.1:-:*:*:*:*:*:*`},
		{`cpe:2.3:a:a:b\:c:1.*:*:*:*:*:node.js:*:*`, "a:b:c", "1.*", "*", "node.js", `cpe:2.3:a:a:b\:c:1.*:*:*:*:*:node.js:*:*`},
		{"cpe:/a:gnu:glibc:2.36", "gnu:glibc", "2.36", "*", "*", "cpe:2.3:a:gnu:glibc:2.36:*:*:*:*:*:*:*"},
		{"cpe:/a:foo:bar:1:p1:~~pro~wordpress~~", "foo:bar", "1", "p1", "wordpress", "cpe:2.3:a:foo:bar:1:p1:*:*:pro:wordpress:*:*"},
		{"cpe:/a:haxx:lib%2b:8.4%02", "haxx:lib+", "8.4*", "*", "*", `cpe:2.3:a:haxx:lib\+:8.4*:*:*:*:*:*:*:*`},
	} {
		n, err := Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if n.Key() != c.key || n.Version.String() != c.version || n.Update.String() != c.update || n.TargetSW.String() != c.target || n.String() != c.out {
			t.Errorf("%s: got %s %s %s %s %s, want %+v", c.in, n.Key(), n.Version, n.Update, n.TargetSW, n.String(), c)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "cpe:2.3:x:a:b", "cpe:2.3:a:b:c:1:*:*:*:*:*:*:*:*", `cpe:2.3:a:b:c\`, "cpe:/a:b:%0", "cpe:/a:b:%zz", "cpe:2.3:a:b\x00:c", "openssl"} {
		if n, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, n)
		}
	}
}

// TestRelate is table 6-2 of NISTIR 7696: i a literal, k another, m a pattern.
func TestRelate(t *testing.T) {
	i, k, m, m2 := Attr("1.0"), Attr("2.0"), Attr("1.\x00"), Attr("2\x00")
	for _, c := range []struct {
		source, target Attr
		want           Relation
	}{
		{Any, Any, Equal}, {Any, NA, Superset}, {Any, i, Superset}, {Any, m, Superset},
		{NA, Any, Subset}, {NA, NA, Equal}, {NA, i, Disjoint}, {NA, m, Undefined},
		{i, Any, Subset}, {i, NA, Disjoint}, {i, i, Equal}, {i, k, Disjoint}, {i, m, Undefined},
		{m, Any, Subset}, {m, NA, Disjoint}, {m, i, Superset}, {m2, i, Disjoint}, {m, m2, Undefined},
	} {
		if got := Relate(c.source, c.target); got != c.want {
			t.Errorf("Relate(%s, %s) = %s, want %s", c.source, c.target, got, c.want)
		}
	}
}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		source, target string
		want           Relation
	}{
		{"cpe:2.3:a:v:p:*:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", Superset},
		{"cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", Equal},
		{"cpe:2.3:a:v:p:*:*:*:*:*:wordpress:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", Subset},
		{"cpe:2.3:a:v:p:*:*:*:*:*:wordpress:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:drupal:*:*", Disjoint},
		{"cpe:2.3:a:v:p:1.?:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1.2:*:*:*:*:*:*:*", Superset},
		{"cpe:2.3:a:v:p:1.?:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1.22:*:*:*:*:*:*:*", Disjoint},
	} {
		s, err := Parse(c.source)
		if err != nil {
			t.Fatal(err)
		}
		target, err := Parse(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := Holds(&s, &target); got != c.want {
			t.Errorf("Holds(%s, %s) = %s, want %s", c.source, c.target, got, c.want)
		}
	}
}

// FuzzParse: what parses is written so that it parses to the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"cpe:2.3:a:openssl:openssl:1.0.2:zg:*:*:*:*:*:*", `cpe:2.3:o:a:b\:c:\-:-:*`, "cpe:/a:foo:bar:1:p1:~~pro~wordpress~~", "cpe:/o:a:%02%01:-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(n.String())
		if err != nil || again != n {
			t.Fatalf("%q: %q parses to %+v, %v; want %+v", s, n.String(), again, err, n)
		}
		Holds(&n, &again)
	})
}
