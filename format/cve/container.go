package cve

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/biopsy-sca/biopsy"
)

// Container is what one organisation says in a record.
type Container struct {
	Provider struct {
		Name string `json:"shortName"` // "redhat", "GitHub_M", "CISA-ADP"; "" in some
	} `json:"providerMetadata"`
	Title         string          `json:"title"` // "" in most
	Descriptions  []Text          `json:"descriptions"`
	Rejected      []Text          `json:"rejectedReasons"`
	Affected      []Product       `json:"affected"`
	Applicability []Configuration `json:"cpeApplicability"`
	Problems      []struct {
		Descriptions []struct {
			CWE         string `json:"cweId"` // "" when only the description has it
			Description string `json:"description"`
		} `json:"descriptions"`
	} `json:"problemTypes"`
	Metrics    []metric    `json:"metrics"`
	References []Reference `json:"references"`
	Tags       []string    `json:"tags"`
	Source     source      `json:"source"`
}

// source is free in form; GitHub writes the id of its advisory there.
type source struct {
	Advisory word `json:"advisory"`
}

func (s *source) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	type plain source
	return json.Unmarshal(b, (*plain)(s))
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

// Text is a text in one language.
type Text struct {
	Lang  string `json:"lang"` // "en", "en-US"
	Value string `json:"value"`
}

// English returns the first text in English, the first at all when there is none, "" when there is none at all.
func English(all []Text) string {
	for _, t := range all {
		if lang := strings.ToLower(t.Lang); lang == "en" || strings.HasPrefix(lang, "en-") || strings.HasPrefix(lang, "en_") || lang == "eng" {
			return t.Value
		}
	}
	if len(all) > 0 {
		return all[0].Value
	}
	return ""
}

// words returns title and description; of a rejected record the reason.
func (c *Container) words() (summary, details string) {
	details = English(c.Descriptions)
	if details == "" {
		details = English(c.Rejected)
	}
	return orWord(c.Title, FirstSentence(details)), details
}

// maxSummary bounds a sentence that serves as title, in bytes.
const maxSummary = 160

// FirstSentence returns the beginning of a text as far as a line holds it, for records without title. "" has none.
func FirstSentence(text string) string {
	text = strings.Join(strings.Fields(text[:min(len(text), 4*maxSummary)]), " ")
	if i := strings.Index(text, ". "); i > 0 && i < maxSummary {
		return text[:i+1]
	}
	if len(text) <= maxSummary {
		return strings.ToValidUTF8(text, "")
	}
	cut := maxSummary
	if i := strings.LastIndexByte(text[:cut], ' '); i > maxSummary/2 {
		cut = i
	}
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.ToValidUTF8(text[:cut], "") + "..."
}

// Reference is a link with the words that tell what it leads to.
type Reference struct {
	URL  string   `json:"url"`
	Tags []string `json:"tags"`
}

// kinds are OSV's words for CVE's tags, which NVD writes with blanks and capitals. Of several the first of this list counts.
var kinds = []struct{ tag, kind string }{
	{"patch", "FIX"}, {"vendor-advisory", "ADVISORY"}, {"us-government-resource", "ADVISORY"}, {"government-resource", "ADVISORY"},
	{"exploit", "EVIDENCE"}, {"third-party-advisory", "ADVISORY"}, {"issue-tracking", "REPORT"}, {"mailing-list", "DISCUSSION"}, {"technical-description", "ARTICLE"}, {"press/media-coverage", "ARTICLE"},
	{"product", "PACKAGE"},
}

// words gives a link OSV's type.
func (r *Reference) words() biopsy.Reference {
	return biopsy.Reference{Type: Kind(r.URL, r.Tags), URL: r.URL}
}

// Kind is OSV's type of a link by its tags; commits of the kernel's stable tree, which its records give without tags, are fixes.
func Kind(url string, tags []string) string {
	for _, k := range kinds {
		if slices.ContainsFunc(tags, func(t string) bool { return strings.ReplaceAll(strings.ToLower(t), " ", "-") == k.tag }) {
			return k.kind
		}
	}
	if strings.HasPrefix(url, "https://git.kernel.org/stable/c/") {
		return "FIX"
	}
	return "WEB"
}

// ownRepo is the repository whose advisory the container's references name; "" when they name none, or several.
func (c *Container) ownRepo() string {
	repo := ""
	for _, r := range c.References {
		at, _, ok := strings.Cut(r.URL, "/security/advisories/GHSA-")
		if !ok || !strings.HasPrefix(at, "https://github.com/") || strings.Count(at, "/") != 4 {
			continue
		}
		if repo != "" && repo != at {
			return ""
		}
		repo = at
	}
	return repo
}

// weakness returns the CWE of a problem type, from its text where it has no field.
func weakness(id, text string) []string {
	if id == "" {
		id = text
	}
	return Weaknesses(id)
}

// Weaknesses returns "CWE-79" of a text that begins with it or names it; nil when there is none.
func Weaknesses(text string) []string {
	i := strings.Index(text, "CWE-")
	if i < 0 {
		return nil
	}
	end := i + 4
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end == i+4 {
		return nil
	}
	return []string{text[i:end]}
}

// metric is one element of "metrics": scores under a key of their version, or something else under "other".
type metric struct {
	V2    *score `json:"cvssV2_0"`
	V30   *score `json:"cvssV3_0"`
	V31   *score `json:"cvssV3_1"`
	V4    *score `json:"cvssV4_0"`
	Other *struct {
		Type    string          `json:"type"`
		Content json.RawMessage `json:"content"`
	} `json:"other"`
}

type score struct {
	Vector string `json:"vectorString"`
	Word   word   `json:"baseSeverity"`
}

// severities are the vectors of a metric, or the word where a vector is missing.
func (m *metric) severities(by string) []biopsy.Severity {
	var out []biopsy.Severity
	for _, s := range []struct {
		kind string
		*score
	}{{"CVSS_V4", m.V4}, {"CVSS_V3", m.V31}, {"CVSS_V3", m.V30}, {"CVSS_V2", m.V2}} {
		switch {
		case s.score == nil:
		case s.Vector != "":
			out = append(out, biopsy.Severity{Type: s.kind, Vector: strings.Trim(s.Vector, "() "), Source: by})
		case s.Word != "":
			out = append(out, biopsy.Severity{Type: "word", Vector: strings.ToUpper(string(s.Word)), Source: by})
		}
	}
	if w := m.rating(); w != "" {
		out = append(out, biopsy.Severity{Type: "word", Vector: w, Source: by})
	}
	return out
}

// ratings are the words that makers use for severity.
var ratings = []string{"LOW", "MODERATE", "MEDIUM", "IMPORTANT", "HIGH", "CRITICAL"}

// rating is a maker's own word, as Red Hat ("value") and Apache ("text") write it; "" when there is none.
func (m *metric) rating() string {
	if m.Other == nil {
		return ""
	}
	var c struct {
		Value word `json:"value"`
		Text  word `json:"text"`
	}
	if json.Unmarshal(m.Other.Content, &c) != nil {
		return "" // content is free: no object, no rating
	}
	w := strings.ToUpper(string(orWord(string(c.Value), string(c.Text))))
	if !slices.Contains(ratings, w) {
		return ""
	}
	return w
}

// kev is the day on which the record says that CISA listed it; "" when it says nothing.
func (m *metric) kev() string {
	if m.Other == nil || m.Other.Type != "kev" {
		return ""
	}
	var c struct {
		Added word `json:"dateAdded"`
	}
	if json.Unmarshal(m.Other.Content, &c) != nil {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, string(c.Added)); err != nil {
		return ""
	}
	return string(c.Added)
}

// SSVC is a decision as CISA writes it: options of one key each.
type SSVC struct {
	Timestamp string                       `json:"timestamp"`
	Options   []map[string]json.RawMessage `json:"options"`
}

// ssvc is the decision in a metric; zero when it holds none.
func (m *metric) ssvc() biopsy.Exploit {
	if m.Other == nil || m.Other.Type != "ssvc" {
		return biopsy.Exploit{}
	}
	var s SSVC
	if json.Unmarshal(m.Other.Content, &s) != nil {
		return biopsy.Exploit{}
	}
	return s.Exploit()
}

// Exploit writes the decision in our words. Keys are "Technical Impact" in CVE records and "technicalImpact" in NVD's; values that SSVC
// does not know are left out. It is zero without a date, or when no value is left.
func (s *SSVC) Exploit() biopsy.Exploit {
	t, err := Time(s.Timestamp)
	if err != nil || t.IsZero() {
		return biopsy.Exploit{}
	}
	e := biopsy.Exploit{SSVCDate: t.Format(time.DateOnly)}
	for _, o := range s.Options {
		for _, key := range slices.Sorted(maps.Keys(o)) {
			var v word
			if json.Unmarshal(o[key], &v) != nil {
				continue
			}
			value := strings.ToLower(string(v))
			switch strings.ToLower(strings.ReplaceAll(key, " ", "")) {
			case "exploitation":
				e.Maturity = oneOf(value, "none", "poc", "active")
			case "automatable":
				e.Automatable = oneOf(value, "yes", "no")
			case "technicalimpact":
				e.Impact = oneOf(value, "partial", "total")
			}
		}
	}
	if e.Maturity+e.Automatable+e.Impact == "" {
		return biopsy.Exploit{}
	}
	return e
}

func oneOf(value string, allowed ...string) string {
	if slices.Contains(allowed, value) {
		return value
	}
	return ""
}
