package csaf

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
)

func TestDocuments(t *testing.T) { feedtest.Golden(t, Feed, "testdata/document/*.json") }

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// members are what lies in a provider's archive.
func members(t testing.TB) (names []string, docs [][]byte) {
	return []string{"csaf-main/README.md", "csaf-main/2026/icsx-26-001-01.json", "csaf-main/2026/icsx-26-001-01.json.sha256", "csaf-main/feed.json",
			"csaf-main/provider-metadata.json", "csaf-main/.hidden.json", "csaf-main/2026/broken.json", "csaf-main/2026/cve-2026-3000.json"},
		[][]byte{[]byte("x"), file(t, "document/device.json"), []byte("x"), []byte(`{ "feed": {"id": "x"}}`), []byte("{}"), []byte("{"), []byte("{"),
			file(t, "document/redhat.json")}
}

func zipped(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	names, docs := members(t)
	for i, n := range names {
		f, err := w.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	names, docs := members(t)
	for i, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: n, Size: int64(len(docs[i])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	for name, doc := range map[string][]byte{"feeds/CSAF-main.zip": zipped(t), "feeds/csaf_vex_2026-01-01.tar.gz": tarred(t)} {
		if !match(name, doc[:100]) {
			t.Errorf("%s is not known", name)
		}
		all, bad, err := feedtest.Read(t, Feed, name, doc)
		if err != nil || len(bad) != 1 || !strings.Contains(bad[0].Reason, "not a CSAF document") || bad[0].Place.Path != name+"!csaf-main/2026/broken.json" {
			t.Errorf("%s: got %v, %v", name, bad, err)
		}
		ids := make([]string, len(all))
		for i := range all {
			ids[i] = all[i].ID
		}
		want := []string{"ICSX-26-001-01-CVE-2026-1000", "ICSX-26-001-01-CVE-2026-1001", "ICSX-26-001-01-3", "REDHAT-CVE-2026-3000"}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: got %v, want %v", name, ids, want)
		}
		if _, _, err := feedtest.Read(t, Feed, name, doc[:len(doc)/2]); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, cut: got %v", name, err)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       bool
	}{
		{"a/x.json", `{"document":{"csaf_version":"2.0"`, true},
		{"a/x.json", ` {"document": {"acknowledgments": [`, true},
		{"a/x.json", `{"document":{"category":"csaf_vex"`, true},
		{"a/x.txt", `{"document":{"csaf_version":"2.0"`, false},
		{"a/x.json", `[{"csaf_version"`, false},
		{"a/x.json", `{"bomFormat":"CycloneDX"`, false},
		{"a/x.json", `{"feed":{"id":"x"`, false},
		{"feeds/csaf/other.tar.xz", "", true},
		{"data/other-csaf.tar.xz", "", true},
		{"data/csaf_vex_2026-01-01.tar.zst", "", true},
		{"npm/all.zip", "", false},
		{"openvex.zip", "", false},
	} {
		if got := match(c.name, []byte(c.head)); got != c.want {
			t.Errorf("%s %s: got %v", c.name, c.head, got)
		}
	}
}

func TestSpeaker(t *testing.T) {
	for _, c := range []struct{ namespace, want string }{
		{"https://www.cisa.gov/", "cisa"}, {"https://psirt.bosch.com", "bosch"}, {"https://www.bsi.bund.de", "bsi"}, {"https://acme.co.uk", "acme"},
		{"acme.example", "acme"}, {"", "acme-devices"}, {"::", "acme-devices"},
	} {
		d := document(t, "document/maker.json")
		d.Document.Publisher.Namespace = c.namespace
		if got := speaker(d); got != c.want {
			t.Errorf("%q: got %q, want %q", c.namespace, got, c.want)
		}
	}
}

func TestSplitNEVRA(t *testing.T) {
	for _, c := range []struct{ in, name, evr string }{
		{"openssl-1:1.1.1k-8.el8_6.x86_64", "openssl", "1:1.1.1k-8.el8_6"},
		{"openssl-libs-0:3.0.7-16.el9.src", "openssl-libs", "3.0.7-16.el9"},
		{"kernel-default-5.14.21-150500.55.7.1.nosrc", "kernel-default", "5.14.21-150500.55.7.1"},
		{"java-1.8.0-openjdk", "java-1.8.0-openjdk", ""},
		{"compat-openssl10", "compat-openssl10", ""},
		{"openssl-3", "openssl-3", ""},
		{"python3.11", "python3.11", ""},
		{"-", "-", ""},
		{"a--", "a--", ""},
		{"", "", ""},
	} {
		if name, evr := splitNEVRA(c.in); name != c.name || evr != c.evr {
			t.Errorf("%q: got %q %q", c.in, name, evr)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	doc := file(b, "document/device.json")
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	p := &parser{ctx: b.Context(), sink: biopsy.Sink{Advisory: func(biopsy.Advisory) error { return nil }, Bad: func(g biopsy.Gap) { b.Fatal(g) }}}
	for b.Loop() {
		if err := p.document("x", doc); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzDocument(f *testing.F) {
	for _, n := range []string{"device", "maker", "redhat", "suse", "withdrawn"} {
		f.Add(file(f, "document/"+n+".json"))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		all, _, err := feedtest.Read(t, Feed, "x.json", doc)
		if err != nil {
			t.Errorf("a document is never fatal: %v", err)
		}
		for _, a := range all {
			if a.ID == "" || !strings.HasPrefix(a.Source, "csaf/") || a.Extra == nil {
				t.Errorf("got %+v", a)
			}
			for _, p := range a.Affected {
				if p.Ecosystem == "" || p.Name == "" || len(p.Ranges) == 0 && len(p.Versions) == 0 && p.Status == "" {
					t.Errorf("says nothing: %+v", p)
				}
			}
		}
	})
}

func document(t testing.TB, name string) *csaf.Document {
	t.Helper()
	d, err := csaf.Parse(file(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
