// Package sbom lists the bills of materials that a scan can become.
//
// What comes in: a scan. What goes out: CycloneDX and SPDX documents, valid against their schemas. It will never look at anything but
// the scan: the same scan gives the same bytes.
package sbom

import (
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/spdx"
)

// Writers are the documents, the first version of each the default.
var Writers = []biopsy.Writer{
	{Name: "cyclonedx-json", Versions: cyclonedx.Versions, Write: cyclonedx.WriteJSON},
	{Name: "cyclonedx-xml", Versions: cyclonedx.Versions, Write: cyclonedx.WriteXML},
	{Name: "spdx-json", Versions: []string{"2.3"}, Write: only(spdx.WriteJSON)},
	{Name: "spdx-tag-value", Versions: []string{"2.3"}, Write: only(spdx.WriteTagValue)},
	{Name: "spdx3-json", Versions: []string{"3.0.1"}, Write: only(spdx.WriteJSONLD)},
}

// only is the writer of a format that has one version; Writer.Versions has held the version against it.
func only(write func(io.Writer, *biopsy.Scan) error) func(io.Writer, *biopsy.Scan, string) error {
	return func(w io.Writer, s *biopsy.Scan, _ string) error { return write(w, s) }
}
