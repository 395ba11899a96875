package vendor

import (
	"bytes"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// yocto: meta/conf/distro/include/cve-extra-exclusions.inc of OpenEmbedded-core, what its makers think of holes that they cannot mend. It is
// an opinion about others' software, so it only ever says that a hole is disputed, by whom and why.
var yocto = form{"yocto", func(name string, head []byte) bool {
	return strings.Contains(path.Base(name), ".inc") && bytes.Contains(head, []byte("CVE_STATUS"))
}, readYocto}

var (
	// A line that ends in a backslash goes on in the next one (BitBake User Manual 5.0, 3.1).
	folded = regexp.MustCompile(`\\\r?\n`)
	// CVE_STATUS[CVE-2000-0006] = "upstream-wontfix: cpe:*:strace: ..." and CVE_STATUS_GO[status] = "...".
	yoctoStatus = regexp.MustCompile(`^CVE_STATUS(_\w+)?\[(status|CVE-\d{4}-\d+)\] = "([a-z-]+): *(?:cpe:([^:"]+):([^:"]+): *)?(.*)"$`)
	// CVE_STATUS_GO = "CVE-2020-29509 CVE-2020-29511".
	yoctoGroup = regexp.MustCompile(`^CVE_STATUS(_\w+) = "([^"]*)"$`)
)

func readYocto(s *source) error {
	groups := map[string][]string{}
	for line := range strings.Lines(folded.ReplaceAllString(string(s.doc), " ")) {
		line = strings.TrimSpace(line)
		if m := yoctoGroup.FindStringSubmatch(line); m != nil && m[1] != "_GROUPS" {
			groups[m[1]] = strings.Fields(m[2])
			continue
		}
		m := yoctoStatus.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "CVE_STATUS[") {
				s.bad(line, errors.New("not a status"))
			}
			continue
		}
		if m[5] == "" {
			continue // nothing says what software it is about
		}
		ids := []string{m[2]}
		if m[2] == "status" {
			ids = groups[m[1]]
		}
		for _, id := range ids {
			a := biopsy.Advisory{ID: "YOCTO-" + id, Aliases: aliases(id), Affected: []biopsy.Affected{{
				Ecosystem: "Upstream", Name: strings.ToLower(m[5]), Status: biopsy.Undetermined, Why: "OpenEmbedded: " + m[3] + ": " + strings.Join(strings.Fields(m[6]), " "),
			}}}
			if a.Affected[0].Name == "linux_kernel" {
				a.Affected[0].Ecosystem, a.Affected[0].Name = "Linux", "Kernel"
			}
			if err := s.give(a); err != nil {
				return err
			}
		}
	}
	return nil
}
