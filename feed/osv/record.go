package osv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// record is the OSV document, as far as it is kept. Credits and related ids are not aliases and prove nothing.
type record struct {
	ID         string      `json:"id"`
	Modified   string      `json:"modified"`
	Published  string      `json:"published"`
	Withdrawn  string      `json:"withdrawn"`
	Aliases    []string    `json:"aliases"`
	Upstream   []string    `json:"upstream"`
	Related    []string    `json:"related"`
	Summary    string      `json:"summary"`
	Details    string      `json:"details"`
	Severity   []severity  `json:"severity"`
	Affected   []affected  `json:"affected"`
	References []reference `json:"references"`
	Database   database    `json:"database_specific"`
	Ecosystem  ecosystem   `json:"ecosystem_specific"` // not in the schema at this level, but seen
}

type severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		Purl      string `json:"purl"`
	} `json:"package"`
	Severity  []severity   `json:"severity"`
	Ranges    []rangeOf    `json:"ranges"`
	Versions  []string     `json:"versions"`
	Ecosystem ecosystem    `json:"ecosystem_specific"`
	Database  packageNotes `json:"database_specific"`
}

type rangeOf struct {
	Type   string  `json:"type"`
	Repo   string  `json:"repo"`
	Events []event `json:"events"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
	Limit        string `json:"limit"`
}

// database is what databases add to a record, by names that several of them share.
type database struct {
	Severity      word  `json:"severity"`       // GHSA, Bitnami
	CWEs          words `json:"cwe_ids"`        // GHSA
	CWE           words `json:"cwe"`            // OSEC; CURL writes "CWE-121: Stack-based Buffer Overflow"
	CPEs          words `json:"cpes"`           // Bitnami
	CPEIDs        words `json:"cpe_ids"`        // EEF
	Review        word  `json:"review_status"`  // Go: REVIEWED, UNREVIEWED
	ConvertedFrom word  `json:"converted_from"` // another form that somebody made the record from
}

// ecosystem is what ecosystems add to a package.
type ecosystem struct {
	Severity word            `json:"severity"`           // OSS-Fuzz
	Urgency  word            `json:"urgency"`            // Debian: "unimportant" and others
	Priority word            `json:"ubuntu_priority"`    // Ubuntu
	Module   word            `json:"rpm_modularity"`     // "mariadb:10.3": the module stream that the package must be of
	Imports  json.RawMessage `json:"imports"`            // Go: packages and symbols
	Calls    words           `json:"affected_functions"` // RustSec, GHSA
	Custom   json.RawMessage `json:"custom_ranges"`      // Go: ranges in version numbers that are not the module's own
}

// packageNotes is what databases add to a package.
type packageNotes struct {
	LastKnown     word  `json:"last_known_affected_version_range"` // GHSA: "<= 1.2.3"
	Urgency       word  `json:"urgency"`                           // Debian, in older records
	Informational word  `json:"informational"`                     // RustSec: "unmaintained", "unsound", "notice"
	CPE           words `json:"cpe"`
}

// word is a string; any other JSON value is "".
type word string

func (w *word) UnmarshalJSON(b []byte) error {
	*w = ""
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(w))
	}
	return nil
}

// words is a string or a list; what is not a string in it is left out.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	*w = nil
	switch b[0] {
	case '"':
		var one string
		err := json.Unmarshal(b, &one)
		*w = words{one}
		return err
	case '[':
		var list []word
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		for _, s := range list {
			if s != "" {
				*w = append(*w, string(s))
			}
		}
	}
	return nil
}

// decode reads one document. The advisory has no Source yet.
func decode(doc []byte) (biopsy.Advisory, error) {
	var r record
	err := json.Unmarshal(doc, &r)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return biopsy.Advisory{}, fmt.Errorf("not an OSV record: at byte %d: %w", syntax.Offset, err)
	}
	if err != nil {
		return biopsy.Advisory{}, fmt.Errorf("not an OSV record: %w", err)
	}
	return r.advisory()
}

func (r *record) advisory() (biopsy.Advisory, error) {
	a := biopsy.Advisory{ID: r.ID, Aliases: r.Aliases, Upstream: r.upstream(), Summary: r.Summary, Details: r.Details}
	if r.ID == "" {
		return a, errors.New("not an OSV record: no id")
	}
	err := errors.Join(readTime("modified", r.Modified, &a.Modified), readTime("published", r.Published, &a.Published),
		readTime("withdrawn", r.Withdrawn, &a.Withdrawn))
	if err != nil {
		return a, fmt.Errorf("%s: %w", r.ID, err)
	}
	if r.Modified == "" {
		return a, fmt.Errorf("%s: no modified time", r.ID)
	}
	// Some databases leave the year 1 there. A record with no date at all is kept too, as older than any other.
	if a.Modified.IsZero() {
		a.Modified = a.Published
	}
	for _, ref := range r.References {
		a.References = append(a.References, biopsy.Reference(ref))
	}
	a.Extra = r.extra()
	for i := range r.Affected {
		a.Affected = append(a.Affected, r.Affected[i].words())
	}
	a.Severity = r.severities(a.Affected)
	return a, nil
}

// readTime reads RFC 3339. "" is no time.
func readTime(field, s string, t *time.Time) (err error) {
	if s == "" {
		return nil
	}
	if *t, err = time.Parse(time.RFC3339, s); err != nil {
		return fmt.Errorf("%s %.40q is not a time", field, s)
	}
	*t = t.UTC()
	return nil
}

// notices are the ecosystems whose records are notices about CVEs. Before schema 1.7 (2025-04), which brought "upstream", they named
// them as related.
var notices = []string{"AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "openEuler", "Mageia", "Photon OS", "Debian", "Ubuntu", "Azure Linux"}

func (r *record) upstream() []string {
	if len(r.Upstream) > 0 || len(r.Aliases) > 0 || len(r.Affected) == 0 {
		return r.Upstream
	}
	eco, _, _ := strings.Cut(r.Affected[0].Package.Ecosystem, ":")
	if !slices.Contains(notices, eco) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Related), func(id string) bool { return !strings.HasPrefix(id, "CVE-") })
}

func (r *record) extra() map[string]string {
	m := map[string]string{}
	put(m, "cwe", strings.Join(cwes(r.Database.CWEs, r.Database.CWE), ","))
	put(m, "cpe", strings.Join(append(r.Database.CPEs, r.Database.CPEIDs...), " "))
	put(m, "related", strings.Join(r.Related, ","))
	put(m, "review", string(r.Database.Review))
	put(m, "convertedFrom", string(r.Database.ConvertedFrom))
	if strings.HasPrefix(r.ID, "MAL-") {
		m["malicious"] = "true"
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

func put(m map[string]string, key, value string) {
	if value != "" {
		m[key] = value
	}
}

// cwes finds "CWE-" and a number in each text, sorted, each once.
func cwes(lists ...words) []string {
	var out []string
	for _, text := range slices.Concat(lists...) {
		i := strings.Index(text, "CWE-")
		if i < 0 {
			continue
		}
		id := text[i:]
		end := 4
		for end < len(id) && id[end] >= '0' && id[end] <= '9' {
			end++
		}
		if end > 4 {
			out = append(out, id[:end])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (a *affected) words() biopsy.Affected {
	out := biopsy.Affected{Ecosystem: a.Package.Ecosystem, Name: a.Package.Name, Purl: a.Package.Purl, Versions: a.Versions}
	for _, r := range a.Ranges {
		out.Ranges = append(out.Ranges, r.words())
	}
	out.Symbols = append(imports(a.Ecosystem.Imports), a.Ecosystem.Calls...)
	m := map[string]string{}
	put(m, "urgency", string(a.Ecosystem.Urgency))
	put(m, "urgency", string(a.Database.Urgency))
	put(m, "module", string(a.Ecosystem.Module))
	put(m, "lastKnown", string(a.Database.LastKnown))
	put(m, "informational", string(a.Database.Informational))
	put(m, "cpe", strings.Join(a.Database.CPE, " "))
	put(m, "customRanges", compact(a.Ecosystem.Custom))
	if len(m) > 0 {
		out.Extra = m
	}
	return out
}

func (r *rangeOf) words() biopsy.Range {
	out := biopsy.Range{Type: r.Type, Repo: r.Repo}
	switch {
	case out.Type == "" && out.Repo != "":
		out.Type = "GIT"
	case out.Type == "":
		out.Type = "ECOSYSTEM"
	}
	for _, e := range r.Events {
		// An event has one field; where a record has several in one, each is an event of its own.
		for _, one := range []biopsy.Event{{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}, {Limit: e.Limit}} {
			if one != (biopsy.Event{}) {
				out.Events = append(out.Events, one)
			}
		}
	}
	return out
}

// maxNote bounds what is kept of a free-form part of a record.
const maxNote = 32 << 10

// imports writes Go's packages and symbols as "net/http.Server.Serve", and a package of which all is meant as "net/url". A part of
// another shape is none.
func imports(doc json.RawMessage) []string {
	var list []struct {
		Path    string   `json:"path"`
		Symbols []string `json:"symbols"`
	}
	if len(doc) == 0 || len(doc) > maxNote || json.Unmarshal(doc, &list) != nil {
		return nil
	}
	var out []string
	for _, p := range list {
		for _, s := range p.Symbols {
			out = append(out, p.Path+"."+s)
		}
		if len(p.Symbols) == 0 {
			out = append(out, p.Path)
		}
	}
	return out
}

// compact returns a JSON part without spaces; "" when it is too long to keep.
func compact(doc json.RawMessage) string {
	var b bytes.Buffer
	if len(doc) == 0 || len(doc) > maxNote || json.Compact(&b, doc) != nil {
		return ""
	}
	return b.String()
}
