package vendor

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
)

func TestForms(t *testing.T) {
	for _, pattern := range []string{"curl/*", "nginx/*", "node/*", "mbedtls/*", "kernel/*", "kernel-alone/*", "yocto/*", "openssl/secjson/*", "wolfssl/advisories/records/*"} {
		t.Run(pattern, func(t *testing.T) { feedtest.Golden(t, Feed, "testdata/"+pattern) })
	}
}

// TestNames: a record under a name that matching does not ask for is lost.
func TestNames(t *testing.T) {
	for _, name := range []string{"curl", "openssl", "wolfssl", "mbedtls", "nginx", "node"} {
		if got := builtin.Upstream("generic", name); got != name {
			t.Errorf("ecosystem Upstream knows %s as %q", name, got)
		}
	}
}

// TestAffects are the ways in which the makers of Mbed TLS have written their versions over the years.
func TestAffects(t *testing.T) {
	for _, c := range [][3]string{ // what is affected, what is told to upgrade to, and the ranges
		{"PolarSSL 1.0 and up", "upgrade to PolarSSL 1.2.17, mbed TLS 1.3.14 or mbed TLS 2.1.2.", "[1.0 1.2.17) [1.3 1.3.14) [1.4 2.1.2)"},
		{"mbed TLS versions prior to 1.3.19, 2.1.7 or 2.4.2", "", "[0 1.3.19) | [1.4 2.1.7) | [2.2 2.4.2)"},
		{"mbed TLS 2.4.0 and mbed TLS 2.4.1", "upgrade to mbed TLS 2.4.2", "[2.4.0 2.4.2)"},
		{"All versions of Mbed TLS from version 1.2 upwards, including all 2.1, 2.7 and later releases", "upgrade to 2.12.0, 2.7.5 or 2.1.14 or later", "[1.2 2.1.14) [2.2 2.7.5) [2.8 2.12.0)"},
		{"All versions of Mbed TLS since 2.26.0", "Starting with Mbed TLS 3.6.1 and 2.28.9, it is told.", "[2.26.0 2.28.9) [2.29 3.6.1)"},
		{"Mbed TLS 3.2.0 to 3.6.0 included", "", "[3.2.0 3.6.0]"},
		{"mbedtls versions 3.5.0 up to and including 3.6.5, and 4.0.0", "upgrade to 3.6.6 or 4.1.0", "[3.5.0 3.6.6) | [4.0.0 4.1.0)"},
		{"<ul><li>`a`: Mbed TLS releases up to 3.6.2, Mbed TLS 4.0.0 and 4.1.0.</li><li>`b`: Mbed TLS from 2.25.0 up to 3.6.6</li></ul>", "upgrade to 3.6.7, 4.1.1", "[0 3.6.7) | [4.0.0 4.1.1)"},
		{"Mbed TLS 3.5.0 through 3.6.6, all Mbed TLS 4 versions up to 4.1.1", "upgrade to 3.6.7 or later, or 4.1.2", "[3.5.0 3.6.7) | [4.0 4.1.2)"},
		{"Mbed TLS 4.0.0-beta through 4.1.0", "", "[4.0.0-beta 4.1.0]"},
		{"PolarSSL library 0.14.0 and earlier and PolarSSL 0.99-pre1", "", "[0 0.14.0] | [0.99-pre1 0.99-pre1]"},
		{"all checked SSL libraries including PolarSSL versions prior to<br>PolarSSL 1.2.6", "", "[0 1.2.6)"},
		{"Mbed TLS up to 3.6.3", "upgrade to Mbed TLS 3.6.4 - or TF PSA Crypto 1.0", "[0 3.6.4)"},
		{"all SSL libraries including PolarSSL", "", "?"},
		{"The SSL v3 protocol with TLS 1.2", "", "?"},
	} {
		spans, ok := affects(plainText(c[0]))
		got := "?"
		if ok {
			got = shown(branched(spans["mbedtls"], upgrades(plainText(c[1]))["mbedtls"]))
		}
		if got != c[2] {
			t.Errorf("%s | %s: got %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func packZip(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"secjson/CVE-2024-1001.json", "docs/mbedtls-security-advisory-2024-01-1.md", "docs/README.md", "x.c"} {
		if files[name] == "" {
			continue
		}
		m, err := w.Create("repo-HEAD/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(t testing.TB, path string) string {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

func TestZip(t *testing.T) {
	doc := packZip(t, map[string]string{"secjson/CVE-2024-1001.json": file(t, "testdata/openssl/secjson/CVE-2024-1001.json"), "docs/README.md": "# read me", "x.c": "int x;",
		"docs/mbedtls-security-advisory-2024-01-1.md": file(t, "testdata/mbedtls/mbedtls-security-advisory-2024-01-1.md")})
	if !Feed.Match("a/release-metadata.zip", doc) || Feed.Match("a/all.zip", doc) {
		t.Error("a zip is known by its name")
	}
	all, bad, err := feedtest.Read(t, Feed, "a/release-metadata.zip", doc)
	if err != nil || len(bad) > 0 || len(all) != 2 || all[0].ID != "OPENSSL-CVE-2024-1001" || all[1].ID != "MBEDTLS-CVE-2024-1001" {
		t.Errorf("got %+v, bad %v, error %v", all, bad, err)
	}
	if _, _, err := feedtest.Read(t, Feed, "a/release-metadata.zip", doc[:len(doc)-30]); err == nil {
		t.Error("a zip that was cut gives no error")
	}
}

func TestSinkEnds(t *testing.T) {
	full := errors.New("disk full")
	for _, path := range []string{"curl/vuln.json", "nginx/security_advisories.xml", "node/index.json", "mbedtls/mbedtls-security-advisory-2024-02.md", "kernel/linux-kernel-CVEs.txt",
		"yocto/cve-extra-exclusions.inc", "openssl/secjson/CVE-2024-1001.json"} {
		doc := file(t, "testdata/"+path)
		err := Feed.Parse(t.Context(), "testdata/"+path, strings.NewReader(doc), int64(len(doc)), biopsy.Sink{Advisory: func(biopsy.Advisory) error { return full }, Bad: func(biopsy.Gap) {}})
		if err != full {
			t.Errorf("%s: got %v, want %v", path, err, full)
		}
	}
}

func TestFetch(t *testing.T) {
	pack := packZip(t, map[string]string{"secjson/CVE-2024-1001.json": file(t, "testdata/openssl/secjson/CVE-2024-1001.json")})
	s := feedtest.Serve(t, map[string][]byte{
		"/docs/vuln.json": []byte(file(t, "testdata/curl/vuln.json")),
		"/openssl/release-metadata/archive/HEAD.zip":                                 pack,
		"/Mbed-TLS/mbedtls-docs/archive/HEAD.zip":                                    pack,
		"/nginx/nginx.org/main/xml/en/security_advisories.xml":                       []byte(file(t, "testdata/nginx/security_advisories.xml")),
		"/nodejs/security-wg/main/vuln/core/index.json":                              []byte(file(t, "testdata/node/index.json")),
		"/openembedded-core/plain/meta/conf/distro/include/cve-extra-exclusions.inc": []byte(file(t, "testdata/yocto/cve-extra-exclusions.inc")),
	})
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: s.URL}
	for i, want := range []string{"5 0", "0 5"} {
		if err := Feed.Fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		sent, same := s.Counts()
		if got := fmt.Sprint(sent, " ", same); got != want {
			t.Errorf("fetch %d: got %s sent and same, want %s", i+1, got, want)
		}
	}
	o.Names = []string{"yocto"}
	if err := Feed.Fetch(t.Context(), o); err != nil {
		t.Error(err)
	}
	page := filepath.Join(t.TempDir(), "vuln.json")
	if err := os.WriteFile(page, []byte("<html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := check(page); err == nil || !strings.Contains(err.Error(), "not a list of any maker") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	names := []string{"curl/vuln.json", "nginx/security_advisories.xml", "node/index.json", "mbedtls/mbedtls-security-advisory-2024-02.md", "mbedtls/mbedtls-security-advisory-2024-01-1.md",
		"kernel-alone/CVEs.txt", "kernel/linux-kernel-stream_fixes.json", "yocto/cve-extra-exclusions.inc", "openssl/secjson/CVE-2024-1001.json", "wolfssl/advisories/records/CVE-2024-1003.json"}
	for i, n := range names {
		f.Add(uint(i), []byte(file(f, "testdata/"+n)))
	}
	f.Fuzz(func(t *testing.T, i uint, doc []byte) {
		all, _, _ := feedtest.Read(t, Feed, "nowhere/"+names[i%uint(len(names))], doc)
		for _, a := range all {
			if a.ID == "" || a.Source == "" {
				t.Fatalf("a record without id or source: %+v", a)
			}
		}
	})
}

// FuzzAffects: any sentence comes back, with ranges that begin somewhere.
func FuzzAffects(f *testing.F) {
	f.Add("All versions of Mbed TLS from 2.18.0 to 2.28.7 and from 3.0.0 to 3.5.2", "3.6.0 2.28.8")
	f.Add("prior to 1.3.19, 2.1.7 or 2.4.2; up to 1.1 and later", "1 2 3 4.5.6-rc1")
	f.Fuzz(func(t *testing.T, says, fixes string) {
		spans, _ := affects(plainText(says))
		for _, list := range spans {
			for _, r := range branched(list, strings.Fields(fixes)) {
				if len(r.Events) == 0 || r.Events[0].Introduced == "" {
					t.Fatalf("%q with %q: %+v", says, fixes, r)
				}
			}
		}
	})
}

// BenchmarkKernel reads a list of 3,300 holes with the fixes of six stable branches each.
func BenchmarkKernel(b *testing.B) {
	var list, fixes strings.Builder
	list.WriteString("CVEid: (breaks) - (fixes) (versions)\n")
	for i := range 3300 {
		fmt.Fprintf(&list, "CVE-2024-%d: 1853c949646005b5959c483becde86608f548f24 - 661779e1fcafe1b74b3f3fe8e980c1e207fea1fd (v4.3-rc3 to v6.8-rc7)\n", 10000+i)
		fmt.Fprintf(&fixes, `,"CVE-2024-%d":{"4.19":{"fixed_version":"4.19.%d"},"5.4":{"fixed_version":"5.4.271"},"5.10":{"fixed_version":"5.10.212"},"5.15":{"fixed_version":"5.15.151"},"6.1":{"fixed_version":"6.1.81"},"6.6":{"fixed_version":"6.6.21"}}`, 10000+i, i)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stream_fixes.json"), []byte("{"+fixes.String()[1:]+"}"), 0o644); err != nil {
		b.Fatal(err)
	}
	doc := list.String()
	b.SetBytes(int64(len(doc) + fixes.Len()))
	b.ReportAllocs()
	for b.Loop() {
		err := Feed.Parse(b.Context(), filepath.ToSlash(filepath.Join(dir, "CVEs.txt")), strings.NewReader(doc), int64(len(doc)), biopsy.Sink{Advisory: func(biopsy.Advisory) error { return nil }})
		if err != nil {
			b.Fatal(err)
		}
	}
}
