// Package feed brings the world into the book of advisories.
//
// In: files of the feeds below, given by somebody or fetched. Out: records in a refdb.Builder, and a report of what was read, what
// was bad and what no feed knows. Only its children reach the network, and only in Update.
package feed

import (
	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/feed/alpine"
	"github.com/biopsy-sca/biopsy/feed/csaf"
	"github.com/biopsy-sca/biopsy/feed/cve"
	"github.com/biopsy-sca/biopsy/feed/debian"
	"github.com/biopsy-sca/biopsy/feed/eol"
	"github.com/biopsy-sca/biopsy/feed/epss"
	"github.com/biopsy-sca/biopsy/feed/kev"
	"github.com/biopsy-sca/biopsy/feed/nvd"
	"github.com/biopsy-sca/biopsy/feed/osv"
	"github.com/biopsy-sca/biopsy/feed/ubuntu"
	"github.com/biopsy-sca/biopsy/feed/vendor"
)

// All is the list of feeds. A new one is one package and one line here.
var All = []biopsy.Feed{
	kev.Feed,
	epss.Feed,
	eol.Feed,
	vendor.Feed,
	debian.Feed,
	alpine.Feed,
	ubuntu.Feed,
	cve.Feed,
	nvd.Feed,
	csaf.Feed,
	osv.Feed,
}
