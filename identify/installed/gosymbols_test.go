package installed

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/nameset"
)

func symbolsOf(t *testing.T, b []byte, info *debug.BuildInfo) map[string]*nameset.Set {
	t.Helper()
	all, err := goSymbols(input("bin/x", b, nil), info)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*nameset.Set{}
	for path, s := range all {
		if out[path], err = nameset.Parse(s.String()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestGoSymbolsSelf: the test program holds what this test calls, and not what nothing here calls.
func TestGoSymbolsSelf(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build information")
	}
	got := symbolsOf(t, b, info)
	own := info.Main.Path
	if own == "" {
		own = "github.com/biopsy-sca/biopsy"
	}
	for _, want := range []string{own + "/internal/nameset", own + "/internal/nameset.Set.Add", own + "/internal/nameset.Parse"} {
		if got[own] == nil || !got[own].Has(want) {
			t.Errorf("%s is linked in and not found", want)
		}
	}
	for _, want := range []string{"encoding/binary", "encoding/binary.littleEndian.Uint32", "bytes.Index"} {
		if !got[""].Has(want) {
			t.Errorf("%s is linked in and not found", want)
		}
	}
	for _, not := range []string{"net/rpc/jsonrpc", "net/rpc/jsonrpc.Dial", "image/png.Decode"} {
		if got[""].Has(not) {
			t.Errorf("%s is not linked in and found", not)
		}
	}
}

// lineTable makes a table of the given names as Go 1.20 writes it, behind some other bytes.
func lineTable(order binary.AppendByteOrder, names ...string) []byte {
	b := make([]byte, 32)
	b = order.AppendUint32(b, 0xfffffff1)
	b = append(b, 0, 0, 1, 8)
	text := strings.Join(names, "\x00") + "\x00"
	for _, word := range []uint64{uint64(len(names)), 1, 0x401000, 72, 72 + uint64(len(text)), 0, 0, 0} {
		b = order.AppendUint64(b, word)
	}
	return append(append(b, text...), make([]byte, 64)...)
}

func TestGoSymbols(t *testing.T) {
	info := &debug.BuildInfo{Path: "example.org/pump/cmd/pumpd", Main: debug.Module{Path: "example.org/pump"},
		Deps: []*debug.Module{{Path: "gopkg.in/yaml.v2"}, {Path: "example.org/lib"}, {Path: "example.org/lib/deep"}, {Path: "example.org/unused"}}}
	names := []string{"", "main.main", "net/http.(*Client).Do", "net/http.(*Server).Serve.func1", "gopkg.in/yaml%2ev2.Unmarshal", "example.org/lib/deep/x.F[go.shape.int]",
		"example.org/lib.T.M-fm", "example.org/lib.List[example.org/other.Type].Len", "type:.eq.net/url.URL", "go:buildid", "nodot"}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		got := symbolsOf(t, lineTable(order, names...), info)
		want := map[string][]string{
			"":                     {"net/http", "net/http.Client.Do", "net/http.Server.Serve"},
			"example.org/pump":     {"example.org/pump/cmd/pumpd", "example.org/pump/cmd/pumpd.main"},
			"gopkg.in/yaml.v2":     {"gopkg.in/yaml.v2", "gopkg.in/yaml.v2.Unmarshal"},
			"example.org/lib/deep": {"example.org/lib/deep/x.F"},
			"example.org/lib":      {"example.org/lib.T.M", "example.org/lib.List.Len"},
			"example.org/unused":   {""},
		}
		for module, names := range want {
			for _, n := range names {
				if got[module] == nil || !got[module].Has(n) {
					t.Errorf("%v: %q of module %q is not found", order, n, module)
				}
			}
		}
		if got[""].Has("net/url") || got[""].Has("net/url.URL") {
			t.Errorf("%v: a comparison that the compiler made counts as its package", order)
		}
	}
}

func TestNoGoSymbols(t *testing.T) {
	good := lineTable(binary.LittleEndian, "main.main")
	for name, b := range map[string][]byte{"empty": nil, "zeros": make([]byte, 4096), "cut": good[:60], "other magic": bytes.Replace(good, []byte{0xf1, 0xff}, []byte{0xf3, 0xff}, 1)} {
		if got, err := goSymbols(input("bin/x", b, nil), &debug.BuildInfo{}); got != nil || err != nil {
			t.Errorf("%s: got %v, %v, want nothing", name, got, err)
		}
	}
	long := lineTable(binary.LittleEndian, strings.Repeat("x", 100_000))
	if _, err := goSymbols(input("bin/x", long, nil), &debug.BuildInfo{}); err == nil {
		t.Error("a name of 100,000 bytes: got no error")
	}
}

func FuzzGoSymbols(f *testing.F) {
	f.Add(lineTable(binary.LittleEndian, "main.main", "net/http.(*Client).Do"))
	f.Add(slices.Concat(lineTable(binary.BigEndian, "a/b.(*T[...]).M"), []byte{0xff, 0xff, 0xff}))
	f.Fuzz(func(t *testing.T, b []byte) {
		info := &debug.BuildInfo{Main: debug.Module{Path: "a"}}
		if _, err := goSymbols(input("bin/x", b, nil), info); err != nil && !strings.Contains(err.Error(), "no end") {
			t.Fatal(err)
		}
	})
}
