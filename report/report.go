// Package report lists the documents that a scan can become.
//
// What comes in: a name and a version of a format. What goes out: its writer. It will never scan, match or judge.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/report/csv"
	"github.com/biopsy-sca/biopsy/report/html"
	"github.com/biopsy-sca/biopsy/report/sarif"
	"github.com/biopsy-sca/biopsy/report/sbom"
	"github.com/biopsy-sca/biopsy/report/text"
)

// All are the documents, in the order in which help shows them.
var All = slices.Concat(
	text.Writers,
	[]biopsy.Writer{{Name: "json", Write: func(w io.Writer, s *biopsy.Scan, _ string) error { return scanfile.Write(w, s) }}},
	sbom.Writers,
	sarif.Writers,
	csv.Writers,
	html.Writers,
)

// Find returns the writer of a format and the version to write; "" asks for its first.
func Find(name, version string) (biopsy.Writer, string, error) {
	i := slices.IndexFunc(All, func(w biopsy.Writer) bool { return w.Name == name })
	if i < 0 {
		return biopsy.Writer{}, "", fmt.Errorf("unknown format %q; there are %s", name, strings.Join(Names(), ", "))
	}
	w := All[i]
	switch {
	case version == "" && len(w.Versions) > 0:
		version = w.Versions[0]
	case version != "" && !slices.Contains(w.Versions, version):
		return w, "", fmt.Errorf("%s has no version %q; there are: %s", name, version, strings.Join(w.Versions, ", "))
	}
	return w, version, nil
}

// Names lists the formats.
func Names() []string {
	var all []string
	for _, w := range All {
		all = append(all, w.Name)
	}
	return all
}
