package ubuntu

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// status is a line such as "esm-infra/xenial_openssl: released (1.0.2g-1ubuntu4.20+esm12)". Neither part before ":" has a blank.
var status = regexp.MustCompile(`^([a-z0-9][a-z0-9./-]*)_([a-z0-9][a-zA-Z0-9+.-]*): *([A-Za-z-]+)(?:\s+\((.*)\))?\s*$`)

// maxLine bounds a line: descriptions are folded by hand.
const maxLine = 1 << 20

// textAdvisory reads a file of the tracker: fields "Name: value", whose further lines are indented, and lines of status. Lines of status
// that cannot be read are reported and left out.
func textAdvisory(name string, doc []byte, sink biopsy.Sink) (*biopsy.Advisory, error) {
	f := &text{name: name, sink: sink, fields: map[string][]string{}}
	lines := bufio.NewScanner(bytes.NewReader(doc))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		f.line(n, strings.TrimRight(lines.Text(), " \t\r"))
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	cve := f.first("Candidate")
	if !strings.HasPrefix(cve, "CVE-") {
		return nil, fmt.Errorf("candidate %.40q is no CVE", cve)
	}
	day := f.date()
	a := &biopsy.Advisory{
		ID: "UBUNTU-" + cve, Upstream: []string{cve}, Source: "ubuntu/tracker", Published: day, Modified: day, Details: f.joined("Description"),
		References: []biopsy.Reference{{Type: "ADVISORY", URL: "https://ubuntu.com/security/" + cve}}, Severity: f.severity(), Affected: packages(f.verdicts),
	}
	return a, nil
}

// text is the state of a reading.
type text struct {
	name     string
	sink     biopsy.Sink
	field    string              // the field that indented lines belong to
	fields   map[string][]string // lines by field
	verdicts []verdict
}

func (f *text) line(n int, line string) {
	if line == "" || line[0] == '#' {
		return
	}
	if line[0] == ' ' || line[0] == '\t' {
		if f.field != "" {
			f.fields[f.field] = append(f.fields[f.field], strings.TrimSpace(line))
		}
		return
	}
	f.field = ""
	key, value, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	if m := status.FindStringSubmatch(line); m != nil {
		f.status(n, m[1], m[2], m[3], m[4])
		return
	}
	if release, pkg, two := strings.Cut(key, "_"); two && pkg != "" {
		if _, ours := placeOf(release); ours {
			f.sink.Bad(gap(f.name, n, "%.80q is no status", line))
		}
		return
	}
	switch key {
	case "Candidate", "PublicDate", "PublicDateAtUSN", "Description", "Priority", "CVSS":
		f.field = key
		if value = strings.TrimSpace(value); value != "" {
			f.fields[key] = append(f.fields[key], value)
		}
	}
}

// status takes a verdict. A release that is past its support "was" of another status before, which says more.
func (f *text) status(n int, release, pkg, word, remark string) {
	p, ok := placeOf(release)
	if !ok || word == "DNE" {
		return
	}
	v := verdict{place: p, pkg: pkg, why: word}
	if remark != "" {
		v.why += ": " + remark
	}
	switch word {
	case "released":
		v.kind = released
	case "not-affected":
		v.kind = notAffected
	case "needed", "active", "in-progress":
		v.kind = needed
	case "pending":
		v.kind = pending
	case "deferred":
		v.kind = deferred
	case "ignored":
		v.kind = ignored
		if strings.Contains(remark, "was needs-triage") {
			v.kind = untriaged
		}
	case "needs-triage":
		v.kind = untriaged
	default:
		f.sink.Bad(gap(f.name, n, "%s_%s: %.40q is no status", release, pkg, word))
		return
	}
	if (v.kind == released || v.kind == pending) && isVersion(remark) {
		v.version = remark
	}
	f.verdicts = append(f.verdicts, v)
}

func (f *text) first(field string) string {
	if len(f.fields[field]) == 0 {
		return ""
	}
	return f.fields[field][0]
}

func (f *text) joined(field string) string { return strings.Join(f.fields[field], " ") }

// date is when the CVE became public; zero when the file does not say.
func (f *text) date() time.Time {
	for _, field := range []string{"PublicDate", "PublicDateAtUSN"} {
		if t, ok := readTime(f.first(field)); ok {
			return t
		}
	}
	return time.Time{}
}

// readTime reads the forms of dates that tracker and VEX documents have, all in UTC.
func readTime(s string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", time.DateOnly, "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// severity is what the file lists under CVSS ("nvd: CVSS:3.1/AV:N/... [7.5 HIGH]") and the team's own priority.
func (f *text) severity() []biopsy.Severity {
	var out []biopsy.Severity
	for _, line := range f.fields["CVSS"] {
		source, vector, ok := strings.Cut(line, ": ")
		vector, _, _ = strings.Cut(vector, " ")
		switch {
		case ok && strings.HasPrefix(vector, "CVSS:3"):
			out = append(out, biopsy.Severity{Type: "CVSS_V3", Vector: vector, Source: source})
		case ok && strings.HasPrefix(vector, "CVSS:4"):
			out = append(out, biopsy.Severity{Type: "CVSS_V4", Vector: vector, Source: source})
		}
	}
	if p := f.first("Priority"); p != "" && p != "untriaged" {
		out = append(out, biopsy.Severity{Type: "word", Vector: strings.ToUpper(p), Source: "ubuntu"})
	}
	return out
}
