package debian

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// header begins a notice: "[23 Jan 2024] DSA-5605-1 thunderbird - security update".
var header = regexp.MustCompile(`^\[(\d{1,2} [A-Z][a-z]{2} \d{4})\] (D(?:S|L|TS)A-\d+(?:-\d+)?) (.*)$`)

func isList(head []byte) bool {
	line, _, _ := strings.Cut(string(head), "\n")
	return header.MatchString(strings.TrimSpace(line))
}

// entry is what a notice says of a package: "[bookworm] - thunderbird 1:115.7.0-1~deb12u1". A version in angle brackets is a verdict.
var entry = regexp.MustCompile(`^(?:\[([a-z-]+)\] )?- (\S+) (\S+)(?: +\((.*)\))?`)

// parseList reads the text of data/DSA/list and its sisters: a line that begins a notice, and indented lines that belong to it.
func parseList(ctx context.Context, name string, r io.Reader, sink biopsy.Sink) error {
	l := &list{name: name, sink: sink}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxRecord)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "[") {
			if err := l.end(); err != nil {
				return err
			}
			l.begin(n, line)
		} else if text := strings.TrimSpace(line); text != "" {
			l.line(n, text)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return l.end()
}

// list is the state of a reading: the notice at hand, and what its title says.
type list struct {
	name  string
	sink  biopsy.Sink
	a     *biopsy.Advisory // nil before the first notice, and in one that cannot be read
	title string
}

func (l *list) bad(line int, format string, args ...any) {
	g := gap(l.name, 0, format, args...)
	g.Place.Line = line
	l.sink.Bad(g)
}

func (l *list) begin(n int, line string) {
	m := header.FindStringSubmatch(line)
	if m == nil {
		l.bad(n, "%.80q begins no notice", line)
		return
	}
	day, err := time.Parse("2 Jan 2006", m[1])
	if err != nil {
		l.bad(n, "%s: %q is not a date", m[2], m[1])
		return
	}
	part, _, _ := strings.Cut(m[2], "-")
	l.title = m[3]
	l.a = &biopsy.Advisory{
		ID: m[2], Summary: m[3], Published: day, Modified: day, Source: "debian/" + part,
		References: []biopsy.Reference{{Type: "ADVISORY", URL: "https://security-tracker.debian.org/tracker/" + m[2]}},
	}
}

// line takes what belongs to a notice; lines of notices that could not be read are left out with them.
func (l *list) line(n int, text string) {
	switch {
	case l.a == nil || strings.HasPrefix(text, "NOTE:"):
	case text[0] == '{':
		for _, id := range strings.Fields(strings.Trim(text, "{}")) {
			if strings.HasPrefix(id, "CVE-") {
				l.a.Upstream = append(l.a.Upstream, id)
			}
		}
	default:
		m := entry.FindStringSubmatch(text)
		if m == nil {
			l.bad(n, "%s: %.80q says nothing of a package", l.a.ID, text)
			return
		}
		l.entry(n, m[1], m[2], m[3], m[4])
	}
}

// entry adds a verdict. Lines without a release are about unstable.
func (l *list) entry(n int, codename, pkg, version, why string) {
	if codename == "" {
		codename = "sid"
	}
	af := biopsy.Affected{Ecosystem: ecosystem(codename), Name: pkg}
	switch word := strings.Trim(version, "<>"); {
	case version[0] != '<':
		af.Ranges = until(version)
	case word == "removed" || word == "itp":
		return // the release has no such package
	case word == "not-affected":
		af.Status, af.Why = biopsy.NotAffected, because(word, why)
	case word == "undetermined":
		af.Status, af.Why = biopsy.Undetermined, because(word, why)
	case word == "unfixed":
		af.Ranges = until("")
	case word == "end-of-life" || word == "ignored" || word == "postponed" || word == "no-dsa":
		af.Status, af.Why, af.Ranges = biopsy.WillNotFix, because(word, why), until("")
	default:
		l.bad(n, "%s: %.40q is no verdict", l.a.ID, version)
		return
	}
	l.a.Affected = append(l.a.Affected, af)
}

// end hands the notice over. Notices of no hole are left out: regressions of another notice's fix, ends of support, new data.
func (l *list) end() error {
	a := l.a
	l.a = nil
	if a == nil || len(a.Affected) == 0 || len(a.Upstream) == 0 && !strings.Contains(l.title, "security update") {
		return nil
	}
	return l.sink.Advisory(*a)
}
