package boot

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/nameset"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// kallsymsTable packs symbols as scripts/kallsyms.c does, with a token for "func_" beside those of single letters.
func kallsymsTable(order binary.AppendByteOrder, wide bool, symbols []string) []byte {
	align := func(b []byte, n int) []byte {
		for len(b)%n != 0 {
			b = append(b, 0)
		}
		return b
	}
	unit := 4
	if wide {
		unit = 8
	}
	b := make([]byte, 64)
	b = align(order.AppendUint32(b, uint32(len(symbols))), unit)
	start := len(b)
	var markers []uint32
	for i, s := range symbols {
		if i%256 == 0 {
			markers = append(markers, uint32(len(b)-start))
		}
		var packed []byte
		for at := 0; at < len(s); at++ {
			if len(s) >= at+5 && s[at:at+5] == "func_" {
				packed = append(packed, 1)
				at += 4
				continue
			}
			packed = append(packed, s[at])
		}
		if len(packed) >= 0x80 {
			b = append(b, byte(len(packed))|0x80, byte(len(packed)>>7))
		} else {
			b = append(b, byte(len(packed)))
		}
		b = append(b, packed...)
	}
	b = align(b, unit)
	for _, m := range markers {
		b = order.AppendUint32(b, m)
	}
	b = align(b, unit)
	var index []uint16
	tokens := len(b)
	for c := range 256 {
		index = append(index, uint16(len(b)-tokens))
		switch {
		case c == 1:
			b = append(b, "func_"...)
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '_' || c >= 'a' && c <= 'z':
			b = append(b, byte(c))
		default:
			b = append(b, fmt.Sprintf("tok%d", c)...)
		}
		b = append(b, 0)
	}
	b = align(b, unit)
	for _, i := range index {
		b = order.AppendUint16(b, i)
	}
	return append(b, make([]byte, 64)...)
}

func manySymbols() []string {
	var out []string
	for i := range 900 {
		out = append(out, fmt.Sprintf("tfunc_%d", i))
	}
	long := "T"
	for range 140 {
		long += "x"
	}
	return append(out, "Tschedule", "Djiffies", long)
}

func TestKallsyms(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{false, true} {
			b := kallsymsTable(order, wide, manySymbols())
			set := functionsOf(t, b)
			if set == nil {
				t.Errorf("%v, wide %v: no table found", order, wide)
				continue
			}
			for name, want := range map[string]bool{"schedule": true, "func_0": true, "func_899": true, "jiffies": false, "func_900": false} {
				if set.Has(name) != want {
					t.Errorf("%v, wide %v: %s: got %v, want %v", order, wide, name, !want, want)
				}
			}
		}
	}
}

func TestKallsymsDamaged(t *testing.T) {
	good := kallsymsTable(binary.LittleEndian, false, manySymbols())
	for name, b := range map[string][]byte{
		"cut in the tokens": good[:len(good)-900],
		"cut in the index":  good[:len(good)-300],
		"few symbols":       kallsymsTable(binary.LittleEndian, false, manySymbols()[:100]),
		"count too high":    slices.Concat(good[:64], []byte{0xff, 0xff, 0, 0}, good[68:]),
	} {
		if set := functionsOf(t, b); set != nil {
			t.Errorf("%s: got %d functions, want none", name, set.Len())
		}
	}
}

func FuzzKallsyms(f *testing.F) {
	f.Add(kallsymsTable(binary.LittleEndian, false, manySymbols()))
	f.Add(kallsymsTable(binary.BigEndian, true, manySymbols()))
	f.Fuzz(func(t *testing.T, b []byte) { functionsOf(t, b) })
}

// functionsOf searches the bytes as readBlob does, and reads the set back as others do.
func functionsOf(t *testing.T, b []byte) *nameset.Set {
	t.Helper()
	s := &search{in: biopsy.Input{File: biopsy.File{Path: "vmlinux.raw"}, Content: spool.Bytes(b)}, marks: map[string]int64{}}
	if err := s.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	set, err := s.functions()
	if err != nil {
		t.Fatal(err)
	}
	if set == nil {
		return nil
	}
	back, err := nameset.Parse(set.String())
	if err != nil {
		t.Fatal(err)
	}
	return back
}
