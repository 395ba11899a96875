package identify

import (
	"path"
	"slices"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func TestByName(t *testing.T) {
	r := NewReaders([]biopsy.Extractor{
		{Name: "lock", Names: []string{"Cargo.lock"}},
		{Name: "jar", Names: []string{"*.jar", "*.war"}},
		{Name: "dpkg", Names: []string{"var/lib/dpkg/status", "var/lib/dpkg/status.d/*"}},
		{Name: "req", Names: []string{"requirements*.txt", "*requirements.txt"}},
		{Name: "tree", Names: []string{"node_modules/*/package.json"}},
		{Name: "deep", Names: []string{"*.c"}, From: biopsy.Deep},
		{Name: "notest", Names: []string{"go.mod"}, Wants: func(p string) bool { return p != "test/go.mod" }},
		{Name: "boot", Names: []string{"[Iz]mage-*", "[^a-y]x*", "?x*", "*odd*.b*n"}},
		{Name: "program"},
	}, biopsy.Standard)
	for p, want := range map[string][]string{
		"a/Cargo.lock": {"lock"}, "Cargo.lock": {"lock"}, "x.jar": {"jar"}, "x.jarx": nil,
		"rootfs/var/lib/dpkg/status": {"dpkg"}, "var/lib/dpkg/status": {"dpkg"}, "xvar/lib/dpkg/status": nil, "lib/dpkg/status": nil,
		"var/lib/dpkg/status.d/base": {"dpkg"}, "requirements-dev.txt": {"req"}, "requirements.txt": {"req"},
		"node_modules/a/package.json": {"tree"}, "node_modules/package.json": nil, "a.c": nil, "go.mod": {"notest"}, "test/go.mod": nil, "": nil,
		"boot/Image-6.1": {"boot"}, "xmage-6.1": nil, "zx": {"boot"}, "äx": {"boot"}, "an odd one.bin": {"boot"}, "x": nil,
	} {
		var got []string
		for _, x := range r.ByName(p, nil) {
			got = append(got, x.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ByName(%q) = %v, want %v", p, got, want)
		}
	}
	if len(r.ByHead()) != 1 {
		t.Errorf("%d head readers, want 1", len(r.ByHead()))
	}
}

func TestListIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range All {
		if x.Name == "" || x.Basis == "" || x.Extract == nil || (len(x.Names) == 0 && x.Head == nil) {
			t.Errorf("reader %q lacks name, basis, extract or a way to be called", x.Name)
		}
		if seen[x.Name] {
			t.Errorf("two readers are named %q", x.Name)
		}
		seen[x.Name] = true
		for _, n := range x.Names {
			if _, err := path.Match(n, ""); err != nil {
				t.Errorf("reader %q: pattern %q: %v", x.Name, n, err)
			}
		}
	}
}
