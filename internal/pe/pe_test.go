package pe_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/pe"
	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

var library = petest.Image{Machine: 0x8664, Flags: pe.IsDLL, DLLFlags: pe.DynamicBase, Wide: true,
	Versions: [][2]string{{"ProductName", "The Pump"}, {"ProductVersion", "1.2.3+abc"}, {"CompanyName", "Exämple"}, {"Comments", ""}},
	Assembly: &petest.Assembly{Name: "Pump.Core", Version: [4]uint16{1, 0, 0, 7}, Refs: []petest.Assembly{{Name: "System.Runtime", Version: [4]uint16{6, 0, 0, 0}}, {Name: "Serilog", Version: [4]uint16{2, 0, 0, 0}}}},
	Sections: []petest.Section{{Name: ".dep-v0", Data: []byte("hello")}}}

// describe says all that the package tells of a file.
func describe(b []byte) (string, error) {
	f, err := pe.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "arch=%s flags=%x/%x signed=%v", f.Arch(), f.Flags, f.DLLFlags, f.Signed())
	words, verErr := f.Versions()
	fmt.Fprintf(&out, " versions=%v", words) // fmt sorts the keys
	data, dataErr := f.Data(".dep-v0", 100)
	fmt.Fprintf(&out, " data=%q", data)
	var cliErr error
	if f.Managed() {
		var self pe.Assembly
		var refs []pe.Assembly
		self, refs, cliErr = f.Assembly()
		fmt.Fprintf(&out, " assembly=%v refs=%v", self, refs)
	}
	return out.String(), errors.Join(verErr, dataErr, cliErr)
}

func TestDescribe(t *testing.T) {
	narrow := library
	narrow.Wide, narrow.Machine, narrow.Assembly, narrow.Versions = false, 0x14c, nil, nil
	cases := []struct {
		name  string
		image petest.Image
		want  string
	}{
		{"PE32+ with everything", library, `arch=amd64 flags=2000/40 signed=false versions=map[Comments: CompanyName:Exämple ProductName:The Pump ProductVersion:1.2.3+abc] data="hello" assembly={Pump.Core 1.0.0.7 } refs=[{System.Runtime 6.0.0.0 } {Serilog 2.0.0.0 }]`},
		{"PE32 with nothing", narrow, `arch=386 flags=2000/40 signed=false versions=map[] data="hello"`},
	}
	for _, c := range cases {
		got, err := describe(c.image.Bytes())
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

// TestLies: numbers that reach behind the end are errors.
func TestLies(t *testing.T) {
	good := library.Bytes()
	at := func(s string) int { return bytes.Index(good, []byte(s)) }
	cases := []struct {
		name   string
		change func(b []byte)
		want   string
	}{
		{"header far away", func(b []byte) { b[63] = 0x7f }, "not a PE file"},
		{"too many sections", func(b []byte) { b[64+6], b[64+7] = 0xff, 0xff }, "sections"},
		{"section far away", func(b []byte) { b[at(".rsrc")+23] = 0x7f }, "resource"},
		{"metadata cut", func(b []byte) { copy(b[at("BSJB"):], "XXXX") }, "metadata"},
		{"too many rows", func(b []byte) { b[at("#Strings")+12+24+3] = 0x7f }, "metadata"},
	}
	for _, c := range cases {
		b := bytes.Clone(good)
		c.change(b)
		got, err := describe(b)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v, want an error about %q", c.name, got, err, c.want)
		}
	}
}

func FuzzPE(f *testing.F) {
	f.Add(library.Bytes())
	narrow := library
	narrow.Wide = false
	f.Add(narrow.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := describe(b)
		two, again := describe(b)
		if one != two || (err == nil) != (again == nil) {
			t.Errorf("got %q, %v, then %q, %v", one, err, two, again)
		}
	})
}
