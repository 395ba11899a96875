package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// PaketLock reads paket.lock (fsprojects.github.io/Paket, "The paket.lock file").
var PaketLock = reader("paket-lock", biopsy.Locked, paketLock, "paket.lock")

// paketEntry is one package and the names of what it needs.
type paketEntry struct {
	line  int
	claim biopsy.Claim
	needs []string
	group nugetNames // of its group: each is resolved by itself
}

func paketLock(d *doc) error {
	for _, f := range paketEntries(d.text) {
		f.claim.Needs = f.group.needs(f.needs)
		d.add(f.line, f.claim)
	}
	return nil
}

func paketEntries(text []byte) []paketEntry {
	var found []paketEntry
	names := nugetNames{}
	section, remote, scope, line := "", "", biopsy.Runtime, 0
	for raw := range bytes.Lines(text) {
		line++
		s := strings.TrimRight(string(raw), " \r\n")
		body := strings.TrimLeft(s, " ")
		switch indent := len(s) - len(body); {
		case body == "":
		case indent == 0:
			section = body
			if group, ok := strings.CutPrefix(body, "GROUP "); ok {
				names, scope = nugetNames{}, biopsy.Runtime
				if madeForTools(group) {
					scope = biopsy.Development
				}
			}
		case indent == 2:
			_, remote, _ = strings.Cut(body, "remote: ")
		case indent == 4:
			name, rest, _ := strings.Cut(body, " (")
			version, _, _ := strings.Cut(rest, ")")
			e := paketEntry{line: line, claim: paketClaim(section, remote, name, version), group: names}
			e.claim.Scope = scope
			names.add(name, version)
			found = append(found, e)
		case indent == 6 && len(found) > 0:
			name, _, _ := strings.Cut(body, " ")
			found[len(found)-1].needs = append(found[len(found)-1].needs, name)
		}
	}
	return found
}

// paketClaim names a package of NUGET, or a file of a repository by its commit.
func paketClaim(section, remote, name, version string) biopsy.Claim {
	switch section {
	case "NUGET":
		return pkg("nuget", name, version)
	case "GITHUB":
		return hosted("https://github.com/"+remote, version)
	}
	return biopsy.Claim{}
}
