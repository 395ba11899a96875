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

// TestScoreboard scans every labelled tree and prints precision and recall per reader; "edges", "scopes", "licences" and "gaps" stand
// in the table as readers do. None may fall below floor.txt.
func TestScoreboard(t *testing.T) {
	board := board{}
	for _, file := range trees(t) {
		l := load(t, file)
		board.judge(t, l, run(t, l.write(t, nil), scan.Options{}).Inventory)
	}
	t.Logf("%-24s %6s %6s %6s  %9s %6s", "reader", "right", "wrong", "missed", "precision", "recall")
	for _, r := range slices.Sorted(maps.Keys(board)) {
		s := board[r]
		t.Logf("%-24s %6d %6d %6d  %9.3f %6.3f", r, s.right, s.wrong, s.missed, s.precision(), s.recall())
	}
	holdFloor(t, board)
}

func trees(t testing.TB) []string {
	files, err := filepath.Glob("trees/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no labelled trees: %v", err)
	}
	return files
}

func run(t testing.TB, target string, o scan.Options) *biopsy.Scan {
	t.Helper()
	s, err := try(t, target, o)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	return s
}

func try(t testing.TB, target string, o scan.Options) (*biopsy.Scan, error) {
	sp, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	o.Spool = sp
	return scan.Run(context.Background(), []string{target}, o)
}

type board map[string]*score

func (b board) at(reader string) *score {
	if b[reader] == nil {
		b[reader] = &score{}
	}
	return b[reader]
}

// judge scores one case.
func (b board) judge(t *testing.T, l labelled, inv biopsy.Inventory) {
	found := map[string]*biopsy.Component{}
	for i := range inv.Components {
		found[named(&inv.Components[i])] = &inv.Components[i]
	}
	for _, name := range slices.Sorted(maps.Keys(l.truth)) {
		want, c := l.truth[name], found[name]
		if c == nil {
			b.at(want.reader).missed++
			t.Logf("%s: missed %s (%s)", l.file, name, want.reader)
			continue
		}
		b.at(want.reader).right++
		b.field(t, "scopes", l.file+": scope of "+name, string(c.Scope), want.scope)
		b.field(t, "licences", l.file+": licence of "+name, licences(c), want.licence)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := l.truth[name]; !ok {
			reader := found[name].Evidence[0].Reader
			b.at(reader).wrong++
			t.Logf("%s: wrong %s (%s at %s)", l.file, name, reader, found[name].Evidence[0].Place)
		}
	}
	if l.edges != nil {
		b.sets(t, l.file, "edges", edges(inv), l.edges)
	}
	gaps := map[string]bool{}
	for _, g := range inv.Gaps {
		gaps[g.Place.Path] = true
		if !l.gaps[g.Place.Path] {
			t.Logf("%s: %s: %s", l.file, g.Place, g.Reason)
		}
	}
	b.sets(t, l.file, "gaps", gaps, l.gaps)
}

// field scores one field that a label speaks about.
func (b board) field(t *testing.T, row, what, got, want string) {
	switch {
	case want == "":
	case got == want:
		b.at(row).right++
	case got == "":
		b.at(row).missed++
		t.Logf("%s: none, want %s", what, want)
	default:
		b.at(row).wrong++
		t.Logf("%s: %s, want %s", what, got, want)
	}
}

// sets scores one set against another.
func (b board) sets(t *testing.T, file, row string, got, want map[string]bool) {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got[k] {
			b.at(row).right++
		} else {
			b.at(row).missed++
			t.Logf("%s: missed %s %s", file, row, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if !want[k] {
			b.at(row).wrong++
			t.Logf("%s: wrong %s %s", file, row, k)
		}
	}
}

// named is how a label names a component.
func named(c *biopsy.Component) string {
	if c.Purl != "" {
		return c.Purl
	}
	return strings.TrimSuffix(c.Name+"@"+c.Version, "@")
}

// licences joins the licences of a component: their expressions, or the words where they fit none.
func licences(c *biopsy.Component) string {
	var all []string
	for _, l := range c.Licenses {
		all = append(all, l.Expression+l.Name)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// edges are the needs between components.
func edges(inv biopsy.Inventory) map[string]bool {
	names, all := map[string]string{}, map[string]bool{}
	for i := range inv.Components {
		names[inv.Components[i].ID] = named(&inv.Components[i])
	}
	for _, r := range inv.Relations {
		if r.Kind == biopsy.DependsOn {
			all[names[r.From]+" -> "+names[r.To]] = true
		}
	}
	return all
}

// holdFloor compares with floor.txt: lines "reader precision recall".
func holdFloor(t *testing.T, board board) {
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
		s := board.at(reader)
		if s.right+s.missed+s.wrong == 0 || s.precision() < p-0.0005 || s.recall() < r-0.0005 {
			t.Errorf("%s: precision %.3f, recall %.3f, floor %.3f, %.3f", reader, s.precision(), s.recall(), p, r)
		}
	}
}
