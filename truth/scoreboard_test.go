package truth

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/scan"
)

var update = flag.Bool("update", false, "rewrite floor.txt to what is reached now")

// score counts what one reader named.
type score struct{ right, wrong, missed int }

func (s score) recall() float64    { return ratio(s.right, s.right+s.missed) }
func (s score) precision() float64 { return ratio(s.right, s.right+s.wrong) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// TestScoreboard scans every labelled tree and prints precision and recall per reader. No reader may fall below floor.txt.
func TestScoreboard(t *testing.T) {
	files, _ := filepath.Glob("trees/*.txtar")
	if len(files) == 0 {
		t.Fatal("no labelled trees")
	}
	board := map[string]*score{}
	for _, f := range files {
		tree(t, f, board)
	}
	t.Logf("%-22s %6s %6s %6s  %9s %6s", "reader", "right", "wrong", "missed", "precision", "recall")
	for _, r := range slices.Sorted(maps.Keys(board)) {
		s := board[r]
		t.Logf("%-22s %6d %6d %6d  %9.3f %6.3f", r, s.right, s.wrong, s.missed, s.precision(), s.recall())
	}
	holdFloor(t, board)
}

// tree scans one case and scores its readers.
func tree(t *testing.T, file string, board map[string]*score) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	want := map[string]string{} // component -> reader
	for _, f := range ar.Files {
		if f.Name == "truth" {
			want = labels(t, file, string(f.Data))
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found := named(inventory(t, dir, biopsy.Standard))
	for c, reader := range want {
		if _, ok := found[c]; ok {
			at(board, reader).right++
		} else {
			at(board, reader).missed++
			t.Logf("%s: missed %s (%s)", file, c, reader)
		}
	}
	for c, reader := range found {
		if _, ok := want[c]; !ok {
			at(board, reader).wrong++
			t.Logf("%s: wrong %s (%s)", file, c, reader)
		}
	}
}

func at(board map[string]*score, reader string) *score {
	if board[reader] == nil {
		board[reader] = &score{}
	}
	return board[reader]
}

// labels reads lines "reader component".
func labels(t *testing.T, file, text string) map[string]string {
	want := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		reader, c, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("%s: truth line %q is not \"reader component\"", file, line)
		}
		want[strings.TrimSpace(c)] = reader
	}
	return want
}

// named returns each component with the reader of its most telling evidence.
func named(inv biopsy.Inventory) map[string]string {
	found := map[string]string{}
	for _, c := range inv.Components {
		name := c.Purl
		if name == "" {
			name = strings.TrimSuffix(c.Name+"@"+c.Version, "@")
		}
		found[name] = c.Evidence[0].Reader
	}
	return found
}

func inventory(t testing.TB, target string, depth biopsy.Depth) biopsy.Inventory {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	s, err := scan.Run(context.Background(), []string{target}, scan.Options{Depth: depth, Spool: sp})
	if err != nil {
		t.Fatal(err)
	}
	return s.Inventory
}

// holdFloor compares with floor.txt: lines "reader precision recall".
func holdFloor(t *testing.T, board map[string]*score) {
	if *update {
		var b strings.Builder
		for _, r := range slices.Sorted(maps.Keys(board)) {
			fmt.Fprintf(&b, "%s %.3f %.3f\n", r, board[r].precision(), board[r].recall())
		}
		if err := os.WriteFile("floor.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	floor, err := os.ReadFile("floor.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(floor)) {
		var reader string
		var p, r float64
		if _, err := fmt.Sscanf(line, "%s %f %f", &reader, &p, &r); err != nil {
			t.Fatalf("floor.txt: %q: %v", line, err)
		}
		s := at(board, reader)
		if s.right+s.missed+s.wrong == 0 || s.precision() < p-0.0005 || s.recall() < r-0.0005 {
			t.Errorf("%s: precision %.3f, recall %.3f, floor %.3f, %.3f", reader, s.precision(), s.recall(), p, r)
		}
	}
}
