package ubuntu

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
)

func TestText(t *testing.T) { feedtest.Golden(t, Feed, "testdata/text/*") }

func TestVEX(t *testing.T) { feedtest.Golden(t, Feed, "testdata/vex/*.json*") }

func TestPlaceOf(t *testing.T) {
	for release, want := range map[string]string{
		"jammy": "Ubuntu:22.04:LTS", "ubuntu/jammy": "Ubuntu:22.04:LTS", "plucky": "Ubuntu:25.04", "trusty/esm": "Ubuntu:Pro:14.04:LTS",
		"esm-apps/focal": "Ubuntu:Pro:20.04:LTS", "esm-infra-legacy/trusty": "Ubuntu:Pro:14.04:LTS", "fips/bionic": "Ubuntu:Pro:FIPS:18.04:LTS",
		"upstream": "", "devel": "", "snap": "", "bluefield/jammy": "", "ubuntu/": "", "/": "", "esm-infra/warty2": "",
	} {
		p, ok := placeOf(release)
		if got := p.ecosystem(); ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %s, %v, want %q", release, got, ok, want)
		}
	}
}

// members are files of both forms, one of none, and one that is bad.
func members(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"README": []byte("what this is"), "vex/bad.json": []byte(`{"@context":"https://openvex.dev/ns","author":"Canonical"`)}
	for name, path := range map[string]string{"active/CVE-2024-1001": "testdata/text/CVE-2024-1001", "vex/cve/2024/CVE-2024-1001.json": "testdata/vex/CVE-2024-1001.json"} {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = doc
	}
	return out
}

func packTar(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range sorted(files) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packZip(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range sorted(files) {
		m, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packGzip(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sorted(files map[string][]byte) []string {
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func TestArchives(t *testing.T) {
	files := members(t)
	plain := packTar(t, files)
	for name, doc := range map[string][]byte{"ubuntu-cve-tracker-master.zip": packZip(t, files), "ubuntu-cve-tracker.tar": plain, "vex-all.tar.gz": packGzip(t, plain)} {
		if !Feed.Match("x/"+name, doc[:min(len(doc), 4<<10)]) {
			t.Errorf("%s: not known", name)
		}
		if Feed.Match("x/all.zip", doc[:min(len(doc), 4<<10)]) {
			t.Errorf("%s: an archive of any name is known", name)
		}
		all, bad, err := feedtest.Read(t, Feed, name, doc)
		if err != nil || len(all) != 2 || len(bad) != 1 || bad[0].Place.Path != name+"!vex/bad.json" {
			t.Errorf("%s: got %d records, bad %v, error %v", name, len(all), bad, err)
		}
		if _, _, err := feedtest.Read(t, Feed, name, doc[:len(doc)-len(doc)/3]); err == nil {
			t.Errorf("%s: cut, and no error", name)
		}
	}
}

func TestSinkEnds(t *testing.T) {
	full := errors.New("disk full")
	for name, doc := range map[string][]byte{"ubuntu-cve-tracker.zip": packZip(t, members(t)), "vex-all.tar": packTar(t, members(t))} {
		err := Feed.Parse(t.Context(), name, bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{Advisory: func(biopsy.Advisory) error { return full }, Bad: func(biopsy.Gap) {}})
		if !errors.Is(err, full) {
			t.Errorf("%s: got %v, want %v", name, err, full)
		}
	}
}

// emptyTarXZ is a tar of no members, packed by xz.
const emptyTarXZ = "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/ACxdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JilwyG2QAAK8YErMvVcwzAAFIgFAAAADs47VascRn+wIAAAAABFla"

func TestFetch(t *testing.T) {
	doc, err := base64.StdEncoding.DecodeString(emptyTarXZ)
	if err != nil {
		t.Fatal(err)
	}
	s := feedtest.Serve(t, map[string][]byte{"/vex/vex-all.tar.xz": doc})
	o := biopsy.FetchOptions{Dir: t.TempDir(), Base: s.URL}
	for i, want := range []string{"1 0", "0 1"} {
		if err := Feed.Fetch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		sent, same := s.Counts()
		if got := fmt.Sprint(sent, " ", same); got != want {
			t.Errorf("fetch %d: got %s sent and same, want %s", i+1, got, want)
		}
	}
	path := filepath.Join(o.Dir, "ubuntu", "vex", "vex-all.tar.xz")
	if err := check(path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, doc[:len(doc)-8], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := check(path); err == nil {
		t.Error("an archive that was cut passes")
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/text/*", "testdata/vex/*.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range paths {
			doc, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(doc)
			f.Add(packZip(f, map[string][]byte{"a": doc}))
			f.Add(packTar(f, map[string][]byte{"a": doc}))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		all, _, _ := feedtest.Read(t, Feed, "x", doc)
		for _, a := range all {
			if a.ID == "" || a.Source == "" || len(a.Affected) == 0 {
				t.Fatalf("a record that says nothing: %+v", a)
			}
		}
	})
}

// BenchmarkText reads a file of the tracker with forty packages in ten releases, as those of the kernel are.
func BenchmarkText(b *testing.B) {
	var doc strings.Builder
	doc.WriteString("Candidate: CVE-2024-1001\nPublicDate: 2024-01-26 09:15:00 UTC\nDescription:\n An overflow in the parser of libpump.\nPriority: medium\n")
	for p := range 40 {
		for _, r := range []string{"upstream", "trusty", "xenial", "esm-infra/xenial", "bionic", "esm-infra/bionic", "focal", "jammy", "noble", "devel"} {
			fmt.Fprintf(&doc, "%s_linux-%d: released (5.15.0-%d.1)\n", r, p, p)
		}
	}
	raw := []byte(doc.String())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := textAdvisory("x", raw, biopsy.Sink{}); err != nil {
			b.Fatal(err)
		}
	}
}
