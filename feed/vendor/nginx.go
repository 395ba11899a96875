package vendor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// nginx: xml/en/security_advisories.xml of github.com/nginx/nginx.org, from which the page of advisories is made.
var nginx = form{"nginx", func(_ string, head []byte) bool {
	return bytes.Contains(head, []byte(`name="nginx security advisories"`))
}, readNginx}

// nginxItem is one hole.
type nginxItem struct {
	Name       string `xml:"name,attr"`
	Severity   string `xml:"severity,attr"` // "major", "medium", "low", "minor", "none"
	Advisory   string `xml:"advisory,attr"` // address; "" when there is none
	CVE        string `xml:"cve,attr"`      // "2026-42533"; "" in one
	Core       string `xml:"core,attr"`     // id of Core Security, of that one
	Good       string `xml:"good,attr"`     // "1.31.3+, 1.30.4+", "none"
	Vulnerable string `xml:"vulnerable,attr"`
}

func readNginx(s *source) error {
	d := xml.NewDecoder(bytes.NewReader(s.doc))
	d.Strict, d.Entity = false, xml.HTMLEntity
	var page struct {
		Lists []struct {
			Items []nginxItem `xml:"item"`
		} `xml:"section>security"`
	}
	if err := d.Decode(&page); err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	for _, l := range page.Lists {
		for _, item := range l.Items {
			a, err := item.advisory()
			if err != nil {
				s.bad(item.Name, err)
				continue
			}
			if err := s.give(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *nginxItem) advisory() (biopsy.Advisory, error) {
	a := biopsy.Advisory{Summary: n.Name, Severity: word(n.Severity, "nginx")}
	switch {
	case n.CVE != "":
		a.ID, a.Aliases = "NGINX-CVE-"+n.CVE, []string{"CVE-" + n.CVE}
	case n.Core != "":
		a.ID, a.Aliases = "NGINX-"+n.Core, []string{n.Core}
	default:
		return a, errors.New("no id")
	}
	if n.Advisory != "" {
		a.References = []biopsy.Reference{{Type: "ADVISORY", URL: n.Advisory}}
	}
	af := biopsy.Affected{Ecosystem: "Upstream", Name: "nginx"}
	list, windows, err := nginxVersions(n.Vulnerable)
	if err != nil {
		return a, err
	}
	if windows {
		af.Platforms = []string{"windows"}
	}
	var fixes []string
	for _, g := range strings.Split(n.Good, ",") {
		if v, ok := strings.CutSuffix(strings.TrimSpace(g), "+"); ok && valid(v) {
			fixes = append(fixes, v)
		}
	}
	af.Ranges = branched(list, fixes)
	if len(fixes) == 0 {
		af.Status, af.Why = biopsy.WillNotFix, "good: "+n.Good
	}
	a.Affected = []biopsy.Affected{af}
	return a, nil
}

// nginxSpan is "0.9.6-1.31.2" or "1.25.3".
var nginxSpan = regexp.MustCompile(`^(nginx/Windows )?(\d+(?:\.\d+)+)(?:-(\d+(?:\.\d+)+))?$`)

// nginxVersions reads "1.1.4-1.2.8, 1.3.9-1.4.0", "nginx/Windows 0.7.52-0.8.39" and "all".
func nginxVersions(text string) (list []interval, windows bool, err error) {
	if text == "all" {
		return []interval{{from: "0"}}, false, nil
	}
	for _, part := range strings.Split(text, ",") {
		m := nginxSpan.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return nil, false, fmt.Errorf("vulnerable %.80q is no list of versions", text)
		}
		iv := interval{from: m[2], last: m[3]}
		if iv.last == "" {
			iv.last = iv.from
		}
		list, windows = append(list, iv), windows || m[1] != ""
	}
	return list, windows, nil
}
