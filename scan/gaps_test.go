package scan

import (
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func gapAt(path, reader, reason string) biopsy.Gap {
	return biopsy.Gap{Place: biopsy.Place{Path: path}, Reader: reader, Reason: reason, Size: 10}
}

// kept is what remains of gaps that come in the given order.
func kept(in []biopsy.Gap) []biopsy.Gap {
	var s gaps
	for _, g := range in {
		s.add(g)
	}
	return s.list()
}

func TestGapsAreKeptByPlaceAndCounted(t *testing.T) {
	var in []biopsy.Gap
	for i := range maxLike + 500 {
		in = append(in, gapAt(fmt.Sprintf("%05d", i), "zip", fmt.Sprintf("member %d of %q: encrypted", i, "x")))
	}
	in = append(in, gapAt("zz", "zip", "other"))
	got := kept(in)
	if len(got) != maxLike+2 {
		t.Fatalf("got %d gaps, want %d", len(got), maxLike+2)
	}
	last := got[maxLike]
	if want := fmt.Sprintf(`member %d of "x": encrypted (the first of 500 more like it)`, maxLike); last.Reason != want || last.Size != 5000 || last.Place.Path != fmt.Sprintf("%05d", maxLike) {
		t.Errorf("got %+v, want reason %q and 5000 bytes", last, want)
	}
	if got[maxLike+1].Reason != "other" {
		t.Errorf("got %+v, want the other sort kept", got[maxLike+1])
	}
}

// TestGapsInAnyOrder keeps the same gaps whatever the order they come in, with more sorts than there is room for.
func TestGapsInAnyOrder(t *testing.T) {
	var in []biopsy.Gap
	for i := range 20000 {
		in = append(in, gapAt(fmt.Sprint(i), fmt.Sprint("reader-", i%(maxSorts+30)), "broken"))
	}
	for i := range maxLike + 700 {
		in = append(in, gapAt(fmt.Sprint(i), "zzz", "broken"))
	}
	want := kept(in)
	total := int64(0)
	for _, g := range want {
		total += g.Size
	}
	if total != int64(len(in))*10 {
		t.Errorf("gaps of %d bytes are told of %d", total, len(in)*10)
	}
	for range 5 {
		rand.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		if got := kept(in); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %d gaps in another order, want the same %d", len(got), len(want))
		}
	}
}

func TestSortOfGap(t *testing.T) {
	for reason, want := range map[string]string{
		`node at offset 0x1f3a: crc 0xdeadbeef, want 12`: "r:node at offset #: crc #, want #",
		`link "a.b" to "../c": climbs`:                   "r:link  to : climbs",
	} {
		if got := sortOf(biopsy.Gap{Reader: "r", Reason: reason}); got != want {
			t.Errorf("%s: got %q, want %q", reason, got, want)
		}
	}
}
