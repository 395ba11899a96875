package ubuntu

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// vex is one of Canonical's documents: OpenVEX statements under a header of their own shape.
type vex struct {
	Metadata struct {
		ID        string `json:"@id"`
		Timestamp string `json:"timestamp"`
	} `json:"metadata"`
	Statements []statement `json:"statements"`
}

type statement struct {
	Vulnerability struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"vulnerability"`
	Timestamp string `json:"timestamp"`
	Products  []struct {
		ID string `json:"@id"`
	} `json:"products"`
	Status        string `json:"status"`
	Notes         string `json:"status_notes"`
	Justification string `json:"justification"`
	Impact        string `json:"impact_statement"`
	Action        string `json:"action_statement"`
}

// vexAdvisory reads one document; nil for those of notices, whose fixes the documents of their CVEs have, too.
func vexAdvisory(doc []byte) (*biopsy.Advisory, error) {
	var d vex
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("not an OpenVEX document: %w", err)
	}
	if strings.Contains(d.Metadata.ID, "/usn/") || len(d.Statements) == 0 {
		return nil, nil
	}
	first := &d.Statements[0]
	cve := first.Vulnerability.Name
	if !strings.HasPrefix(cve, "CVE-") {
		return nil, fmt.Errorf("vulnerability %.40q is no CVE", cve)
	}
	a := &biopsy.Advisory{
		ID: "UBUNTU-" + cve, Upstream: []string{cve}, Source: "ubuntu/vex", Details: first.Vulnerability.Description,
		References: []biopsy.Reference{{Type: "ADVISORY", URL: "https://ubuntu.com/security/" + cve}},
	}
	a.Modified, _ = readTime(strings.SplitN(d.Metadata.Timestamp, ".", 2)[0])
	a.Published, _ = readTime(first.Timestamp)
	var all []verdict
	sources := 0
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Vulnerability.Name != cve {
			return nil, fmt.Errorf("statements about both %s and %.40q", cve, s.Vulnerability.Name)
		}
		for _, p := range s.Products {
			pkg, version, release, ok := source(p.ID)
			if !ok {
				continue
			}
			sources++
			if at, ok := placeOf(release); ok && s.Justification != "component_not_present" {
				v := verdict{place: at, pkg: pkg, version: version}
				if !s.decide(&v) {
					return nil, fmt.Errorf("%s: %.40q is no status", cve, s.Status)
				}
				all = append(all, v)
			}
		}
	}
	if sources == 0 {
		return nil, fmt.Errorf("%s: no product says its release", cve)
	}
	a.Affected = packages(all)
	return a, nil
}

// decide turns a statement into a verdict, after Canonical's table of the two; false when its status is none of OpenVEX.
func (s *statement) decide(v *verdict) bool {
	if s.Status != "fixed" {
		v.version = "" // that is the one in the archive
	}
	v.why = strings.ReplaceAll(s.Status, "_", " ")
	for _, more := range []string{s.Justification, s.Impact, s.Notes, s.Action} {
		if more != "" {
			v.why += ": " + more
		}
	}
	switch s.Status {
	case "fixed":
		v.kind = released
	case "not_affected":
		v.kind = notAffected
	case "affected":
		v.kind = needed
		if strings.Contains(s.Action, "not fix") {
			v.kind = ignored
		}
	case "under_investigation":
		v.kind = untriaged
		if strings.Contains(s.Notes, "deferred") {
			v.kind = deferred
		}
	default:
		return false
	}
	return true
}

// source reads "pkg:deb/ubuntu/ansible@2.5.1+dfsg-1?arch=src?distro=esm-apps/bionic", with a second "?" where purls have "&"; false for
// binary packages, which repeat what is said of their source without its release.
func source(purl string) (pkg, version, release string, ok bool) {
	rest, ok := strings.CutPrefix(purl, "pkg:deb/ubuntu/")
	path, qualifiers, two := strings.Cut(rest, "?")
	if !ok || !two || len(purl) > 1<<10 {
		return "", "", "", false
	}
	arch := ""
	for _, q := range strings.FieldsFunc(qualifiers, func(r rune) bool { return r == '?' || r == '&' }) {
		key, value, _ := strings.Cut(q, "=")
		switch key {
		case "arch":
			arch = value
		case "distro":
			release = plain(value)
		}
	}
	if arch != "src" && arch != "source" || release == "" {
		return "", "", "", false
	}
	pkg, version, _ = strings.Cut(path, "@")
	return plain(pkg), plain(version), release, pkg != ""
}

// plain undoes percent-encoding; text that is not so encoded stays.
func plain(s string) string {
	if p, err := url.PathUnescape(s); err == nil {
		return p
	}
	return s
}
