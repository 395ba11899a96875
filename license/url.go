package license

import "strings"

// urls are the addresses by which metadata names a licence instead of its id, without scheme, "www." and a final slash: each is on the
// page of that id in the SPDX list ("Other web pages for this license"), or the licence steward's own.
var urls = map[string]string{
	"apache.org/licenses/license-2.0":             "Apache-2.0",
	"apache.org/licenses/license-2.0.txt":         "Apache-2.0",
	"apache.org/licenses/license-2.0.html":        "Apache-2.0",
	"opensource.org/licenses/apache-2.0":          "Apache-2.0",
	"opensource.org/licenses/mit":                 "MIT",
	"opensource.org/licenses/mit-license.php":     "MIT",
	"opensource.org/licenses/bsd-2-clause":        "BSD-2-Clause",
	"opensource.org/licenses/bsd-3-clause":        "BSD-3-Clause",
	"opensource.org/licenses/isc":                 "ISC",
	"eclipse.org/legal/epl-v10.html":              "EPL-1.0",
	"eclipse.org/legal/epl-2.0":                   "EPL-2.0",
	"eclipse.org/legal/epl-v20.html":              "EPL-2.0",
	"mozilla.org/mpl/2.0":                         "MPL-2.0",
	"mozilla.org/en-us/mpl/2.0":                   "MPL-2.0",
	"gnu.org/licenses/old-licenses/gpl-2.0.html":  "GPL-2.0-only",
	"gnu.org/licenses/gpl-3.0.html":               "GPL-3.0-only",
	"gnu.org/licenses/old-licenses/lgpl-2.1.html": "LGPL-2.1-only",
	"creativecommons.org/publicdomain/zero/1.0":   "CC0-1.0",
	"unlicense.org":                               "Unlicense",
}

// ByURL returns the SPDX id that an address stands for, "" when it is not certain.
func ByURL(address string) string {
	a := strings.ToLower(strings.TrimSpace(address))
	_, a, ok := strings.Cut(a, "://")
	if !ok {
		return ""
	}
	return urls[strings.TrimSuffix(strings.TrimPrefix(a, "www."), "/")]
}
