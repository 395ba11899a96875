package license

import (
	"strings"
	"testing"
)

func TestExpression(t *testing.T) {
	for words, want := range map[string]string{
		"MIT": "MIT", " mit\n": "MIT", "GPL-2.0": "GPL-2.0-only", "gpl-2.0+": "GPL-2.0-or-later", "LGPL-2.1+": "LGPL-2.1-or-later",
		"AGPL-3.0+": "AGPL-3.0-or-later", "StandardML-NJ": "SMLNJ", "Apache-2.0+": "Apache-2.0+", "apache-2.0+": "Apache-2.0+",
		"Apache-2.0 or GPL-2.0+":               "Apache-2.0 OR GPL-2.0-or-later",
		"(mit  OR gpl-3.0) and  ( ISC )":       "(MIT OR GPL-3.0-only) AND (ISC)",
		"GPL-2.0 with classpath-exception-2.0": "GPL-2.0-only WITH Classpath-exception-2.0",
		"GPL-2.0-with-classpath-exception":     "GPL-2.0-with-classpath-exception",
		"LicenseRef-Acme OR GPL-1.0":           "LicenseRef-Acme OR GPL-1.0-only",
		"GPL-2.0-or-later":                     "GPL-2.0-or-later", "GPL-2.0-only OR MIT": "GPL-2.0-only OR MIT",
		"": "", "GPLv2+": "", "GPL-2": "", "MIT License": "", "GPL-2.0+ (programs)": "", "mit Or isc": "", "PROPRIETARY": "",
	} {
		if got := Expression(words); got != want {
			t.Errorf("Expression(%q): got %q, want %q", words, got, want)
		}
	}
}

func TestCurrent(t *testing.T) {
	for old, now := range current {
		if !Known(now) {
			t.Errorf("%s is not on the SPDX list", now)
		}
		if current[strings.ToLower(now)] != "" {
			t.Errorf("%s is deprecated too", now)
		}
		if lists().ids[old] == "" && lists().ids[strings.TrimSuffix(old, "+")] == "" {
			t.Errorf("%s has never been on the SPDX list", old)
		}
		if got := Canonical(old); got != now {
			t.Errorf("Canonical(%q): got %q, want %q", old, got, now)
		}
	}
}

func FuzzExpression(f *testing.F) {
	f.Add("(mit or GPL-2.0+) and LicenseRef-x")
	f.Add("apache-2.0+ with llvm-exception")
	f.Fuzz(func(t *testing.T, words string) {
		got := Expression(words)
		if got == "" {
			if Valid(words) {
				t.Errorf("%q is valid, and no expression", words)
			}
			return
		}
		if !Valid(got) || Expression(got) != got {
			t.Errorf("%q becomes %q, and that %q", words, got, Expression(got))
		}
	})
}
