package truth

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/scan"
)

// TestDeterminism scans each tree twice, with one worker and with four: the scan files must be the same, and so must one that was
// read and written again.
func TestDeterminism(t *testing.T) {
	for _, file := range trees(t) {
		dir := load(t, file).write(t, nil)
		one, four := written(t, run(t, dir, scan.Options{Jobs: 1})), written(t, run(t, dir, scan.Options{Jobs: 4}))
		if !bytes.Equal(one, four) {
			t.Errorf("%s: jobs 1 and 4 differ: %s", file, difference(one, four))
		}
		s, err := scanfile.Read(bytes.NewReader(one))
		if err != nil {
			t.Errorf("%s: read the scan file: %v", file, err)
			continue
		}
		if again := written(t, s); !bytes.Equal(one, again) {
			t.Errorf("%s: read and written again: %s", file, difference(one, again))
		}
	}
}

func written(t *testing.T, s *biopsy.Scan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := scanfile.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// difference returns the first line in which two documents differ.
func difference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %q and %q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

// TestDamage scans each tree with all its files cut off or with bytes flipped, both before and after they are built into archives.
// What cannot be read is a gap: no panic, and no error of the scan, unless what is damaged is the very target.
func TestDamage(t *testing.T) {
	damages := map[string]func(*rand.Rand, []byte) []byte{
		"cut":       func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b)+1)] },
		"flip one":  func(r *rand.Rand, b []byte) []byte { return flipped(r, b, 1) },
		"flip many": func(r *rand.Rand, b []byte) []byte { return flipped(r, b, 1+len(b)/50) },
	}
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for _, file := range trees(t) {
		l := load(t, file)
		for name, damage := range damages {
			for round := range rounds {
				t.Run(fmt.Sprintf("%s/%s/%d", file, name, round), func(t *testing.T) {
					dir := l.write(t, func(path string, data []byte) []byte {
						return damage(seeded(path, round), data)
					})
					if _, err := try(t, dir, scan.Options{}); err != nil && l.target == "" {
						t.Error(err)
					}
				})
			}
		}
	}
}

// seeded returns the same numbers for the same path and round.
func seeded(path string, round int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(path)) // a hash takes all
	return rand.New(rand.NewPCG(h.Sum64(), uint64(round)))
}

func flipped(r *rand.Rand, b []byte, times int) []byte {
	b = bytes.Clone(b)
	for range times {
		if len(b) > 0 {
			b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
		}
	}
	return b
}
