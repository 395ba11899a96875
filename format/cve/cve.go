// Package cve reads CVE records, and what other databases made of their parts.
//
// What comes in: documents of the CVE Record Format 5.0 to 5.2 (2025-12) and the lists of versions and configurations inside, which
// NVD 2.0 hands on. What goes out: advisories, affected packages, SSVC decisions. It will never guess a package by a product's name.
//
// # Under which name a product is told
//
// A package of a known collection (or purl) is of its ecosystem. CPE names are of ecosystem CPE. Linux of vendor Linux is
// Linux/Kernel. A repository is GIT, with ranges of commits and of versions. A product that gives none of the first two is Product
// "vendor:product", and Upstream only where its repository, or vendor and product together, are known to be a project's; "n/a" is
// nothing. Red Hat's products are its streams.
package cve

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// Record is a CVE record, as far as it is kept.
type Record struct {
	Metadata struct {
		ID        string `json:"cveId"`
		State     string `json:"state"` // PUBLISHED, REJECTED
		Assigner  string `json:"assignerShortName"`
		Published string `json:"datePublished"`
		Updated   string `json:"dateUpdated"`
		Rejected  string `json:"dateRejected"`
	} `json:"cveMetadata"`
	Containers struct {
		CNA Container   `json:"cna"`
		ADP []Container `json:"adp"` // CISA's enrichment among them
	} `json:"containers"`
}

// Reading is what a record comes to.
type Reading struct {
	Advisory biopsy.Advisory // without Source
	Exploit  biopsy.Exploit  // CISA's SSVC decision; zero when there is none
	Synonyms []biopsy.Synonym
	Bad      []string // parts that were left out, and why
}

// Decode reads one document. The error is of a document that is no CVE record, or whose id or dates are impossible.
func Decode(doc []byte, names Names) (Reading, error) {
	var r Record
	err := json.Unmarshal(doc, &r)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return Reading{}, fmt.Errorf("not a CVE record: at byte %d: %w", syntax.Offset, err)
	}
	if err != nil {
		return Reading{}, fmt.Errorf("not a CVE record: %w", err)
	}
	if !IsID(r.Metadata.ID) {
		return Reading{}, fmt.Errorf("not a CVE record: cveId is %.40q", r.Metadata.ID)
	}
	return r.read(names)
}

// IsID says whether s is CVE-YEAR-NUMBER as the CVE Record Format has it.
func IsID(s string) bool {
	year, n, ok := strings.Cut(strings.TrimPrefix(s, "CVE-"), "-")
	return ok && strings.HasPrefix(s, "CVE-") && len(year) == 4 && len(n) >= 4 && len(n) <= 19 && strings.Trim(year+n, "0123456789") == ""
}

func (r *Record) read(names Names) (Reading, error) {
	m := &r.Metadata
	out := Reading{Advisory: biopsy.Advisory{ID: m.ID}}
	a := &out.Advisory
	rejected := time.Time{}
	for _, d := range []struct {
		name, text string
		to         *time.Time
	}{{"datePublished", m.Published, &a.Published}, {"dateUpdated", m.Updated, &a.Modified}, {"dateRejected", m.Rejected, &rejected}} {
		t, err := Time(d.text)
		if err != nil {
			return out, fmt.Errorf("%s: %s: %w", m.ID, d.name, err)
		}
		*d.to = t
	}
	cna := &r.Containers.CNA
	a.Summary, a.Details = cna.words()
	if m.State == "REJECTED" {
		a.Withdrawn = firstOf(rejected, a.Modified, a.Published, yearOf(m.ID))
	}
	a.Extra = r.extra()
	if id := string(cna.Source.Advisory); m.Assigner == "GitHub_M" && strings.HasPrefix(id, "GHSA-") {
		a.Aliases = []string{id}
	}
	if !a.Withdrawn.IsZero() {
		return out, nil
	}
	out.take(cna, names)
	for i := range r.Containers.ADP {
		out.take(&r.Containers.ADP[i], names)
	}
	a.Affected = Tidy(a.Affected)
	return out, nil
}

// take adds what one container says.
func (out *Reading) take(c *Container, names Names) {
	a := &out.Advisory
	by := c.Provider.Name
	repo := c.ownRepo()
	for i := range c.Affected {
		if p := &c.Affected[i]; p.Repo == "" && repo != "" && strings.EqualFold(repo[strings.LastIndexByte(repo, '/')+1:], p.Product) {
			p.Repo = repo
		}
	}
	s := Products(c.Affected, by, names)
	s.Add(Configured(c.Applicability, by))
	a.Affected, out.Synonyms, out.Bad = append(a.Affected, s.Affected...), append(out.Synonyms, s.Synonyms...), append(out.Bad, s.Bad...)
	for i := range c.Metrics {
		a.Severity = append(a.Severity, c.Metrics[i].severities(by)...)
		if e := c.Metrics[i].ssvc(); e.SSVCDate > out.Exploit.SSVCDate {
			out.Exploit = e
		}
	}
	for _, r := range c.References {
		if ref := r.words(); !slices.ContainsFunc(a.References, func(o biopsy.Reference) bool { return o.URL == ref.URL }) {
			a.References = append(a.References, ref)
		}
	}
}

// extra gathers "cwe", "tags" ("disputed", "unsupported-when-assigned"), "assigner" and "kev", the day CISA listed it by the record.
func (r *Record) extra() map[string]string {
	m := map[string]string{}
	var cwe, tags []string
	for _, c := range append([]Container{r.Containers.CNA}, r.Containers.ADP...) {
		for _, p := range c.Problems {
			for _, d := range p.Descriptions {
				cwe = append(cwe, weakness(d.CWE, d.Description)...)
			}
		}
		tags = append(tags, c.Tags...)
		for i := range c.Metrics {
			if day := c.Metrics[i].kev(); day != "" {
				m["kev"] = day
			}
		}
	}
	for key, list := range map[string][]string{"cwe": cwe, "tags": tags, "assigner": {r.Metadata.Assigner}} {
		slices.Sort(list)
		if s := strings.Join(slices.Compact(list), ","); s != "" {
			m[key] = s
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// Time reads a time of a CVE or NVD record: RFC 3339, or without zone, which is UTC. "" is no time; one before the first CVE or far
// ahead is none either, and an error.
func Time(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			if t.Year() < 1980 || t.Year() > 2200 {
				break
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time", s)
}

// yearOf is the first day of the year in a CVE id: a rejected record without any date is withdrawn all the same.
func yearOf(id string) time.Time {
	t, err := time.Parse("2006", id[4:8])
	if err != nil {
		return time.Unix(0, 0).UTC() // a year such as 0000
	}
	return t
}

func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// Tidy joins what a record's products say apart, and drops what is said twice: CISA repeats many makers' products with their CPE.
func Tidy(all []biopsy.Affected) []biopsy.Affected { return withoutDoubles(oneKernel(all)) }

// oneKernel moves the kernel's ranges of commits, which its records list as a product of their own, to the product with versions of the
// same provider: an entry of commits alone would leave every version undecided. Where there is none they stand under the repository.
func oneKernel(all []biopsy.Affected) []biopsy.Affected {
	home := slices.IndexFunc(all, func(a biopsy.Affected) bool { return isKernel(&a) && !commitsOnly(&a) })
	var out []biopsy.Affected
	for i, a := range all {
		switch {
		case !isKernel(&a) || !commitsOnly(&a):
			out = append(out, a)
		case home >= 0:
			h := &all[home]
			h.Ranges = slices.Concat(h.Ranges, a.Ranges)
			h.Files = union(h.Files, a.Files)
			if i > home {
				out[slices.IndexFunc(out, func(o biopsy.Affected) bool { return isKernel(&o) && !commitsOnly(&o) })] = *h
			}
		default:
			if a.Ecosystem, a.Name = "GIT", repoName(a.Ranges[0].Repo); a.Name != "" {
				out = append(out, a)
			}
		}
	}
	return out
}

func isKernel(a *biopsy.Affected) bool { return a.Ecosystem == "Linux" && a.Name == "Kernel" }

func commitsOnly(a *biopsy.Affected) bool {
	return len(a.Ranges) > 0 && len(a.Versions) == 0 && !slices.ContainsFunc(a.Ranges, func(r biopsy.Range) bool { return r.Type != "GIT" })
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// withoutDoubles drops entries that say what one before them says.
func withoutDoubles(all []biopsy.Affected) []biopsy.Affected {
	if len(all) > 500 {
		return all // comparing all with all would take longer than reading them twice
	}
	var out []biopsy.Affected
	for i := range all {
		if !slices.ContainsFunc(out, func(b biopsy.Affected) bool { return sameWords(&all[i], &b) }) {
			out = append(out, all[i])
		}
	}
	return out
}

func sameWords(a, b *biopsy.Affected) bool {
	return a.Ecosystem == b.Ecosystem && a.Name == b.Name && a.CPE == b.CPE && a.Status == b.Status && a.Why == b.Why &&
		slices.Equal(a.Versions, b.Versions) && slices.Equal(a.Platforms, b.Platforms) && slices.Equal(a.Files, b.Files) && slices.Equal(a.Symbols, b.Symbols) &&
		a.Extra["except"] == b.Extra["except"] && slices.EqualFunc(a.Ranges, b.Ranges, sameRange)
}

func sameRange(a, b biopsy.Range) bool {
	return a.Type == b.Type && a.Repo == b.Repo && slices.Equal(a.Events, b.Events)
}
