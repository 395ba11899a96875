package installed

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// tell adds what the manifest knows beyond coordinates.
func (j *jar) tell(c *biopsy.Claim) {
	m := j.manifest
	c.Supplier = first(m.main("Bundle-Vendor"), m.main("Implementation-Vendor"), m.main("Specification-Vendor"))
	c.Description = m.main("Bundle-Description")
	if u := first(m.main("Bundle-DocURL"), m.main("Implementation-URL"), m.main("Url")); strings.HasPrefix(u, "http") {
		c.Homepage = u
	}
}

// bundleLicenses reads Bundle-License (OSGi Core 8, 3.2.1.10): clauses split by ",", each with attributes behind ";".
func (j *jar) bundleLicenses() []biopsy.License {
	var ls []biopsy.License
	for _, clause := range splitClauses(j.manifest.main("Bundle-License")) {
		name, attributes, _ := strings.Cut(clause, ";")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if name == "" {
			continue
		}
		l := licence(name)
		for _, a := range strings.Split(attributes, ";") {
			if link, ok := strings.CutPrefix(strings.TrimSpace(a), "link="); ok {
				l.URL = strings.Trim(link, `"`)
			}
		}
		ls = append(ls, l)
	}
	return ls
}

// splitClauses splits at commas outside quotes.
func splitClauses(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// kind is application for what a server runs or a launcher starts together with what it carries.
func (j *jar) kind() biopsy.Kind {
	switch j.ending {
	case ".war", ".ear":
		return biopsy.Application
	case ".jar":
		if j.nested > 0 && j.manifest.main("Main-Class") != "" {
			return biopsy.Application
		}
	}
	return biopsy.Library
}

// plugin is the artifact of a Jenkins plugin, "" for everything else.
func (j *jar) plugin() string {
	if j.ending == ".jpi" || j.ending == ".hpi" {
		return first(j.manifest.main("Short-Name"), j.manifest.main("Extension-Name"))
	}
	return ""
}
