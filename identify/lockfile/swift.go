package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// SwiftLock reads Package.resolved, versions 1 to 3 (Swift Package Manager documentation, 2026).
var SwiftLock = reader("swift-package-resolved", biopsy.Locked, swiftLock, "Package.resolved", ".package.resolved")

func swiftLock(d *doc) error {
	j, root := d.json()
	for _, pins := range []value{root.get("pins"), root.get("object", "pins")} {
		pins.each(func(_ string, e value) {
			repo := first(e.get("location").str(), e.get("repositoryURL").str())
			version := first(e.get("state", "version").str(), e.get("state", "revision").str())
			_, address, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(repo, "/"), ".git"), "://")
			if at := strings.IndexByte(repo, '@'); address == "" && at >= 0 { // git@host:owner/name
				address = strings.Replace(strings.TrimSuffix(repo[at+1:], ".git"), ":", "/", 1)
			}
			c := pkg("swift", address, version)
			if c.Name == "" {
				c = unnamed("swift", first(e.get("identity").str(), e.get("package").str()), version)
			}
			origin(&c, repo, e.get("state", "revision").str())
			d.add(e.line(), c)
		})
	}
	return j.close(root)
}
