// Package bomtest makes scans to write and read back in the tests of SBOM formats.
//
// What comes in: nothing, or how many components are wanted. What goes out: a scan that has something in every field, and things in some
// that no format can take as they are. It will never be part of a binary.
package bomtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

const sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// Scan returns a scan of one image with tame values in every field.
func Scan() *biopsy.Scan {
	s := &biopsy.Scan{
		Biopsy:  biopsy.ScanVersion,
		Tool:    biopsy.Tool{Name: "biopsy", Version: "0.1.0", Commit: "abc123"},
		Created: "2026-03-01T12:00:00Z",
		Subject: biopsy.Subject{Name: "Infusion Pump", Version: "4.2", Kind: biopsy.DeviceKind, Manufacturer: "Acme Medical GmbH"},
		Options: biopsy.Options{Depth: biopsy.Standard, AsOf: "2026-02-28", Exclude: []string{"**/test"}},
		Books:   []biopsy.Book{{Name: "advisories", Digest: "sha256:" + sha256, Built: "2026-02-27T00:00:00Z"}},
	}
	s.Artifacts = []biopsy.Artifact{{Ref: "docker-archive:pump.tar", Name: "pump.tar", Kind: "container-image", Digest: "sha256:" + sha256,
		Size: 123456, Files: 42, Layers: []biopsy.Layer{{DiffID: "sha256:" + sha256, CreatedBy: "COPY rootfs / # pump"}, {DiffID: "sha256:0" + sha256[1:]}}}}
	s.Components = components()
	s.Relations = relations(s.Components)
	s.Gaps = []biopsy.Gap{{Place: biopsy.Place{Path: "opt/enc.bin", Offset: 512}, Reader: "squashfs", Reason: "encrypted", Size: 4096},
		{Place: biopsy.Place{Path: "opt/x"}, Reason: "nobody could"}}
	s.Ledgers = []biopsy.Ledger{{Place: biopsy.Place{Path: "pump.tar"}, Spans: []biopsy.Span{{Offset: 0, Size: 100, Status: biopsy.BytesParsed}, {Offset: 100, Size: 28}}},
		{Place: biopsy.Place{Path: "pump.tar!rootfs.squashfs", Layer: "sha256:" + sha256}, Spans: []biopsy.Span{{Size: 96, Status: biopsy.BytesParsed, What: "superblock"}, {Offset: 96, Size: 4000, Status: biopsy.BytesPadding}}}}
	s.Findings = findings(s.Components)
	finish(s)
	return s
}

func components() []biopsy.Component {
	place := func(path string, line int) biopsy.Evidence {
		return biopsy.Evidence{Place: biopsy.Place{Path: path, Line: line, Layer: "sha256:" + sha256}, Digest: "sha256:" + sha256, Reader: "dpkg", Basis: biopsy.Manifest, Confidence: 0.99}
	}
	return []biopsy.Component{
		{Kind: biopsy.Library, Eco: "deb", Namespace: "debian", Name: "libssl3", Version: "3.0.11-1~deb12u2",
			Purl:    "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
			Aliases: []string{"pkg:generic/openssl@3.0.11"},
			CPEs:    []string{"cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*", "cpe:2.3:a:openssl:libssl:3.0.11:*:*:*:*:*:*:*"},
			State:   biopsy.Installed, Scope: biopsy.Runtime, Arch: "amd64", Distro: "debian-12", Supplier: "Debian OpenSSL Team",
			Licenses:    []biopsy.License{{Expression: "Apache-2.0", Basis: "declared"}, {Name: "OpenSSL and SSLeay, see text", Basis: "declared"}},
			Hashes:      []biopsy.Hash{{Alg: "MD5", Value: sha256[:32]}, {Alg: "SHA-256", Value: sha256}},
			Source:      &biopsy.Upstream{Name: "openssl", Version: "3.0.11-1"},
			Description: "Secure Sockets Layer toolkit\nshared libraries <&>", Homepage: "https://www.openssl.org/",
			Repository: "https://salsa.debian.org/debian/openssl", Download: "https://deb.debian.org/pool/openssl.deb",
			Layer: "sha256:" + sha256, Extra: map[string]string{"deb:section": "libs", "property:cdx:lifecycle:milestone:endOfSupport": "2028-06-30"},
			Evidence: []biopsy.Evidence{place("var/lib/dpkg/status", 120), {Place: biopsy.Place{Path: "usr/lib/libssl.so.3", Offset: 64}, Reader: "elf", Basis: biopsy.Binary, Confidence: 0.7, Shadowed: true}}},
		{Kind: biopsy.Library, Eco: "npm", Namespace: "@acme", Name: "ui", Version: "1.2.3", Purl: "pkg:npm/%40acme/ui@1.2.3", State: biopsy.Locked,
			Scope: biopsy.Development, Licenses: []biopsy.License{{Expression: "MIT OR Apache-2.0", Basis: "declared"}, {Expression: "MIT", Basis: "found"}},
			Evidence: []biopsy.Evidence{place("app/package-lock.json", 7)}},
		{Kind: biopsy.Application, Name: "pumpd", Unowned: true, State: biopsy.Embedded, Scope: biopsy.Optional,
			Hashes:   []biopsy.Hash{{Alg: "SHA-1", Value: sha256[:40]}, {Alg: "SHA-256", Value: "0" + sha256[1:]}},
			Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "update.bin!rootfs.squashfs!usr/sbin/pumpd"}, Reader: "elf", Basis: biopsy.Binary, Confidence: 0.5}}},
		{Eco: "golang", Namespace: "github.com/acme", Name: "proto", Version: "v0.3.0", Purl: "pkg:golang/github.com/acme/proto@v0.3.0",
			Licenses: []biopsy.License{{Expression: "GPL-2.0-only WITH Classpath-exception-2.0", Basis: "concluded"}, {Expression: "MIT OR BSD-3-Clause", Basis: "concluded"}},
			Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "usr/sbin/pumpd", Offset: 4096}, Reader: "go-binary", Basis: biopsy.Binary, Confidence: 0.95}}},
		{Kind: biopsy.FileKind, Name: "firmware.bin", Hashes: []biopsy.Hash{{Alg: "SHA-1", Value: "1" + sha256[1:40]}, {Alg: "SHA-256", Value: "1" + sha256[1:]}},
			Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "lib/firmware.bin", Artifact: 1}, Reader: "hash", Basis: biopsy.HashMatch, Confidence: 1}}},
		{Kind: biopsy.Library, Eco: "maven", Namespace: "org.example", Name: "core", Version: "1.0", Purl: "pkg:maven/org.example/core@1.0", Supplier: "Example Org <sbom@example.org>",
			Licenses: []biopsy.License{{Expression: "LicenseRef-Example", Basis: "declared"}, {Name: "Example Licence", URL: "https://example.org/license", Basis: "declared"}},
			Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "app.jar!META-INF/pom.properties", Line: 3}, Reader: "jar", Basis: biopsy.Manifest, Confidence: 0.9}}},
	}
}

func relations(c []biopsy.Component) []biopsy.Relation {
	id := func(i int) string { return biopsy.ComponentID(&c[i]) }
	return []biopsy.Relation{
		{From: "artifact:0", To: id(0), Kind: biopsy.Contains}, {From: "artifact:0", To: id(1), Kind: biopsy.DependsOn},
		{From: "artifact:0", To: id(2), Kind: biopsy.Contains}, {From: "artifact:0", To: "00" + id(4)[2:], Kind: biopsy.Contains},
		{From: "artifact:0", To: id(5), Kind: biopsy.Contains},
		{From: id(2), To: id(3), Kind: biopsy.Contains}, {From: id(2), To: id(0), Kind: biopsy.DependsOn},
		{From: id(2), To: id(5), Kind: biopsy.DependsOn, Scope: biopsy.Optional},
		{From: "00" + id(4)[2:], To: id(3), Kind: biopsy.BuiltFrom},
		{From: id(5), To: id(1), Kind: biopsy.Contains}, {From: id(5), To: id(1), Kind: biopsy.DependsOn},
	}
}

func findings(c []biopsy.Component) []biopsy.Finding {
	id := biopsy.ComponentID(&c[0])
	because := []biopsy.Because{{Record: "DSA-1-1", Source: "osv/Debian", Rule: "distribution", Answer: biopsy.Yes, Text: "3.0.11-1 is before 3.0.13-1"}}
	return []biopsy.Finding{
		{ID: "f1", Component: id, Subject: "vulnerability", Advisory: "CVE-2024-0727", Aliases: []string{"GHSA-9v9h-cgj8-h64p", "DSA-1-1"}, Summary: "PKCS12 crash",
			Answer: biopsy.Yes, Because: because, Level: biopsy.LevelMedium, Score: 5.5, Fixed: []string{"3.0.13-1~deb12u1"}, Published: "2024-01-26",
			Severity: []biopsy.Severity{{Type: "CVSS_V3", Vector: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", Score: 5.5, Source: "nvd"}, {Type: "word", Vector: "MODERATE", Source: "ghsa"}},
			Exploit:  &biopsy.Exploit{KEV: true, KEVAdded: "2024-02-01", KEVDue: "2024-02-22", EPSS: 0.01, EPSSDate: "2026-02-01"}, URLs: []string{"https://nvd.nist.gov/vuln/detail/CVE-2024-0727"}},
		{ID: "f1", Component: biopsy.ComponentID(&c[5]), Subject: "vulnerability", Advisory: "OSV-1", Answer: biopsy.Unknown, Because: because, URLs: []string{"not a url"}},
		{ID: "f2", Component: id, Subject: "vulnerability", Advisory: "CVE-2024-1", Answer: biopsy.No, Because: because},
	}
}

// Hostile returns a scan whose words break formats: no field of it is as its comment says.
func Hostile() *biopsy.Scan {
	s := Scan()
	bad := "a\x00b\x1b[31m\xff\xfe</text>]]>\"\\\u2028\ufffe\r\nPackageName: evil"
	s.Subject = biopsy.Subject{Name: bad, Version: bad, Kind: "gizmo", Manufacturer: bad}
	s.Created = "yesterday"
	s.Tool = biopsy.Tool{Name: bad, Version: bad, Commit: bad}
	s.Artifacts = append(s.Artifacts, biopsy.Artifact{Ref: bad, Name: bad, Kind: bad, Digest: bad, Size: -1})
	s.Components = append(s.Components, biopsy.Component{Kind: "gizmo", Eco: bad, Namespace: bad, Name: bad, Version: bad, Purl: "pkg:" + bad,
		Aliases: []string{bad}, CPEs: []string{bad}, State: biopsy.State(bad), Scope: biopsy.Scope(bad), Arch: bad, Distro: bad, Supplier: bad,
		Licenses: []biopsy.License{{Expression: bad, URL: bad, Basis: bad}, {Name: bad}, {}, {URL: "https://x"}, {Expression: "GPLv2+"}, {Expression: "MIT AND ISC", Basis: "found"}, {Expression: "MIT AND ISC"}},
		Hashes:   []biopsy.Hash{{Alg: bad, Value: bad}, {Alg: "SHA-256", Value: "xyz"}, {Alg: "SHA-1", Value: sha256}},
		Source:   &biopsy.Upstream{Name: bad, Version: bad}, Description: bad, Homepage: bad, Repository: "git@github.com:a/b.git", Download: "http://[::1", Layer: bad,
		Extra:    map[string]string{bad: bad, "property:" + bad: bad, "property:": "empty"},
		Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: bad, Line: -1, Offset: -5, Layer: bad}, Digest: bad, Reader: bad, Basis: biopsy.Basis(bad), Confidence: 7}}},
		biopsy.Component{Name: "no evidence", Purl: "not a purl", CPEs: []string{"cpe:2.3:a:b"}, Homepage: "https://host:port/"})
	s.Relations = append(s.Relations, biopsy.Relation{From: "artifact:1", To: biopsy.ComponentID(&s.Components[0]), Kind: biopsy.Contains})
	s.Gaps = append(s.Gaps, biopsy.Gap{Place: biopsy.Place{Path: bad}, Reason: bad})
	s.Findings = append(s.Findings, biopsy.Finding{ID: bad, Component: biopsy.ComponentID(&s.Components[0]), Subject: "vulnerability", Advisory: bad, Aliases: []string{bad, ""},
		Summary: bad, Answer: biopsy.Yes, Because: []biopsy.Because{{Text: bad}}, Severity: []biopsy.Severity{{Type: bad, Vector: bad}, {Type: "CVSS_V4", Vector: bad, Score: 11}}, Fixed: []string{bad}, Published: bad, URLs: []string{bad}})
	finish(s)
	return s
}

// finish gives ids and sorts, as reconcile does.
func finish(s *biopsy.Scan) {
	for i := range s.Components {
		c := &s.Components[i]
		c.ID = biopsy.ComponentID(c)
		if c.Kind == biopsy.FileKind { // reconcile tells nameless files apart by what only their evidence holds
			c.ID = "00" + c.ID[2:]
		}
		for j := range c.Evidence {
			c.Evidence[j].Claim = biopsy.Claim{Kind: c.Kind, Eco: c.Eco, Namespace: c.Namespace, Name: c.Name, Version: c.Version, Purl: c.Purl}
		}
		slices.SortFunc(c.Evidence, func(a, b biopsy.Evidence) int { return a.Place.Compare(b.Place) })
	}
	slices.SortFunc(s.Components, func(a, b biopsy.Component) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Relations, func(a, b biopsy.Relation) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.To, b.To))
	})
}

// Large returns a scan with n components, each with the usual fields, two edges and one piece of evidence.
func Large(n int) *biopsy.Scan {
	s := &biopsy.Scan{Biopsy: biopsy.ScanVersion, Tool: biopsy.Tool{Name: "biopsy", Version: "0"}, Subject: biopsy.Subject{Name: "large", Kind: biopsy.Firmware}}
	s.Artifacts = []biopsy.Artifact{{Ref: "file:large.bin", Name: "large.bin", Kind: "file"}}
	for i := range n {
		name := fmt.Sprintf("component-%d", i)
		s.Components = append(s.Components, biopsy.Component{Kind: biopsy.Library, Eco: "npm", Name: name, Version: "1.2.3", Purl: "pkg:npm/" + name + "@1.2.3",
			State: biopsy.Locked, Scope: biopsy.Runtime, Supplier: "Supplier of " + name, Licenses: []biopsy.License{{Expression: "MIT", Basis: "declared"}},
			Hashes:   []biopsy.Hash{{Alg: "SHA-256", Value: fmt.Sprintf("%064x", i)}},
			Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "app/package-lock.json", Line: i + 1}, Reader: "package-lock", Basis: biopsy.Manifest, Confidence: 0.99}}})
	}
	finish(s)
	for i := range s.Components {
		s.Relations = append(s.Relations, biopsy.Relation{From: "artifact:0", To: s.Components[i].ID, Kind: biopsy.Contains},
			biopsy.Relation{From: s.Components[i].ID, To: s.Components[(i*7+1)%n].ID, Kind: biopsy.DependsOn, Scope: ""})
	}
	finish(s)
	return s
}
