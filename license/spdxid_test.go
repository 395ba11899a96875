package license

import "testing"

func TestValid(t *testing.T) {
	for expr, want := range map[string]bool{
		"MIT": true, "mit": false, "GPL-2.0+": true, "GPL-2.0-or-later": true,
		"MIT OR Apache-2.0": true, "(MIT OR Apache-2.0) AND BSD-3-Clause": true,
		"GPL-2.0-only WITH Classpath-exception-2.0": true, "GPL-2.0-only WITH": false, "GPL-2.0-only WITH MIT": false,
		"LicenseRef-Acme-1.0": true, "DocumentRef-a:LicenseRef-b": true, "LicenseRef-": false, "LicenseRef-a_b": false,
		"": false, "MIT OR": false, "OR MIT": false, "MIT Apache-2.0": false, "(MIT": false, "MIT)": false, "()": false,
		"NOASSERTION": false, "GPLv2+": false, "DocumentRef-a:DocumentRef-b:LicenseRef-c": false,
	} {
		if got := Valid(expr); got != want {
			t.Errorf("Valid(%q): got %v, want %v", expr, got, want)
		}
	}
}

func TestKnown(t *testing.T) {
	if !Known("0BSD") || !Known("GPL-2.0") || Known("apache-2.0") || Known("") || Known("Classpath-exception-2.0") {
		t.Error("Known: got a wrong answer for 0BSD, GPL-2.0, apache-2.0, the empty id or an exception")
	}
	if got, want := Canonical("APACHE-2.0"), "Apache-2.0"; got != want {
		t.Errorf("Canonical: got %q, want %q", got, want)
	}
	if got, want := len(lists().ids), 727; got != want {
		t.Errorf("ids on the list: got %d, want %d", got, want)
	}
}

func FuzzValid(f *testing.F) {
	f.Add("(MIT OR Apache-2.0) AND LicenseRef-x")
	f.Fuzz(func(t *testing.T, s string) {
		if Valid(s) && !Valid("("+s+") AND MIT") && len(s) < maxExpression-10 {
			t.Errorf("%q is valid, and not in brackets", s)
		}
		Refs(s)
	})
}
