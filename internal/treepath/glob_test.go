package treepath

import (
	"strings"
	"testing"
	"time"
)

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"*.log", "a/b/x.log", true},
		{"*.log", "a/x.log/y", true},
		{"*.log", "x.txt", false},
		{"node_modules/", "a/node_modules/b", true},
		{"/build", "build/x", true},
		{"/build", "a/build/x", false},
		{"./build", "build", true},
		{"a/b", "a/b/c", true},
		{"a/b", "x/a/b", false},
		{"**/test/**", "a/test/b", true},
		{"**/test/**", "a/test", false},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z/y", true},
		{"a/**/z", "a/b/c", false},
		{"**/a/**/b/*.c", "x/a/q/a/b/b/f.c", true},
		{"a?c/[x-z]", "abc/y", true},
	} {
		g, err := ParseGlobs([]string{c.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Fit(c.path); got != c.want {
			t.Errorf("%q on %q: got %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
	for _, p := range []string{"", "/", "a/[", "./"} {
		if g, err := ParseGlobs([]string{p}); err == nil {
			t.Errorf("%q: got %q, want an error", p, g)
		}
	}
}

func TestGlobsOfManyStarsAreQuick(t *testing.T) {
	g, err := ParseGlobs([]string{strings.Repeat("**/a/", 200) + "b"})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if g.Fit(strings.Repeat("a/", 2000) + "c") {
		t.Error("fits")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}
