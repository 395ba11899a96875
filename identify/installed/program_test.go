package installed

import (
	"bytes"
	"compress/zlib"
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

// TestGoBinarySelf reads the build information of the test program itself.
func TestGoBinarySelf(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []biopsy.Evidence
	if err := GoBinary.Extract(context.Background(), input("bin/self", b, nil), func(e biopsy.Evidence) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	if len(got) < 2 {
		t.Fatalf("got %d pieces of evidence, want the program and the standard library", len(got))
	}
	main := got[0].Claim
	if main.Kind != biopsy.Application || main.Purl != "pkg:golang/github.com/biopsy-sca/biopsy" || len(main.Needs) != len(got)-1 {
		t.Errorf("got %s %q with %d needs, want the application of this module with %d", main.Kind, main.Purl, len(main.Needs), len(got)-1)
	}
	want := "pkg:golang/stdlib@" + goRelease(runtime.Version())
	if !slices.ContainsFunc(got, func(e biopsy.Evidence) bool { return e.Claim.Purl == want }) {
		t.Errorf("got no %s", want)
	}
}

// TestGoModules covers what the test program's own build information does not have.
func TestGoModules(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.21.3 X:boringcrypto", Path: "example.org/pump/cmd/pumpd",
		Main: debug.Module{Path: "example.org/pump", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.org/a", Version: "v1.0.0", Sum: "h1:x", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.0.1", Sum: "h1:y"}},
			{Path: "example.org/b", Version: "v2.0.0+incompatible", Replace: &debug.Module{Path: "./b", Version: "(devel)"}},
			{Path: "single", Version: "(devel)"}},
		Settings: []debug.BuildSetting{{Key: "-ldflags", Value: "-s -X 'main.version=v1.4.0-rc1'"}, {Key: "GOARCH", Value: "arm"}, {Key: "CGO_ENABLED", Value: "0"}}}
	var out strings.Builder
	goModules(sheet{input("usr/sbin/pumpd", nil, nil), "go-binary", biopsy.Binary, func(e biopsy.Evidence) { tell(&out, e, nil) }}, info, nil)
	want := `usr/sbin/pumpd: go-binary application golang/example.org/pump@v1.4.0-rc1 installed  binary-analysis 0.70
  purl pkg:golang/example.org/pump@v1.4.0-rc1
  need pkg:golang/example.org/fork@v1.0.1 runtime
  need pkg:golang/example.org/b@v2.0.0%2Bincompatible runtime
  need pkg:golang/single runtime
  need pkg:golang/stdlib@1.21.3 runtime
  extra go:CGO_ENABLED=0
  extra go:GOARCH=arm
  extra go:package=example.org/pump/cmd/pumpd
  extra go:version=go1.21.3 X:boringcrypto
  extra go:version-from=-ldflags
usr/sbin/pumpd: go-binary library golang/example.org/fork@v1.0.1 embedded  binary-analysis 0.99
  purl pkg:golang/example.org/fork@v1.0.1
  extra go:replaces=example.org/a@v1.0.0
  extra go:sum=h1:y
usr/sbin/pumpd: go-binary library golang/example.org/b@v2.0.0+incompatible embedded  binary-analysis 0.99
  purl pkg:golang/example.org/b@v2.0.0%2Bincompatible
  extra go:replaced-by=./b
usr/sbin/pumpd: go-binary library golang//single@ embedded  binary-analysis 0.99
  purl pkg:golang/single
usr/sbin/pumpd: go-binary library golang//stdlib@1.21.3 embedded  binary-analysis 0.99
  purl pkg:golang/stdlib@1.21.3
  supplier The Go Authors
  licence expression="BSD-3-Clause" name="" url=""
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestNoBuildInformation: a Go program without build information is a gap, any other program nothing.
func TestNoBuildInformation(t *testing.T) {
	program := elftest.Image{Wide: true, Little: true, Type: elf.Exec, Machine: 62, Interp: "/lib/ld.so"}
	if got := read("bin/other", program.Bytes(), nil); got != "" {
		t.Errorf("got %q for a program of another language, want nothing", got)
	}
	program.Sections = []elftest.Section{{Name: ".gopclntab", Type: 1, Data: []byte{0}}}
	want := "gap bin/old: a go program without build information: its modules are unknown\n"
	if got := read("bin/old", program.Bytes(), nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// audited is a program with crates as cargo-auditable packs them.
func audited(t testing.TB, json string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(json)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 183, Interp: "/lib/ld.so", Sections: []elftest.Section{{Name: crateSection, Type: 1, Data: b.Bytes()}}}.Bytes()
}

const crates = `{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io"},{"name":"cc","version":"1.0.79","source":"crates.io","kind":"build"},
{"name":"pumpd","version":"0.3.0","source":"local","dependencies":[0,1],"root":true},{"name":"forked","version":"2.0.0","source":"git","dependencies":[0]}]}`

// TestRustBinaryWindows finds the section in a PE file.
func TestRustBinaryWindows(t *testing.T) {
	packed, err := sectionOf(input("x", audited(t, crates), nil), crateSection, maxCrates)
	if err != nil {
		t.Fatal(err)
	}
	got := read("pumpd.exe", petest.Image{Machine: 0x8664, Wide: true, Sections: []petest.Section{{Name: crateSection, Data: packed}}}.Bytes(), nil)
	if want := "pumpd.exe: rust-binary library cargo//adler@1.0.2"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to start with %q", got, want)
	}
}

func TestRustBinary(t *testing.T) {
	want := `usr/bin/pumpd: rust-binary library cargo//adler@1.0.2 embedded runtime binary-analysis 0.99
  purl pkg:cargo/adler@1.0.2
usr/bin/pumpd: rust-binary library cargo//cc@1.0.79 embedded development binary-analysis 0.99
  purl pkg:cargo/cc@1.0.79
usr/bin/pumpd: rust-binary application cargo//pumpd@0.3.0 installed runtime binary-analysis 0.99
  purl pkg:cargo/pumpd@0.3.0
  need pkg:cargo/adler@1.0.2 runtime
  need pkg:cargo/cc@1.0.79 runtime
  extra rust:program=pumpd
  extra rust:source=local
usr/bin/pumpd: rust-binary library cargo//forked@2.0.0 embedded runtime binary-analysis 0.99
  purl pkg:cargo/forked@2.0.0
  need pkg:cargo/adler@1.0.2 runtime
  extra rust:source=git
`
	if got := read("usr/bin/pumpd", audited(t, crates), nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	bad := `{"packages":[{"name":"a","version":"1","dependencies":[7]}]}`
	want = "error bin/x: rust-binary: parse .dep-v0: a needs crate 7 of 1\n"
	if got := read("bin/x", audited(t, bad), nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzCrates(f *testing.F) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(crates)) // a bytes.Buffer takes everything
	_ = z.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, err := readCrates(b); err == nil {
			sayCrates(sheet{input("x", nil, nil), "rust-binary", biopsy.Binary, func(biopsy.Evidence) {}}, list)
		}
	})
}

func FuzzProgram(f *testing.F) {
	f.Add(audited(f, crates))
	f.Add(elftest.Image{Type: elf.Exec, Machine: 40, Sections: []elftest.Section{{Name: ".go.buildinfo", Type: 1, Data: []byte("\xff Go buildinf:\x08\x02")}}}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) { read("bin/x", b, nil) })
}
