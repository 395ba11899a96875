package installed

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

// rusty is constants as rustc leaves them: messages and paths without anything between.
const rusty = "called `Option::unwrap()` on a `None` value/home/u/.cargo/registry/src/index.crates.io-6f17d22bba15001f/regex-1.7.1/src/exec.rsattempt" +
	"/usr/share/cargo/registry/aho-corasick-0.7.19/src/lib.rs/root/.cargo/registry/src/github.com-1ecc6299db9ec823/sha-1-0.10.0-beta.2/src/x.rs" +
	"the registry/settings key/registry/notacrate/x/registry/src/"

func TestRustCrates(t *testing.T) {
	want := `bin/rg: rust-crates library cargo//aho-corasick@0.7.19 embedded runtime binary-analysis 0.90
  purl pkg:cargo/aho-corasick@0.7.19
bin/rg: rust-crates library cargo//regex@1.7.1 embedded runtime binary-analysis 0.90
  purl pkg:cargo/regex@1.7.1
bin/rg: rust-crates library cargo//sha-1@0.10.0-beta.2 embedded runtime binary-analysis 0.90
  purl pkg:cargo/sha-1@0.10.0-beta.2
`
	program := elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 62, Interp: "/lib/ld.so", Sections: []elftest.Section{{Name: ".rodata", Type: 1, Data: []byte(rusty)}}}
	if got := read("bin/rg", program.Bytes(), nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// A path that lies across two chunks is still read.
	program.Sections[0].Data = append(bytes.Repeat([]byte{'x'}, chunk-20), rusty[43:]...)
	if got := read("bin/rg", program.Bytes(), nil); got != want {
		t.Errorf("across chunks: got\n%s\nwant\n%s", got, want)
	}
	windows := petest.Image{Machine: 0x8664, Sections: []petest.Section{{Name: ".rdata", Data: []byte(strings.ReplaceAll(rusty, "/", `\`))}}}
	if got, want := read("rg.exe", windows.Bytes(), nil), "pkg:cargo/regex@1.7.1"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %s in it", got, want)
	}
}

func FuzzCratePaths(f *testing.F) {
	f.Add([]byte(rusty))
	f.Fuzz(func(t *testing.T, b []byte) {
		seen := map[[2]string]bool{}
		cratePaths(b, seen)
		for k := range seen {
			if k[0] == "" || k[1] == "" {
				t.Errorf("got %q", k)
			}
		}
	})
}

func BenchmarkCratePaths(b *testing.B) {
	data := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog; "), 20000)
	data = append(data, rusty...)
	b.SetBytes(int64(len(data)))
	seen := map[[2]string]bool{}
	for b.Loop() {
		cratePaths(data, seen)
	}
	if got := fmt.Sprint(slices.Collect(maps.Values(seen))); got != "[true true true]" {
		b.Errorf("got %s", got)
	}
}
