// Package sbom lists the bills of materials that a scan can become.
//
// What comes in: a scan. What goes out: CycloneDX and SPDX documents, valid against their schemas. It will never look at anything but
// the scan: the same scan gives the same bytes.
package sbom

import (
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/spdx"
)

// Writers are the documents, the first version of each the default.
var Writers = []biopsy.Writer{
	{Name: "cyclonedx-json", Versions: withBSI(cyclonedx.Versions...), Write: plain(cyclonedx.WriteJSON)},
	{Name: "cyclonedx-xml", Versions: withBSI(cyclonedx.Versions...), Write: plain(cyclonedx.WriteXML)},
	{Name: "spdx-json", Versions: []string{"2.3"}, Write: only(spdx.WriteJSON)},
	{Name: "spdx-tag-value", Versions: []string{"2.3"}, Write: only(spdx.WriteTagValue)},
	{Name: "spdx3-json", Versions: []string{"3.0.1"}, Write: only(spdx.WriteJSONLD)},
}

// bsi is the ending of versions for BSI TR-03183-2 (2.1.0 of 2025), by which an SBOM holds no vulnerabilities: what is known of them changes
// while the software does not. It allows CycloneDX from 1.6, and SPDX from 3.0.1, which we write without them anyway.
const bsi = "-bsi"

func withBSI(versions ...string) []string {
	out := slices.Clone(versions)
	for _, v := range versions {
		out = append(out, v+bsi)
	}
	return out
}

// plain leaves findings, and what follows from them, out of the versions that want none.
func plain(write func(io.Writer, *biopsy.Scan, string) error) func(io.Writer, *biopsy.Scan, string) error {
	return func(w io.Writer, s *biopsy.Scan, version string) error {
		version, without := strings.CutSuffix(version, bsi)
		if without {
			bare := *s
			bare.Findings, bare.Verdicts, bare.Advice = nil, nil, nil
			s = &bare
		}
		return write(w, s, version)
	}
}

// only is the writer of a format that has one version; Writer.Versions has held the version against it.
func only(write func(io.Writer, *biopsy.Scan) error) func(io.Writer, *biopsy.Scan, string) error {
	return func(w io.Writer, s *biopsy.Scan, _ string) error { return write(w, s) }
}
