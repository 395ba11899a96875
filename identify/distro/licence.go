package distro

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/license"
)

// declared wraps the licence words of a package database: an SPDX expression where they are one, else the words as found.
func declared(words string) []biopsy.License {
	words = strings.TrimSpace(words)
	if words == "" {
		return nil
	}
	if e := license.Expression(words); e != "" {
		return []biopsy.License{{Expression: e, Basis: "declared"}}
	}
	return []biopsy.License{{Name: words, Basis: "declared"}}
}

// debianIDs are the short names of the machine-readable copyright format 1.0 (section 7.2, 2012-02) that differ from SPDX and mean
// one thing. Names that mean several texts ("BSD", "Artistic", "Perl" in some readings) are left as found.
var debianIDs = map[string]string{
	"expat": "MIT", "zlib": "Zlib", "psf-2": "PSF-2.0", "artistic-2": "Artistic-2.0", "cc0": "CC0-1.0", "apache-2": "Apache-2.0", "zpl-2.1": "ZPL-2.1",
	"lppl-1.3c": "LPPL-1.3c", "efl-2": "EFL-2.0", "openldap-2.8": "OLDAP-2.8", "boost-1.0": "BSL-1.0", "bsl-1": "BSL-1.0", "qpl-1": "QPL-1.0", "mpl-2": "MPL-2.0",
	"ofl-1.1": "OFL-1.1", "sil-1.1": "OFL-1.1", "sil-ofl-1.1": "OFL-1.1", "wtfpl-2": "WTFPL",
}

// gnuNames are the families that Debian writes as NAME-VERSION with "+" for any later one.
var gnuNames = []struct{ debian, spdx, suffix string }{
	{"agpl-", "AGPL-", ""},
	{"lgpl-", "LGPL-", ""},
	{"gpl-", "GPL-", ""},
	{"gfdl-niv-", "GFDL-", "-no-invariants"},
	{"fdl-niv-", "GFDL-", "-no-invariants"},
	{"gfdl-", "GFDL-", ""},
}

// debianID returns the SPDX id that a short name of a Debian copyright file means with certainty, or "".
func debianID(name string) string {
	low := strings.ToLower(name)
	if id := debianIDs[low]; id != "" {
		return id
	}
	for _, g := range gnuNames {
		rest, ok := strings.CutPrefix(low, g.debian)
		if !ok {
			continue
		}
		version, later := strings.CutSuffix(rest, "+")
		if id := gnuID(g.spdx, version, g.suffix, later); id != "" {
			return id
		}
	}
	return license.Canonical(name)
}

// gnuID builds "GPL-2.0-or-later" from its parts; "" when the list has no such id.
func gnuID(family, version, suffix string, later bool) string {
	if !strings.Contains(version, ".") {
		version += ".0"
	}
	end := "-only"
	if later {
		end = "-or-later"
	}
	id := family + version + suffix + end
	if license.Known(id) {
		return id
	}
	return ""
}

// debianExceptions are the keywords of "GPL-2+ with KEYWORD exception" that mean one exception of the SPDX list together with that
// licence. A keyword with several texts ("OpenSSL", "GCC" of old) is left as found.
var debianExceptions = []struct{ keyword, license, spdx string }{
	{"autoconf", "GPL-2.0", "Autoconf-exception-2.0"},
	{"autoconf", "GPL-3.0", "Autoconf-exception-3.0"},
	{"bison", "GPL-3.0", "Bison-exception-2.2"},
	{"bison", "GPL-2.0", "Bison-exception-2.2"},
	{"classpath", "GPL-2.0", "Classpath-exception-2.0"},
	{"font", "GPL-", "Font-exception-2.0"},
	{"libtool", "GPL-2.0", "Libtool-exception"},
	{"linux-syscall-note", "GPL-2.0", "Linux-syscall-note"},
	{"llvm", "Apache-2.0", "LLVM-exception"},
	{"texinfo", "GPL-", "Texinfo-exception"},
}

// debianException returns the SPDX exception for a keyword beside a licence id, or "".
func debianException(keyword, id string) string {
	for _, e := range debianExceptions {
		if strings.EqualFold(keyword, e.keyword) && strings.HasPrefix(id, e.license) {
			return e.spdx
		}
	}
	return ""
}
