package eco

import (
	"os"
	"strings"
	"testing"
)

// TestFor holds testdata/distros.txt: purl type, distro, ecosystem, suffix; "_" is a space.
func TestFor(t *testing.T) {
	data, err := os.ReadFile("testdata/distros.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		w := strings.Fields(line)
		if len(w) != 4 {
			t.Fatalf("not four words: %q", line)
		}
		distro, want := plain(w[1]), plain(w[2])
		ecosystem, suffix, ok := For(w[0], distro)
		wantOK := w[3] != "?"
		if ecosystem != want || ok != wantOK || ok && suffix != plain(w[3]) {
			t.Errorf("For(%q, %q) = %q, %q, %t; want %q, %q, %t", w[0], distro, ecosystem, suffix, ok, want, plain(w[3]), wantOK)
		}
	}
}

func plain(w string) string {
	if w == "-" || w == "?" {
		return ""
	}
	if strings.Contains(w, "alpha") || strings.Contains(w, "enterprise_linux") {
		return w
	}
	return strings.ReplaceAll(w, "_", " ")
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		osv, ecosystem, suffix string
		want                   bool
	}{
		{"Debian:12", "Debian", "12", true},
		{"Debian:12", "Debian", "1", false},
		{"Debian:11", "Debian", "12", false},
		{"Debian", "Debian", "12", true},
		{"Ubuntu:22.04:LTS", "Ubuntu", "22.04", true},
		{"Ubuntu:22.04", "Ubuntu", "22.04", true},
		{"Ubuntu:Pro:22.04:LTS", "Ubuntu", "22.04", false},
		{"Alpine:v3.18", "Alpine", "v3.18", true},
		{"Alpine:v3.1", "Alpine", "v3.18", false},
		{"Alpine:v3.18", "Alpine", "v3.1", false},
		{"Wolfi", "Wolfi", "", true},
		{"Red Hat:enterprise_linux:9::baseos", "Red Hat", "enterprise_linux:9", true},
		{"Red Hat:enterprise_linux:90::baseos", "Red Hat", "enterprise_linux:9", false},
		{"Red Hat:rhel_eus:9.2::baseos", "Red Hat", "enterprise_linux:9", false},
		{"SUSE:Linux Enterprise Server 15 SP5", "SUSE", "Linux Enterprise Server 15 SP5", true},
		{"SUSE:Linux Enterprise Server 15 SP5-LTSS", "SUSE", "Linux Enterprise Server 15 SP5", false},
		{"SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE", "Linux Enterprise Server 15 SP5", true},
		{"SUSE:Linux Enterprise Module for Basesystem 15 SP4", "SUSE", "Linux Enterprise Server 15 SP5", false},
		{"Packagist:https://packages.drupal.org/8", "Packagist", "", true},
		{"npm", "PyPI", "", false},
	} {
		if got := Covers(c.osv, c.ecosystem, c.suffix); got != c.want {
			t.Errorf("Covers(%q, %q, %q) = %t, want %t", c.osv, c.ecosystem, c.suffix, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ ecosystem, namespace, name, osv, folded string }{
		{"npm", "@angular", "core", "@angular/core", "@angular/core"},
		{"npm", "", "JSONStream", "JSONStream", "JSONStream"},
		{"Go", "github.com/BurntSushi", "toml", "github.com/BurntSushi/toml", "github.com/burntsushi/toml"},
		{"Go", "", "stdlib", "stdlib", "stdlib"},
		{"Maven", "org.apache.struts", "struts2-core", "org.apache.struts:struts2-core", "org.apache.struts:struts2-core"},
		{"PyPI", "", "Foo.Bar__baz", "Foo.Bar__baz", "foo-bar-baz"},
		{"crates.io", "", "Serde_JSON", "Serde_JSON", "serde-json"},
		{"Packagist", "Symfony", "HTTP-Kernel", "Symfony/HTTP-Kernel", "symfony/http-kernel"},
		{"NuGet", "", "Newtonsoft.Json", "Newtonsoft.Json", "newtonsoft.json"},
		{"SwiftURL", "github.com/Apple", "swift-nio", "github.com/Apple/swift-nio", "github.com/apple/swift-nio"},
		{"GitHub Actions", "actions", "Checkout", "actions/Checkout", "actions/checkout"},
		{"Debian:12", "debian", "OpenSSL", "OpenSSL", "openssl"},
		{"AlmaLinux:9", "almalinux", "ImageMagick", "ImageMagick", "ImageMagick"},
		{"RubyGems", "", "RedCloth", "RedCloth", "RedCloth"},
		{"Nobody", "a", "B", "B", "B"},
	} {
		got := OSVName(c.ecosystem, c.namespace, c.name)
		if folded := NormalizeName(c.ecosystem, got); got != c.osv || folded != c.folded {
			t.Errorf("%s: %q %q is %q, folded %q; want %q, %q", c.ecosystem, c.namespace, c.name, got, folded, c.osv, c.folded)
		}
	}
}

func TestPublic(t *testing.T) {
	for _, c := range []struct{ ecosystem, version, want string }{
		{"PyPI", "2.0.1+cu118", "2.0.1"},
		{"Debian:12", "1:1.35.0-4+b3", "1:1.35.0-4"},
		{"Debian:12", "1.2+beta", "1.2+beta"},
		{"RubyGems", "1.15.3-x86_64-linux", "1.15.3"},
		{"RubyGems", "1.15.3-java", "1.15.3"},
		{"RubyGems", "1.0-rc1", "1.0-rc1"},
		{"npm", "1.0.0+build", "1.0.0+build"},
	} {
		if got := Public(c.ecosystem, c.version); got != c.want {
			t.Errorf("Public(%s, %q) = %q, want %q", c.ecosystem, c.version, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	p, err := Parse("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12&arch=amd64")
	if err != nil || p.Type != "deb" || p.Namespace != "debian" || p.Name != "libssl3" || p.Version != "3.0.11-1~deb12u2" {
		t.Errorf("Parse = %+v, %v", p, err)
	}
	if got := p.Qualifier("distro") + p.Qualifier("arch") + p.Qualifier("none"); got != "debian-12amd64" {
		t.Errorf("qualifiers = %q, want debian-12amd64", got)
	}
	for _, s := range []string{"", "npm/x", "pkg:", "pkg:npm", "pkg:npm/", "pkg:npm/x?a;b", "pkg:n*m/x", "pkg:npm/" + strings.Repeat("x", maxPurl)} {
		if p, err := Parse(s); err == nil {
			t.Errorf("Parse(%.40q) = %+v, want an error", s, p)
		}
	}
}

// TestEcosystems: no two share a name or a purl type.
func TestEcosystems(t *testing.T) {
	names, purls := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		if names[e.Name] {
			t.Errorf("two ecosystems are named %s", e.Name)
		}
		names[e.Name] = true
		for _, p := range e.Purls {
			if purls[p] {
				t.Errorf("two ecosystems have the purl type %s", p)
			}
			purls[p] = true
		}
	}
	for _, d := range distros {
		if !names[d.Ecosystem] {
			t.Errorf("distro %s is of %s, which is no ecosystem", d.ID, d.Ecosystem)
		}
	}
}
