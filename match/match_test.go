package match

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/feed/osv"
	"github.com/biopsy-sca/biopsy/refdb"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted findings of testdata")

// TestCases runs every testdata/*.txtar. Its files: "components", one JSON object a line; "*.json", OSV records; "records" and "synonyms",
// our own words, one JSON object a line; "exploits", one CVE and a JSON object a line; "as-of" and "names" (purl type, name, makers'
// name); and at last "want". A case whose first word is "Advice" wants the moves in place of the findings.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(t, a)
			last := &a.Files[len(a.Files)-1]
			if last.Name != "want" {
				t.Fatalf("%s: the last file is %q, want \"want\"", file, last.Name)
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(last.Data); got != want {
				t.Errorf("%s\n%s\ngot:\n%s\nwant:\n%s", file, a.Comment, got, want)
			}
		})
	}
}

func runCase(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	b := refdb.NewBuilder(t.TempDir())
	inv := &biopsy.Inventory{}
	var o Options
	names := map[string]string{}
	for _, f := range a.Files {
		switch {
		case f.Name == "components":
			inv.Components = components(t, f.Data)
		case f.Name == "as-of":
			o.AsOf = day(t, strings.TrimSpace(string(f.Data)))
		case f.Name == "names":
			for line := range strings.Lines(string(f.Data)) {
				w := strings.Fields(line)
				names[w[0]+" "+w[1]] = w[2]
			}
		case f.Name == "exploits":
			exploits(t, b, f.Data)
		case f.Name == "records":
			eachLine(t, f, b.Advisory)
		case f.Name == "synonyms":
			eachLine(t, f, b.Synonym)
		case strings.HasSuffix(f.Name, ".json"):
			addOSV(t, b, f.Name, f.Data)
		}
	}
	if len(names) > 0 {
		o.Names = func(typ, name string) string { return names[typ+" "+name] }
	}
	books := []Book{commit(t, b)}
	found, err := Run(context.Background(), inv, books, o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(a.Comment), "Advice") {
		return show(inv, found)
	}
	moves, err := Advise(context.Background(), inv, found, books, o)
	if err != nil {
		t.Fatal(err)
	}
	return showMoves(moves, found)
}

// showMoves writes advice as people check it.
func showMoves(moves []biopsy.Advice, found []biopsy.Finding) string {
	names := map[string]string{}
	for _, f := range found {
		names[f.ID] = f.Advisory
	}
	list := func(ids []string) string {
		var out []string
		for _, id := range ids {
			out = append(out, names[id])
		}
		return strings.Join(out, " ")
	}
	var w strings.Builder
	for _, a := range moves {
		fmt.Fprintf(&w, "%s %s -> %s (%s, branch %q, best %t, %d components)\n", a.Name, a.From, a.To, a.Rule, a.Branch, a.Best, len(a.Components))
		detail(&w, "clears", list(a.Clears))
		detail(&w, "leaves", list(a.Leaves))
		detail(&w, "brings", strings.Join(a.Brings, " "))
		detail(&w, "because", a.Because)
	}
	return w.String()
}

// eachLine hands every line of a section to the book's builder.
func eachLine[T any](t *testing.T, f txtar.File, add func(T) error) {
	t.Helper()
	for line := range bytes.Lines(f.Data) {
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%s: %s: %v", f.Name, line, err)
		}
		if err := add(one); err != nil {
			t.Fatalf("%s: %s: %v", f.Name, line, err)
		}
	}
}

func components(t *testing.T, data []byte) []biopsy.Component {
	t.Helper()
	var out []biopsy.Component
	for line := range bytes.Lines(data) {
		var c biopsy.Component
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("components: %s: %v", line, err)
		}
		switch c.Purl {
		case "":
			c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version)
		case "none": // a private project, which no registry knows
			c.Purl = ""
		}
		c.ID = fmt.Sprintf("c%02d", len(out)+1)
		out = append(out, c)
	}
	return out
}

func exploits(t *testing.T, b *refdb.Builder, data []byte) {
	t.Helper()
	for line := range strings.Lines(string(data)) {
		cve, rest, _ := strings.Cut(line, " ")
		var e biopsy.Exploit
		if err := json.Unmarshal([]byte(rest), &e); err != nil {
			t.Fatalf("exploits: %s: %v", line, err)
		}
		if err := b.Exploit(cve, e); err != nil {
			t.Fatal(err)
		}
	}
}

// addOSV reads one or more records by the reader that real ones come by.
func addOSV(t *testing.T, b *refdb.Builder, name string, data []byte) {
	t.Helper()
	sink := biopsy.Sink{Advisory: b.Advisory, Bad: func(g biopsy.Gap) { t.Errorf("%s: %s", g.Place, g.Reason) }}
	if err := osv.Feed.Parse(context.Background(), name, bytes.NewReader(data), int64(len(data)), sink); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func commit(t testing.TB, b *refdb.Builder) *refdb.Book {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book")
	if _, err := b.Commit(path, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	book, err := refdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	return book
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d.AddDate(0, 0, 1).Add(-time.Second)
}

// show writes findings as people check them: component, hole, answer; then what goes with it; then every reason.
func show(inv *biopsy.Inventory, found []biopsy.Finding) string {
	byID := map[string]*biopsy.Component{}
	for i := range inv.Components {
		byID[inv.Components[i].ID] = &inv.Components[i]
	}
	var w strings.Builder
	for _, f := range found {
		c := byID[f.Component]
		fmt.Fprintf(&w, "%s@%s %s %s\n", c.Name, c.Version, f.Advisory, f.Answer)
		detail(&w, "also", strings.Join(f.Aliases, " "))
		detail(&w, "level", string(f.Level))
		if f.Score != 0 {
			detail(&w, "score", fmt.Sprint(f.Score))
		}
		detail(&w, "scored", f.Scored)
		detail(&w, "fixed", strings.Join(f.Fixed, " "))
		if f.Exploit != nil {
			detail(&w, "exploit", fmt.Sprintf("kev=%t epss=%g", f.Exploit.KEV, f.Exploit.EPSS))
		}
		for _, b := range f.Because {
			fmt.Fprintf(&w, "  %s: %s by %s: %s\n", b.Record, b.Answer, b.Rule, b.Text)
		}
	}
	return w.String()
}

func detail(w *strings.Builder, key, value string) {
	if value != "" {
		fmt.Fprintf(w, "  %s %s\n", key, value)
	}
}
