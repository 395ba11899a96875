package installed

import (
	"context"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// RubyGem reads specifications/NAME-VERSION.gemspec, which RubyGems (since 1.3) writes out for each installed gem. Gemspecs of
// source trees are programs and are not read.
var RubyGem = biopsy.Extractor{
	Name:    "ruby-gem",
	Basis:   biopsy.Manifest,
	Names:   []string{"specifications/*.gemspec", "specifications/default/*.gemspec"},
	Extract: rubyGem,
}

var (
	gemField = regexp.MustCompile(`(?m)^\s*s\.(name|version|homepage|summary|author|license)\s*=\s*(?:Gem::Version\.new\s*\(?)?\s*["']([^"']*)["']`)
	gemList  = regexp.MustCompile(`(?m)^\s*s\.(licenses|authors)\s*=\s*\[([^\]]*)\]`)
	gemNeed  = regexp.MustCompile(`(?m)^\s*s\.add_(runtime_|development_)?dependency\(?\s*(?:%q<([^>]+)>|["']([^"']+)["'])`)
	quoted   = regexp.MustCompile(`["']([^"']+)["']`)
)

func rubyGem(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	c := biopsy.Claim{Eco: "gem", State: biopsy.Installed}
	for _, m := range gemField.FindAllStringSubmatch(string(b), -1) {
		switch m[1] {
		case "name":
			c.Name = m[2]
		case "version":
			c.Version = m[2]
		case "homepage":
			c.Homepage = m[2]
		case "summary":
			c.Description = m[2]
		case "author":
			c.Supplier = m[2]
		case "license":
			c.Licenses = declared(m[2])
		}
	}
	for _, m := range gemList.FindAllStringSubmatch(string(b), -1) {
		for _, q := range quoted.FindAllStringSubmatch(m[2], -1) {
			if m[1] == "licenses" {
				c.Licenses = append(c.Licenses, declared(q[1])...)
			} else if c.Supplier == "" {
				c.Supplier = q[1]
			}
		}
	}
	seen := map[string]bool{}
	for _, m := range gemNeed.FindAllStringSubmatch(string(b), -1) {
		if n := m[2] + m[3]; m[1] != "development_" && !seen[n] { // specs repeat themselves for older RubyGems
			seen[n] = true
			c.Needs = append(c.Needs, biopsy.Need{Name: n, Scope: biopsy.Runtime})
		}
	}
	if c.Name == "" || strings.Contains(c.Version, "#{") {
		return nil // computed: not written by RubyGems
	}
	sheet{in, "ruby-gem", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}
