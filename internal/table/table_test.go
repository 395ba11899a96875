package table

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

type pair struct{ key, value string }

// write makes a table of rows with small blocks, behind a few bytes that are not of the table.
func write(t testing.TB, rows []pair, block int) ([]byte, Span) {
	t.Helper()
	enc, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	buf.WriteString("head")
	w := NewWriter(&Counter{W: &buf, N: 4}, block, enc)
	for _, r := range rows {
		if err := w.Add([]byte(r.key), []byte(r.value)); err != nil {
			t.Fatal(err)
		}
	}
	span, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), span
}

func openTable(t testing.TB, data []byte, span Span) *Table {
	t.Helper()
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dec.Close)
	tab, err := Open(data, span, dec)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func prefix(t testing.TB, tab *Table, p string) []pair {
	t.Helper()
	var got []pair
	err := tab.Prefix(p, func(k, v []byte) error {
		got = append(got, pair{string(k), string(v)})
		return nil
	})
	if err != nil {
		t.Fatalf("prefix %q: %v", p, err)
	}
	return got
}

func TestPrefixAgreesWithAScan(t *testing.T) {
	var rows []pair
	for i := range 400 {
		rows = append(rows, pair{fmt.Sprintf("%03o", i), strings.Repeat(fmt.Sprint(i), i%7)})
	}
	for _, block := range []int{1, 50, 1 << 20} {
		data, span := write(t, rows, block)
		tab := openTable(t, data, span)
		if tab.Rows() != len(rows) {
			t.Errorf("got %d rows, want %d", tab.Rows(), len(rows))
		}
		for _, p := range []string{"", "0", "00", "1", "12", "123", "1234", "3", "6", "61", "617", "62", "9", "z"} {
			var want []pair
			for _, r := range rows {
				if strings.HasPrefix(r.key, p) {
					want = append(want, r)
				}
			}
			if got := prefix(t, tab, p); !slices.Equal(got, want) {
				t.Errorf("block %d, prefix %q: got %v, want %v", block, p, got, want)
			}
		}
	}
}

func TestEmptyTable(t *testing.T) {
	data, span := write(t, nil, 100)
	tab := openTable(t, data, span)
	if got := prefix(t, tab, ""); got != nil || tab.Rows() != 0 {
		t.Errorf("got %v", got)
	}
}

func TestYieldErrorComesBack(t *testing.T) {
	data, span := write(t, []pair{{"a", ""}, {"b", ""}}, 1)
	stop, n := errors.New("stop"), 0
	err := openTable(t, data, span).Prefix("", func(_, _ []byte) error { n++; return stop })
	if err != stop || n != 1 {
		t.Errorf("got %v after %d rows", err, n)
	}
}

func TestWriterRefuses(t *testing.T) {
	enc, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(&Counter{W: &bytes.Buffer{}}, 100, enc)
	if err := w.Add([]byte("b"), nil); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]pair{"order": {"a", ""}, "twice": {"b", ""}, "key": {strings.Repeat("k", MaxKey+1), ""}, "value": {"c", strings.Repeat("v", MaxValue+1)}} {
		if err := w.Add([]byte(r.key), []byte(r.value)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestLargeRow(t *testing.T) {
	rows := []pair{{"a", "1"}, {"b", strings.Repeat("v", MaxValue)}, {"c", "3"}}
	data, span := write(t, rows, 16<<10)
	if got := prefix(t, openTable(t, data, span), ""); !slices.Equal(got, rows) {
		t.Errorf("got %d rows that differ", len(got))
	}
}

func TestSorter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var want []pair
	for i := range 2000 {
		want = append(want, pair{fmt.Sprint(rnd.IntN(300)), fmt.Sprint(i)})
	}
	for _, budget := range []int{1, 2000, 1 << 20} {
		s := &Sorter{Dir: t.TempDir(), Budget: budget}
		for _, i := range rnd.Perm(len(want))[:] {
			if budget == 1 && len(s.runs) > 200 {
				break
			}
			if err := s.Add([]byte(want[i].key), []byte(want[i].value)); err != nil {
				t.Fatal(err)
			}
		}
		var got []pair
		if err := s.Each(func(k, v []byte) error { got = append(got, pair{string(k), string(v)}); return nil }); err != nil {
			t.Fatal(err)
		}
		if budget > 1 && len(got) != len(want) || budget == 1 && len(got) < 200 {
			t.Errorf("budget %d: got %d rows of %d", budget, len(got), len(want))
		}
		if !slices.IsSortedFunc(got, func(a, b pair) int {
			if c := strings.Compare(a.key, b.key); c != 0 {
				return c
			}
			return strings.Compare(a.value, b.value)
		}) {
			t.Errorf("budget %d: not in order", budget)
		}
		if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 0 {
			t.Errorf("budget %d: runs are left: %v, %v", budget, left, err)
		}
	}
}

func TestSorterErrors(t *testing.T) {
	s := &Sorter{Dir: "/nowhere/at/all", Budget: 1}
	if err := s.Add([]byte("a"), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Add([]byte("b"), nil); err == nil {
		t.Error("got no error of a folder that is not there")
	}
	if err := s.Add(nil, make([]byte, MaxValue+1)); err == nil {
		t.Error("got no error of a row too large")
	}
	s = &Sorter{Dir: t.TempDir(), Budget: 1}
	for range 3 {
		if err := s.Add([]byte("a"), nil); err != nil {
			t.Fatal(err)
		}
	}
	stop := errors.New("stop")
	if err := s.Each(func(_, _ []byte) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

func BenchmarkPrefix(b *testing.B) {
	var rows []pair
	for i := range 100_000 {
		rows = append(rows, pair{fmt.Sprintf("npm\x00package-%06d\x00", i), "GHSA-xxxx-yyyy introduced 0 fixed 1.2.3"})
	}
	data, span := write(b, rows, 16<<10)
	tab := openTable(b, data, span)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(rows)
		n := 0
		if err := tab.Prefix(rows[i].key, func(_, _ []byte) error { n++; return nil }); err != nil || n != 1 {
			b.Fatal(n, err)
		}
	}
}

func FuzzTable(f *testing.F) {
	data, span := write(f, []pair{{"a", "1"}, {"ab", "2"}, {"b", "3"}}, 4)
	f.Add(data, span.Offset, span.Size, "a")
	dec, err := NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, offset, size uint64, prefix string) {
		// The fuzzer cannot guess checksums, so the index gets the right one; those of blocks are left to it.
		span := Span{Offset: offset, Size: size}
		if offset <= uint64(len(data)) && size <= uint64(len(data))-offset {
			span.CRC = CRC(data[offset : offset+size])
		}
		tab, err := Open(data, span, dec)
		if err != nil {
			return
		}
		err = tab.Prefix(prefix, func(k, _ []byte) error {
			if !strings.HasPrefix(string(k), prefix) {
				t.Errorf("got key %q, want prefix %q", k, prefix)
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	})
}

// FuzzRows reads bytes as an unpacked block, behind all checksums.
func FuzzRows(f *testing.F) {
	f.Add([]byte("\x00\x01a\x011\x01\x01b\x00"), "a")
	f.Fuzz(func(t *testing.T, block []byte, prefix string) {
		if _, err := eachRow(block, prefix, func(_, _ []byte) error { return nil }); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	})
}
