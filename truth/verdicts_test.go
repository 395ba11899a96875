package truth

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/refdb"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
	"github.com/biopsy-sca/biopsy/scan"
)

// bookVar names a book of advisories that the labels are asked of too.
const bookVar = "BIOPSY_BOOK"

// least is the precision and recall of verdicts that must be reached.
const least = 0.98

// verdictLabel is one thing to ask and the right answer.
type verdictLabel struct {
	line            string
	advisory, purl  string
	answer          biopsy.Answer
	silenceIsEnough bool
}

// TestVerdicts asks the built-in book, with the records beside the labels, for every label.
func TestVerdicts(t *testing.T) {
	own, err := builtin.Book()
	if err != nil {
		t.Fatal(err)
	}
	judgeLabels(t, []scan.Book{own, bookOf(t, "verdicts/records.txt")}, false)
}

// TestVerdictsOfBook asks a real book. Labels that it has no record for, of the package or of its distribution, are not counted.
func TestVerdictsOfBook(t *testing.T) {
	path := os.Getenv(bookVar)
	if path == "" {
		t.Skip(bookVar + " names no book")
	}
	own, err := builtin.Book()
	if err != nil {
		t.Fatal(err)
	}
	book, err := refdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	judgeLabels(t, []scan.Book{own, book}, true)
}

// judgeLabels counts: right is an answer as labelled; wrong a yes or no that is labelled otherwise; missed a label that got no such
// answer, unless the books are silent about the package and that may be.
func judgeLabels(t *testing.T, books []scan.Book, maybeSilent bool) {
	var right, wrong, missed, silent int
	for _, l := range verdictLabels(t, "verdicts/labels.txt") {
		got, spoke := ask(t, books, l)
		switch {
		case got == l.answer && spoke, !spoke && l.silenceIsEnough:
			right++
		case maybeSilent && (!spoke || got == biopsy.Unknown && strings.Contains(l.purl, "distro=")): // its distribution's record is missing
			silent++
		default:
			t.Logf("%s: %s is %s, want %s", l.advisory, l.purl, got, l.answer)
			missed++
			if spoke && got != biopsy.Unknown {
				wrong++
			}
		}
	}
	precision, recall := ratio(right, right+wrong), ratio(right, right+missed)
	t.Logf("%d labels: %d right, %d wrong, %d missed, %d of which the books are silent; precision %.3f, recall %.3f", right+missed+silent, right, wrong, missed, silent, precision, recall)
	if precision < least || recall < least {
		t.Errorf("precision %.3f, recall %.3f, want %.2f of both", precision, recall, least)
	}
}

// ask judges one package as a scan does; spoke is false when no finding is about the advisory.
func ask(t *testing.T, books []scan.Book, l verdictLabel) (answer biopsy.Answer, spoke bool) {
	t.Helper()
	c, err := eco.Component(l.purl)
	if err != nil {
		t.Fatalf("%s: %v", l.purl, err)
	}
	s := &biopsy.Scan{Inventory: biopsy.Inventory{Components: []biopsy.Component{c}}}
	if err := scan.Judge(context.Background(), s, scan.Options{Books: books, Names: builtin.Upstream}); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Findings {
		if f.Advisory == l.advisory {
			return f.Answer, true
		}
	}
	return biopsy.Unknown, false
}

// verdictLabels reads lines "ADVISORY PURL | answer: versions | ... | reference".
func verdictLabels(t *testing.T, file string) []verdictLabel {
	t.Helper()
	var out []verdictLabel
	for _, line := range readLines(t, file) {
		parts := strings.Split(line, " | ")
		advisory, purl, ok := strings.Cut(parts[0], " ")
		before, after, at := strings.Cut(purl, "@")
		if !ok || !at || len(parts) < 3 {
			t.Fatalf("%s: %q is no label", file, line)
		}
		for _, p := range parts[1 : len(parts)-1] {
			word, versions, _ := strings.Cut(p, ":")
			var answer biopsy.Answer
			if err := answer.UnmarshalText([]byte(word)); err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			for _, v := range strings.Fields(versions) {
				v = strings.NewReplacer(":", "%3A", "+", "%2B").Replace(v)
				out = append(out, verdictLabel{line, advisory, before + "@" + v + after, answer, answer == biopsy.No})
			}
		}
	}
	if len(out) < 150 {
		t.Fatalf("%s: %d labels", file, len(out))
	}
	return out
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return lines(data)
}

// bookOf builds a book of the records of a file: see the comment at its head.
func bookOf(t *testing.T, file string) *refdb.Book {
	t.Helper()
	b := refdb.NewBuilder(t.TempDir())
	for _, line := range readLines(t, file) {
		if err := b.Advisory(recordOf(t, line)); err != nil {
			t.Fatalf("%s: %q: %v", file, line, err)
		}
	}
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

func recordOf(t *testing.T, line string) biopsy.Advisory {
	t.Helper()
	parts := strings.Split(line, " | ")
	ids := strings.Fields(parts[0])
	a := biopsy.Advisory{ID: ids[0], Aliases: ids[1:], Source: "labels"}
	for i := 1; i+1 < len(parts); i += 2 {
		ecosystem, name, _ := strings.Cut(parts[i], " ")
		af := biopsy.Affected{Ecosystem: ecosystem, Name: name}
		if ecosystem == "GIT" {
			af.Ecosystem, af.Name = "", ""
			af.Ranges = append(af.Ranges, biopsy.Range{Type: "GIT", Repo: "https://" + name, Events: []biopsy.Event{{Introduced: "0"}}})
		}
		var events []biopsy.Event
		for _, w := range strings.Fields(parts[i+1]) {
			switch {
			case strings.HasPrefix(w, "cpe="):
				af.CPE = w[4:]
			case strings.HasPrefix(w, "status="):
				af.Status = biopsy.Status(w[7:])
			case strings.HasPrefix(w, "source="):
				a.Source = w[7:]
			case w[0] == '=':
				af.Versions = append(af.Versions, w[1:])
			case w[0] == 'i':
				events = append(events, biopsy.Event{Introduced: w[1:]})
			case w[0] == 'f':
				events = append(events, biopsy.Event{Fixed: w[1:]})
			case w[0] == 'l':
				events = append(events, biopsy.Event{LastAffected: w[1:]})
			default:
				t.Fatalf("%q: %q is no event", line, w)
			}
		}
		if len(events) > 0 {
			af.Ranges = append(af.Ranges, biopsy.Range{Type: "ECOSYSTEM", Events: events})
		}
		a.Affected = append(a.Affected, af)
	}
	return a
}

// TestChangelogs scans the Debian root file systems below BIOPSY_CORPORA with the book that BIOPSY_BOOK names: no finding may be yes of which a
// record made from the package's own changelog says that it is fixed.
func TestChangelogs(t *testing.T) {
	root, path := os.Getenv("BIOPSY_CORPORA"), os.Getenv(bookVar)
	if root == "" || path == "" {
		t.Skip("BIOPSY_CORPORA and " + bookVar + " name no corpora and no book")
	}
	own, err := builtin.Book()
	if err != nil {
		t.Fatal(err)
	}
	book, err := refdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for _, tree := range []string{"debian-amd64/rootfs", "device-armhf/rootfs"} {
		s := run(t, filepath.Join(root, tree), scan.Options{Books: []scan.Book{own, book}, Names: builtin.Upstream})
		told := 0
		for _, f := range s.Findings {
			for _, b := range f.Because {
				if !strings.HasPrefix(b.Record, "DEBCL-") {
					continue
				}
				told++
				if f.Answer == biopsy.Yes {
					t.Errorf("%s: %s is yes, and %s: %s", tree, f.Advisory, b.Record, b.Text)
				}
			}
		}
		t.Logf("%s: %d findings have a record of a changelog", tree, told)
	}
}
