package nvd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cve"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
)

// element is one element of "vulnerabilities", as far as it is kept. What NVD copies of CISA's catalogue ("cisaExploitAdd") is left to
// the feed of that.
type element struct {
	CVE struct {
		ID           string     `json:"id"`
		Published    string     `json:"published"`
		Modified     string     `json:"lastModified"`
		Status       string     `json:"vulnStatus"` // "Analyzed", "Deferred", "Rejected", ...
		Descriptions []cve.Text `json:"descriptions"`
		Metrics      metrics    `json:"metrics"`
		Weaknesses   []struct {
			Description []cve.Text `json:"description"`
		} `json:"weaknesses"`
		Configurations []cve.Configuration `json:"configurations"`
		Affected       []struct {          // since 2026-06: what the CVE record says
			Source string        `json:"source"`
			Data   []cve.Product `json:"affectedData"`
		} `json:"affected"`
		References []cve.Reference `json:"references"`
		Tags       []struct {
			Tags []string `json:"tags"`
		} `json:"cveTags"`
	} `json:"cve"`
}

// metrics are scores by version, and CISA's decision.
type metrics struct {
	V40  []scored `json:"cvssMetricV40"`
	V31  []scored `json:"cvssMetricV31"`
	V30  []scored `json:"cvssMetricV30"`
	V2   []scored `json:"cvssMetricV2"`
	SSVC []struct {
		Data cve.SSVC `json:"ssvcData"`
	} `json:"ssvcV203"`
}

// scored is a vector and who gave it.
type scored struct {
	Source string `json:"source"` // "nvd@nist.gov", a maker's address, or the number of an organisation
	Type   string `json:"type"`   // "Primary": NVD's own, or adopted by it; "Secondary"
	Data   struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

// cisa is the number under which CISA's enrichment appears as source.
const cisa = "134c704f-9b21-4f2e-91b3-4a467353bcc0"

// reading is what an element comes to.
type reading struct {
	advisory biopsy.Advisory
	exploit  biopsy.Exploit // zero when there is none
	synonyms []biopsy.Synonym
	bad      []string
}

// decode reads one element. The error is of one that is no record, or whose id or dates are impossible.
func decode(doc []byte) (reading, error) {
	var e element
	err := json.Unmarshal(doc, &e)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return reading{}, fmt.Errorf("at byte %d: %w", syntax.Offset, err)
	}
	if err != nil {
		return reading{}, err
	}
	if !cve.IsID(e.CVE.ID) {
		return reading{}, fmt.Errorf("id is %.40q", e.CVE.ID)
	}
	return e.read()
}

func (e *element) read() (reading, error) {
	c := &e.CVE
	out := reading{advisory: biopsy.Advisory{ID: c.ID, Source: "nvd"}}
	a := &out.advisory
	var err error
	if a.Published, err = cve.Time(c.Published); err != nil {
		return out, fmt.Errorf("%s: published: %w", c.ID, err)
	}
	if a.Modified, err = cve.Time(c.Modified); err != nil {
		return out, fmt.Errorf("%s: lastModified: %w", c.ID, err)
	}
	a.Details = cve.English(c.Descriptions)
	a.Summary = cve.FirstSentence(a.Details)
	a.Extra = e.extra()
	if c.Status == "Rejected" {
		a.Withdrawn = withdrawn(a)
		return out, nil
	}
	a.Severity = c.Metrics.severities()
	for _, r := range c.References {
		ref := biopsy.Reference{Type: cve.Kind(r.URL, r.Tags), URL: r.URL}
		if !slices.ContainsFunc(a.References, func(o biopsy.Reference) bool { return o.URL == ref.URL }) {
			a.References = append(a.References, ref)
		}
	}
	s := cve.Configured(c.Configurations, "")
	for i := range c.Affected {
		s.Add(cve.Products(c.Affected[i].Data, organisation(c.Affected[i].Source), builtin.Upstream))
	}
	a.Affected, out.synonyms, out.bad = cve.Tidy(s.Affected), s.Synonyms, s.Bad
	for i := range c.Metrics.SSVC {
		if x := c.Metrics.SSVC[i].Data.Exploit(); x.SSVCDate > out.exploit.SSVCDate {
			out.exploit = x
		}
	}
	return out, nil
}

// withdrawn is the day of a rejected record's last change; NVD says no other.
func withdrawn(a *biopsy.Advisory) time.Time {
	switch {
	case !a.Modified.IsZero():
		return a.Modified
	case !a.Published.IsZero():
		return a.Published
	}
	return time.Unix(0, 0).UTC()
}

// extra is "cwe", "tags", and "status" for what NVD has not analysed: "Deferred" it never will.
func (e *element) extra() map[string]string {
	m := map[string]string{}
	var cwe, tags []string
	for _, w := range e.CVE.Weaknesses {
		for _, d := range w.Description {
			cwe = append(cwe, cve.Weaknesses(d.Value)...)
		}
	}
	for _, t := range e.CVE.Tags {
		tags = append(tags, t.Tags...)
	}
	put := func(key string, list []string) {
		slices.Sort(list)
		if s := strings.Join(slices.Compact(list), ","); s != "" {
			m[key] = s
		}
	}
	put("cwe", cwe)
	put("tags", tags)
	if s := e.CVE.Status; s != "" && s != "Analyzed" && s != "Modified" {
		m["status"] = s
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// severities are all vectors, those that NVD calls primary first.
func (m *metrics) severities() []biopsy.Severity {
	var first, second []biopsy.Severity
	for _, group := range []struct {
		kind string
		list []scored
	}{{"CVSS_V4", m.V40}, {"CVSS_V3", m.V31}, {"CVSS_V3", m.V30}, {"CVSS_V2", m.V2}} {
		for _, s := range group.list {
			list := &second
			if s.Type == "Primary" {
				list = &first
			}
			v := biopsy.Severity{Type: group.kind, Vector: strings.Trim(s.Data.Vector, "() "), Source: organisation(s.Source)}
			if v.Vector != "" && !slices.Contains(*list, v) {
				*list = append(*list, v)
			}
		}
	}
	return append(first, second...)
}

// organisation names the one organisation that has no address in NVD.
func organisation(source string) string {
	if source == cisa {
		return "CISA-ADP"
	}
	return source
}
