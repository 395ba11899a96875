package eco

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrder holds testdata/order/*.txt: "ecosystem NAME", then pairs "A < B", "A = B", "A > B", and "bad V" for what is no version.
// The first line of a file names its source.
func TestOrder(t *testing.T) {
	files, err := filepath.Glob("testdata/order/*.txt")
	if err != nil || len(files) < 15 {
		t.Fatalf("order files: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { orderFile(t, file) })
	}
}

func orderFile(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ecosystem, pairs := "", 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "ecosystem "):
			ecosystem = strings.TrimPrefix(line, "ecosystem ")
		case strings.HasPrefix(line, "bad "):
			v := strings.TrimPrefix(line, "bad ")
			if err := Valid(ecosystem, v); err == nil {
				t.Errorf("%s: %q is taken for a version", ecosystem, v)
			}
		default:
			checkPair(t, ecosystem, line)
			pairs++
		}
	}
	if pairs == 0 {
		t.Errorf("%s: no pairs", file)
	}
}

func checkPair(t *testing.T, ecosystem, line string) {
	t.Helper()
	for sign, want := range map[string]int{" < ": -1, " = ": 0, " > ": 1} {
		a, b, ok := strings.Cut(line, sign)
		if !ok {
			continue
		}
		for _, p := range []struct {
			a, b string
			want int
		}{{a, b, want}, {b, a, -want}, {a, a, 0}, {b, b, 0}} {
			got, err := Compare(ecosystem, p.a, p.b)
			if err != nil || signOf(got) != p.want {
				t.Errorf("%s: Compare(%q, %q) = %d, %v; want %d", ecosystem, p.a, p.b, got, err, p.want)
			}
		}
		return
	}
	t.Errorf("%s: not a pair: %q", ecosystem, line)
}

func signOf(c int) int {
	switch {
	case c < 0:
		return -1
	case c > 0:
		return 1
	}
	return 0
}
