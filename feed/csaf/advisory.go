package csaf

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/csaf"
)

// notice is a document that becomes advisories.
type notice struct {
	*csaf.Document
	products *csaf.Products
	source   string // "csaf/cisa"
}

// advisories makes a record of each vulnerability.
//
// A document with one vulnerability gives its id to the record. One with several is a notice about several holes: its records are called
// by document and CVE ("ICSMA-17-017-02-CVE-2016-8375") and name both as upstream, so that either finds them. A document that is called
// by its CVE alone, as VEX files are, has its publisher put before: others write about the same CVE.
func advisories(d *csaf.Document) ([]biopsy.Advisory, error) {
	n := &notice{Document: d, products: d.Products(), source: "csaf/" + speaker(d)}
	published, err := day("initial_release_date", d.Document.Tracking.Initial)
	if err != nil {
		return nil, err
	}
	modified, err := day("current_release_date", d.Document.Tracking.Current)
	if err != nil {
		return nil, err
	}
	var out []biopsy.Advisory
	for i := range d.Vulnerabilities {
		a := n.advisory(i)
		a.Published, a.Modified = published, modified
		switch d.Document.Category {
		case csaf.Withdrawn, csaf.Superseded:
			a.Withdrawn = modified
		}
		out = append(out, a)
	}
	if n.products.Exhausted() {
		return nil, errors.New("product groups are named in too many places")
	}
	return out, nil
}

func day(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.ToUpper(s))
	if err != nil {
		return t, fmt.Errorf("%s %.40q is not a time", field, s)
	}
	return t.UTC(), nil
}

// speaker is a publisher in a word, from the host of its namespace: "https://www.cisa.gov/" is "cisa", "https://psirt.bosch.com" is
// "bosch"; its name when the namespace has none.
func speaker(d *csaf.Document) string {
	host := d.Document.Publisher.Namespace
	if u, err := url.Parse(strings.TrimSpace(host)); err == nil && u.Host != "" {
		host = u.Hostname()
	}
	labels := strings.Split(strings.ToLower(host), ".")
	labels = slices.DeleteFunc(labels, func(l string) bool { return l == "" || strings.ContainsAny(l, "/: ") })
	i := len(labels) - 2
	if i > 0 && slices.Contains([]string{"co", "com", "org", "gov", "ac", "gob", "or", "ne", "go", "gouv", "govt", "bund"}, labels[i]) {
		i--
	}
	if i < 0 {
		return strings.Join(strings.Fields(strings.ToLower(d.Document.Publisher.Name)), "-")
	}
	return labels[i]
}

func (n *notice) advisory(i int) biopsy.Advisory {
	v := &n.Vulnerabilities[i]
	a := biopsy.Advisory{Source: n.source, Summary: n.summary(v), Details: n.details(v), References: n.references(v), Extra: n.extra(v)}
	n.identify(&a, i)
	s := &statement{notice: n, v: v}
	s.read()
	a.Affected = s.affected()
	a.Severity = s.severities(a.Affected)
	if len(s.common) > 0 {
		a.Extra["remediation"] = strings.Join(s.common, "\n")
	}
	return a
}

// identify sets id, aliases and upstream.
func (n *notice) identify(a *biopsy.Advisory, i int) {
	v, document := &n.Vulnerabilities[i], strings.TrimSpace(n.Document.Document.Tracking.ID)
	cve := strings.TrimSpace(v.CVE)
	if !isCVE(cve) {
		cve = ""
	}
	a.ID = document
	if isCVE(document) {
		a.ID = strings.ToUpper(strings.TrimPrefix(n.source, "csaf/")) + "-" + document
	}
	if cve != "" {
		a.Upstream = append(a.Upstream, cve)
	}
	for _, id := range v.IDs[:min(len(v.IDs), maxIDs)] {
		text := strings.TrimSpace(id.Text)
		if len(text) < 64 && (isCVE(text) || strings.HasPrefix(text, "GHSA-")) && !strings.ContainsAny(text, " \t/") && !slices.Contains(a.Upstream, text) {
			a.Upstream = append(a.Upstream, text)
		}
	}
	if len(n.Vulnerabilities) > 1 {
		if cve != "" {
			a.ID += "-" + cve
		} else {
			a.ID += fmt.Sprintf("-%d", i+1)
		}
		a.Upstream = append(a.Upstream, document)
	}
}

func isCVE(s string) bool {
	rest, ok := strings.CutPrefix(s, "CVE-")
	year, number, ok2 := strings.Cut(rest, "-")
	return ok && ok2 && len(year) == 4 && number != "" && strings.Trim(year+number, "0123456789") == ""
}

// Bounds of what is kept of words.
const (
	maxSummary     = 300
	maxDetails     = 16 << 10
	maxRemediation = 6 << 10
	maxReferences  = 50
	maxIDs         = 50
	maxNotes       = 50
	maxSeverities  = 50
)

// summary is the vulnerability's title, else a short note that sums it up, else the document's title with the weakness.
func (n *notice) summary(v *csaf.Vulnerability) string {
	if t := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(v.Title), v.CVE)); t != "" && !isWeakness(v, t) {
		return cut(t, maxSummary)
	}
	for _, note := range v.Notes {
		if t := strings.TrimSpace(note.Text); note.Category == "summary" && len(t) < 160 && !strings.Contains(t, "\n") {
			return t
		}
	}
	title := strings.TrimSpace(n.Document.Document.Title)
	// CISA put the id in front of early titles: "ICSMA-17-009-01A_St. Jude Merlin@home".
	if _, rest, ok := strings.Cut(title, "_"); ok && strings.HasPrefix(strings.ToUpper(title), strings.ToUpper(n.Document.Document.Tracking.ID)) {
		title = rest
	}
	if v.CWE != nil && v.CWE.Name != "" {
		title += ": " + v.CWE.Name
	}
	return cut(title, maxSummary)
}

// isWeakness says whether a title only repeats the weakness.
func isWeakness(v *csaf.Vulnerability, title string) bool {
	return v.CWE != nil && (strings.EqualFold(title, v.CWE.Name) || strings.HasPrefix(strings.ToUpper(title), v.CWE.ID))
}

// cut shortens a text between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit] + "..."
}

// details are the notes that describe the vulnerability, the document's when it has none.
func (n *notice) details(v *csaf.Vulnerability) string {
	var out []string
	take := func(notes []csaf.Note) {
		for _, note := range notes[:min(len(notes), maxNotes)] {
			switch note.Category {
			case "description", "details", "summary":
				if t := strings.TrimSpace(note.Text); t != "" && !slices.Contains(out, t) {
					out = append(out, t)
				}
			}
		}
	}
	if take(v.Notes); len(out) == 0 {
		take(n.Document.Document.Notes)
	}
	return cut(strings.Join(out, "\n\n"), maxDetails)
}

// references are those of the vulnerability and the document, the publisher's own and fixes first.
func (n *notice) references(v *csaf.Vulnerability) []biopsy.Reference {
	var advisory, fixes, rest []biopsy.Reference
	seen := map[string]bool{}
	add := func(list *[]biopsy.Reference, kind, link string) {
		if link = strings.TrimSpace(link); !seen[link] && (strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")) {
			seen[link] = true
			*list = append(*list, biopsy.Reference{Type: kind, URL: link})
		}
	}
	own := n.Document.Document.References
	for _, r := range own {
		if r.Category == "self" && !strings.HasSuffix(r.URL, ".json") {
			add(&advisory, "ADVISORY", r.URL)
		}
	}
	for _, r := range v.Remediations {
		if r.Category == csaf.VendorFix {
			add(&fixes, "FIX", r.URL)
		}
	}
	for _, r := range slices.Concat(v.References, own) {
		if !isBoilerplate(&r) {
			add(&rest, "WEB", r.URL)
		}
	}
	all := slices.Concat(advisory, fixes, rest)
	return all[:min(len(all), maxReferences)]
}

// isBoilerplate knows links that CISA adds to every document, and those to calculators of scores.
func isBoilerplate(r *csaf.Reference) bool {
	return r.Summary == "Recommended Practices" || strings.Contains(r.URL, "first.org/cvss/calculator/") || strings.Contains(r.URL, "/vuln-metrics/cvss/")
}

// extra is never nil.
func (n *notice) extra(v *csaf.Vulnerability) map[string]string {
	m := map[string]string{}
	put := func(key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			m[key] = value
		}
	}
	d := &n.Document.Document
	put("document", d.Tracking.ID)
	put("title", cut(d.Title, maxSummary))
	put("publisher", d.Publisher.Name)
	if d.Tracking.Status != "final" {
		put("status", d.Tracking.Status)
	}
	if d.Distribution != nil && d.Distribution.TLP != nil && !isPublic(d.Distribution.TLP.Label) {
		put("tlp", d.Distribution.TLP.Label)
	}
	var cwes []string
	if v.CWE != nil {
		cwes = append(cwes, v.CWE.ID)
	}
	for _, w := range v.CWEs {
		cwes = append(cwes, w.ID)
	}
	put("cwe", strings.Join(cwes, ","))
	for _, t := range v.Threats {
		if t.Category == "exploit_status" && m["exploit"] == "" {
			put("exploit", cut(t.Details, maxSummary))
		}
	}
	return m
}

// isPublic knows the labels of TLP that all may read.
func isPublic(label string) bool {
	switch strings.ToUpper(label) {
	case "WHITE", "CLEAR", "UNLABELED", "":
		return true
	}
	return false
}
