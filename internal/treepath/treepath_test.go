package treepath

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"usr/bin/ls", "usr/bin/ls"},
		{"./usr/bin/ls", "usr/bin/ls"},
		{"/etc/passwd", "etc/passwd"},
		{"//etc//passwd", "etc/passwd"},
		{"a/./b/../c", "a/c"},
		{"../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"},
		{"%2E%2E/etc/passwd", "%252E%252E/etc/passwd"},
		{"/../x", "%2E%2E/x"},
		{"a/../../x", "%2E%2E/x"},
		{"github.com/!azure/go.mod", "github.com/%21azure/go.mod"},
		{"100%", "100%"},
		{"100%zz", "100%zz"},
		{"a%20b", "a%2520b"},
		{"naïve/日本", "naïve/日本"},
		{"caf\xe9", "caf%E9"},
		{"a\nb\x7f", "a%0Ab%7F"},
		{"a\u0085b", "a%C2%85b"},
		{"a\u2028b", "a%E2%80%A8b"},
		{"\uFFFD", "\uFFFD"},
		{`system-x\x2dy.slice`, `system-x\x2dy.slice`},
		{"dir/", "dir"},
	} {
		got, err := Clean(c.name)
		if err != nil || got != c.want {
			t.Errorf("Clean(%q): got %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	for _, name := range []string{"", ".", "/", "./", "a/..", "..", strings.Repeat("a", 4097)} {
		if got, err := Clean(name); err == nil {
			t.Errorf("Clean(%q): got %q, want an error", name, got)
		}
	}
}

func TestDOS(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{`C:\Windows\x.dll`, "/Windows/x.dll"},
		{`..\..\x`, "../../x"},
		{"a/b", "a/b"},
		{"1:x", "1:x"},
	} {
		if got := DOS(c.name); got != c.want {
			t.Errorf("DOS(%q): got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "\xff../x", "%2E%2E/a", "a!b\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := Clean(name)
		if err != nil {
			return
		}
		if !utf8.ValidString(got) || strings.ContainsAny(got, "!\n\x00") || strings.HasPrefix(got, "/") {
			t.Errorf("Clean(%q): got %q", name, got)
		}
		for e := range strings.SplitSeq(got, "/") {
			if e == "" || e == "." || e == ".." {
				t.Errorf("Clean(%q): got element %q in %q", name, e, got)
			}
		}
	})
}

func BenchmarkClean(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Clean("./usr/lib/python3/dist-packages/foo/bar.py"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestChild(t *testing.T) {
	for _, c := range []struct{ dir, name, want string }{
		{"", "a", "a"},
		{"a%21", "b!", "a%21/b%21"},
		{"a", "%41", "a/%2541"},
		{"a", "..", ""},
		{"a", "b/c", ""},
		{"a", "b\x00", ""},
		{"", "", ""},
		{strings.Repeat("d/", 2000), strings.Repeat("n", 200), ""},
	} {
		got, err := Child(c.dir, c.name)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("Child(%q, %q): got %q, %v, want %q", c.dir, c.name, got, err, c.want)
		}
	}
}
