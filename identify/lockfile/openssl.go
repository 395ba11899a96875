package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// OpenSSLVersion reads VERSION.dat, by which the source tree of OpenSSL 3 names its version.
var OpenSSLVersion = reader("openssl-version", biopsy.Declared, opensslVersion, "VERSION.dat")

func opensslVersion(d *doc) error {
	o := map[string]string{}
	for _, e := range iniEntries(d.text) {
		o[e.key] = strings.Trim(e.value, `"`)
	}
	version := strings.Join([]string{o["MAJOR"], o["MINOR"], o["PATCH"]}, ".")
	if _, is := o["SHLIB_VERSION"]; !is || !numeric(version) {
		return nil
	}
	if o["PRE_RELEASE_TAG"] != "" {
		version += "-" + o["PRE_RELEASE_TAG"]
	}
	d.project(1, pkg("generic", "openssl", version))
	return nil
}
