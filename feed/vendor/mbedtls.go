package vendor

import (
	"bytes"
	"errors"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// mbedtls: security-advisories/*.md of github.com/Mbed-TLS/mbedtls-docs, one advisory a file, of one or more holes, each with a table of
// "**Title** | ...", "**CVE** | ...", "**Affects** | ...". Versions stand in sentences, which versions.go understands.
var mbedtls = form{"mbedtls", func(name string, head []byte) bool {
	return path.Ext(name) == ".md" && bytes.Contains(head, []byte("**Affects**")) && product.Match(head)
}, readMbedTLS}

// row is a line of the table.
var row = regexp.MustCompile(`^\*\*([A-Z][A-Za-z ]*)\*\* *\|(.*)$`)

// hole is one table and the sections behind it.
type hole struct {
	rows       map[string]string
	resolution strings.Builder
}

func readMbedTLS(s *source) error {
	holes := mbedHoles(s.doc)
	if len(holes) == 0 {
		s.bad("", errors.New("an advisory without a table"))
	}
	base := strings.ToUpper(strings.TrimSuffix(path.Base(s.name), ".md"))
	base = strings.NewReplacer("MBEDTLS-SECURITY-ADVISORY-", "", "POLARSSL-SECURITY-ADVISORY-", "POLARSSL-").Replace(base)
	for i, h := range holes {
		id := "MBEDTLS-" + base
		if i > 0 {
			id += "/" + string(rune('1'+min(i, 8)))
		}
		for _, a := range h.advisories(id, path.Base(s.name)) {
			if err := s.give(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func mbedHoles(doc []byte) []*hole {
	var out []*hole
	section := ""
	for line := range strings.Lines(string(doc)) {
		line = strings.TrimRight(line, " \r\n")
		if m := row.FindStringSubmatch(line); m != nil {
			if m[1] == "Title" || len(out) == 0 {
				out = append(out, &hole{rows: map[string]string{}})
			}
			if h := out[len(out)-1]; h.rows[m[1]] == "" {
				h.rows[m[1]] = strings.TrimSpace(m[2])
			}
			continue
		}
		if heading, ok := strings.CutPrefix(line, "#"); ok {
			section = strings.ToLower(strings.TrimLeft(heading, "# "))
		} else if strings.HasPrefix(section, "resolution") && len(out) > 0 {
			out[len(out)-1].resolution.WriteString(line + "\n")
		}
	}
	return out
}

var cveID = regexp.MustCompile(`CVE-\d{4}-\d{4,}`)

// advisories makes one record of each CVE, or one under the makers' own number.
func (h *hole) advisories(id, file string) []biopsy.Advisory {
	a := biopsy.Advisory{ID: id, Summary: h.rows["Title"], Severity: word(h.rows["Severity"], "mbedtls"), Affected: h.affected()}
	a.Published, a.Modified = mbedDates(h.rows["Date"])
	a.References = []biopsy.Reference{{Type: "ADVISORY", URL: "https://mbed-tls.readthedocs.io/en/latest/security-advisories/" + strings.TrimSuffix(file, ".md") + "/"}}
	a.Summary = strings.ReplaceAll(a.Summary, "<br>", " ")
	var out []biopsy.Advisory
	for _, cve := range cveID.FindAllString(h.rows["CVE"], -1) {
		a.ID, a.Aliases = "MBEDTLS-"+cve, []string{cve}
		out = append(out, a)
	}
	if len(out) == 0 {
		return []biopsy.Advisory{a}
	}
	return out
}

// affected gives each product its ranges. What cannot be understood is undetermined, in the makers' words.
func (h *hole) affected() []biopsy.Affected {
	says := "the advisory says: " + strings.Join(strings.Fields(markup.ReplaceAllString(h.rows["Affects"], " ")), " ")
	spans, ok := affects(plainText(h.rows["Affects"]))
	mended := goods(plainText(h.rows["Not affected"]))
	for name, list := range upgrades(plainText(h.resolution.String())) {
		mended[name] = append(mended[name], list...)
	}
	if !ok {
		return []biopsy.Affected{{Ecosystem: "Upstream", Name: "mbedtls", Status: biopsy.Undetermined, Why: says}}
	}
	var out []biopsy.Affected
	for _, name := range products {
		list := spans[name]
		if len(list) == 0 {
			continue
		}
		af := biopsy.Affected{Ecosystem: "Upstream", Name: name, Ranges: branched(list, mended[name])}
		if list[0].from == never {
			af.Ranges, af.Status, af.Why = nil, biopsy.NotAffected, says
		}
		if len(mended[name]) == 0 && list[0].from == "0" && list[0].ending() == "" {
			af.Why = "the advisory names no version that mends it"
		}
		out = append(out, af)
	}
	return out
}

// dateWords are what stands in dates beside day, month and year: "7th of July, 2026".
var dateWords = regexp.MustCompile(`(\d)(?:st|nd|rd|th)\b|\bof\b|,`)

// mbedDates reads "5th of October 2015 ( **Updated on 8th of October 2015** )" and "2022-07-11"; zero for what is no date.
func mbedDates(text string) (published, modified time.Time) {
	first, second, _ := strings.Cut(text, "(")
	published = mbedDate(first)
	second = strings.NewReplacer("*", "", ")", "", "Updated on", "").Replace(second)
	if modified = mbedDate(second); modified.IsZero() {
		modified = published
	}
	return published, modified
}

func mbedDate(s string) time.Time {
	s = strings.Join(strings.Fields(dateWords.ReplaceAllString(s, "$1")), " ")
	for _, form := range []string{"2 January 2006", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
