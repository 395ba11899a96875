package archive

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestHostileMSI(t *testing.T) {
	good, err := os.ReadFile("testdata/members/tool.msi")
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	directory := int(le.Uint32(good[48:])+1) * 512
	table := int(le.Uint32(good[76:])+1) * 512
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"sector size":       {spoil(30, 31), "error at offset 30: sectors of 2^31"},
		"directory outside": {spoil(48, 0xff, 0xff, 0xff, 0x7f), "leaves the file or goes in a circle"},
		"circle":            {spoil(table+4*int(le.Uint32(good[48:])), good[48:52]...), "goes in a circle"},
		"table outside":     {spoil(76, 0xff, 0xff, 0xff, 0x7f), "error at offset"},
		"root too large":    {spoil(directory+120, 0, 0, 0, 0x7f), "are missing"},
		"cut":               {good[:2000], "error"},
	} {
		got := list(newSpool(t), &MSI, "x.msi", c.b)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
	s := newSpool(t)
	for at := 0; at < len(good); at += 7 {
		hold(t, s, MSI, spoil(at, 0xff, 0x7f))
	}
}

func TestMSIName(t *testing.T) {
	for name, want := range map[string]string{"\x40\x48\x3f\x3f\x77\x45\x6c\x44\x6a\x3e\xb2\x44\x2f\x48\x00\x00": "!_StringPool", "a\x00.\x00\x00\x00": "a."} {
		if got := msiName([]byte(name), len(name)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
