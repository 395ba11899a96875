package csaf

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

func (c *checker) category() string { return c.Document.Document.Category }

func (c *checker) languages() {
	for _, l := range []struct{ tag, pointer string }{{c.Document.Document.Lang, "/document/lang"}, {c.Document.Document.SourceLang, "/document/source_lang"}} {
		if l.tag == "" || strings.EqualFold(l.tag, "i-default") {
			continue
		}
		if _, err := language.Parse(l.tag); err != nil {
			c.fail(quote(l.tag)+" is no language of RFC 5646: "+err.Error(), "%s", l.pointer)
		}
	}
}

func (c *checker) translator() {
	if m := &c.Document.Document; m.Publisher.Category == "translator" && m.SourceLang == "" {
		c.fail("a translator must say what language was translated", "/document/source_lang")
	}
}

func (c *checker) translated() {
	if m := &c.Document.Document; m.Lang != "" && strings.EqualFold(m.Lang, m.SourceLang) {
		c.fail("language and source language are the same", "/document/source_lang")
	}
}

// profiles are the names that a document of the base profile must not have, in small letters without separators.
var profiles = []string{"csafbase", "securityincidentresponse", "csafsecurityincidentresponse", "informationaladvisory", "csafinformationaladvisory",
	"securityadvisory", "csafsecurityadvisory", "vex", "csafvex"}

func (c *checker) categoryName() {
	switch c.category() {
	case Base, SecurityAdvisory, VEX, InformationalAdvisory, IncidentResponse, Withdrawn, Superseded:
		return
	}
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ \t\n\r\u00a0", r) {
			return -1
		}
		return r
	}, strings.ToLower(c.category()))
	if slices.Contains(profiles, plain) {
		c.fail(quote(c.category())+" looks like the name of a profile and is none", "/document/category")
	}
}

func (c *checker) is(categories ...string) bool { return slices.Contains(categories, c.category()) }

func (c *checker) profileNotes() {
	if c.is(InformationalAdvisory, IncidentResponse) && !slices.ContainsFunc(c.Document.Document.Notes, func(n Note) bool {
		return slices.Contains([]string{"description", "details", "general", "summary"}, n.Category)
	}) {
		c.fail("the profile wants a note of category description, details, general or summary", "/document/notes")
	}
}

func (c *checker) profileReferences() {
	if c.is(InformationalAdvisory, IncidentResponse) && !slices.ContainsFunc(c.Document.Document.References, func(r Reference) bool {
		return r.Category == "external"
	}) {
		c.fail("the profile wants an external reference", "/document/references")
	}
}

func (c *checker) profileNoVulnerabilities() {
	if c.is(InformationalAdvisory) && c.Vulnerabilities != nil {
		c.fail("the profile has no vulnerabilities", "/vulnerabilities")
	}
}

func (c *checker) profileTree() {
	if c.is(SecurityAdvisory, VEX) && c.ProductTree == nil {
		c.fail("the profile wants a product tree", "/product_tree")
	}
}

func (c *checker) profileVulnerabilityNotes() {
	c.eachOf(func(i int, v *Vulnerability) {
		if v.Notes == nil {
			c.fail("the profile wants notes", "/vulnerabilities/%d/notes", i)
		}
	}, SecurityAdvisory, VEX)
}

func (c *checker) profileStatus() {
	c.eachOf(func(i int, v *Vulnerability) {
		if v.Status == nil {
			c.fail("the profile wants a product status", "/vulnerabilities/%d/product_status", i)
		}
	}, SecurityAdvisory)
}

func (c *checker) profileVulnerabilities() {
	if c.is(SecurityAdvisory, VEX) && len(c.Vulnerabilities) == 0 {
		c.fail("the profile wants vulnerabilities", "/vulnerabilities")
	}
}

func (c *checker) eachOf(visit func(i int, v *Vulnerability), categories ...string) {
	if c.is(categories...) {
		c.each(visit)
	}
}

func (c *checker) vexStatus() {
	c.eachOf(func(i int, v *Vulnerability) {
		if s := v.Status; s == nil || len(s.Fixed)+len(s.KnownAffected)+len(s.KnownNotAffected)+len(s.UnderInvestigation) == 0 {
			c.fail("VEX wants products that are fixed, known affected, known not affected or under investigation", "/vulnerabilities/%d/product_status", i)
		}
	}, VEX)
}

func (c *checker) vexID() {
	c.eachOf(func(i int, v *Vulnerability) {
		if v.CVE == "" && len(v.IDs) == 0 {
			c.fail("VEX wants a CVE or another id", "/vulnerabilities/%d", i)
		}
	}, VEX)
}

func (c *checker) vexImpact() {
	c.eachOf(func(i int, v *Vulnerability) {
		if v.Status == nil {
			return
		}
		said := map[string]bool{}
		for _, f := range v.Flags {
			c.mark(said, f.ProductIDs, f.GroupIDs)
		}
		for _, t := range v.Threats {
			if t.Category == "impact" {
				c.mark(said, t.ProductIDs, t.GroupIDs)
			}
		}
		for j, id := range v.Status.KnownNotAffected {
			if !said[id] {
				c.fail("VEX wants to know why product "+quote(id)+" is not affected", "/vulnerabilities/%d/product_status/known_not_affected/%d", i, j)
			}
		}
	}, VEX)
}

func (c *checker) vexAction() {
	c.eachOf(func(i int, v *Vulnerability) {
		if v.Status == nil {
			return
		}
		said := map[string]bool{}
		for _, r := range v.Remediations {
			c.mark(said, r.ProductIDs, r.GroupIDs)
		}
		for j, id := range v.Status.KnownAffected {
			if !said[id] {
				c.fail("VEX wants a remediation for product "+quote(id), "/vulnerabilities/%d/product_status/known_affected/%d", i, j)
			}
		}
	}, VEX)
}

func (c *checker) mark(said map[string]bool, ids, groups []string) {
	for _, id := range c.products.Members(ids, groups) {
		said[id] = true
	}
}

// rangeWords say in a product_version that it is a range (6.1.31).
var rangeWords = []string{"after", "all", "before", "earlier", "later", "prior", "versions"}

func (c *checker) noRangeInVersion() {
	c.branches(func(b *Branch, pointer string) {
		if b.Category != BranchVersion {
			return
		}
		if strings.ContainsAny(b.Name, "<>") {
			c.fail(quote(b.Name)+" is a range and no version", "%s/name", pointer)
			return
		}
		for word := range strings.FieldsSeq(strings.ToLower(b.Name)) {
			if slices.Contains(rangeWords, word) {
				c.fail(quote(b.Name)+" is a range and no version", "%s/name", pointer)
				return
			}
		}
	})
}
