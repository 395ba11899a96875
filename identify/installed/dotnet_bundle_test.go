package installed

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

const bundleDeps = `{"runtimeTarget":{"name":"t"},"targets":{"t":{}},"libraries":{"Pump/1.0.0":{"type":"project"},"Serilog/2.10.0":{"type":"package"}}}`

// host is a program whose data knows where the bundle starts.
type host func(data []byte) []byte

func elfHost(data []byte) []byte {
	return elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Machine: 183, Interp: "/lib/ld.so", Data: data}.Bytes()
}

func peHost(data []byte) []byte {
	return petest.Image{Machine: 0x8664, Wide: true, Sections: []petest.Section{{Name: ".data", Data: data}}}.Bytes()
}

// bundle appends a bundle of one file, deps.json, to a host.
func bundle(t testing.TB, make host, major uint32) []byte {
	t.Helper()
	data := append(append([]byte("0123456789abcdef01234567"), 0, 0, 0, 0, 0, 0, 0, 0), bundleSignature...)
	b := bytes.NewBuffer(make(data))
	b.Write(bytes.Repeat([]byte{0xcc}, minBundle))
	deps := int64(b.Len())
	b.WriteString(bundleDeps)
	header := uint64(b.Len())
	put := func(vs ...any) {
		for _, v := range vs {
			if err := binary.Write(b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(major, uint32(0), uint32(1), uint8(4), []byte("id12"))
	if major == 1 {
		put(deps, int64(len(bundleDeps)), uint8(3), uint8(14), []byte("Pump.deps.json"))
	} else {
		put(deps, int64(len(bundleDeps)), int64(0), int64(0), uint64(0))
	}
	out := b.Bytes()
	binary.LittleEndian.PutUint64(out[bytes.Index(out, bundleSignature)-8:], header)
	return out
}

func TestDotnetBundle(t *testing.T) {
	cases := []struct {
		name  string
		host  host
		major uint32
		want  string
	}{
		{"opt/Pump", elfHost, 6, "opt/Pump: dotnet-bundle application //Pump@1.0.0 embedded"},
		{"opt/renamed", elfHost, 1, "opt/renamed: dotnet-bundle application //Pump@1.0.0 embedded"},
		{"app/Pump.exe", peHost, 2, "app/Pump.exe: dotnet-bundle application //Pump@1.0.0 embedded"},
	}
	for _, c := range cases {
		got := read(c.name, bundle(t, c.host, c.major), nil)
		if !strings.Contains(got, c.want) || !strings.Contains(got, "purl pkg:nuget/Serilog@2.10.0") {
			t.Errorf("%s, version %d: got\n%s\nwant %q and Serilog", c.name, c.major, got, c.want)
		}
	}
	if got, want := read("opt/Pump", bundle(t, elfHost, 9), nil), "version 9.0 is not known"; !strings.Contains(got, want) {
		t.Errorf("got %q, want an error that says %q", got, want)
	}
	for name, c := range map[string]struct {
		at   uint64
		want string // of the error; "" when it is no bundle
	}{"torn": {1 << 30, "bad .NET bundle"}, "signature after other bytes": {0x3736353433323130, ""}, "signature after a small number": {32, ""}} {
		b := bundle(t, elfHost, 6)
		binary.LittleEndian.PutUint64(b[bytes.Index(b, bundleSignature)-8:], c.at)
		if got := read("opt/Pump", b, nil); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add(bundle(f, elfHost, 1))
	f.Add(bundle(f, peHost, 6))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := DotnetBundle.Extract(t.Context(), input("x", b, nil), func(_ biopsy.Evidence) {}); err != nil && err.Error() == "" {
			t.Error("got an error without words")
		}
	})
}
