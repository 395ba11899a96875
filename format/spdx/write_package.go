package spdx

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (o *scanWriter) packages(e encoder) error {
	if o.subject < 0 {
		if err := e.pkg(o.subjectPackage()); err != nil {
			return err
		}
	}
	if len(o.Artifacts) > 1 {
		for i := range o.Artifacts {
			if err := e.pkg(o.artifactPackage(i)); err != nil {
				return err
			}
		}
	}
	for _, i := range bom.ByID(o.Components) {
		if asFile(&o.Components[i]) {
			continue
		}
		p, err := o.pkg(&o.Components[i])
		if err != nil {
			return fmt.Errorf("component %s: %w", o.Components[i].ID, err)
		}
		if err := e.pkg(p); err != nil {
			return fmt.Errorf("component %s: %w", o.Components[i].ID, err)
		}
	}
	return nil
}

// subjectPackage is the product itself: name, version and maker, and the digest of its only artifact.
func (o *scanWriter) subjectPackage() *pkg {
	analyzed := false
	p := &pkg{Name: cmp.Or(bom.Line(o.Subject.Name), "unnamed"), SPDXID: subjectRef, VersionInfo: bom.Line(o.Subject.Version),
		Supplier: organization(o.Subject.Manufacturer), DownloadLocation: "NOASSERTION", FilesAnalyzed: &analyzed,
		LicenseConcluded: "NOASSERTION", LicenseDeclared: "NOASSERTION", CopyrightText: "NOASSERTION", PrimaryPackagePurpose: purpose(o.Subject.Kind)}
	if len(o.Artifacts) == 1 {
		p.Checksums = digest(o.Artifacts[0].Digest)
		p.Annotations = []annotation{o.annotation(bom.Note(bom.ArtifactProperties(&o.Artifacts[0])))}
	}
	return p
}

func (o *scanWriter) artifactPackage(i int) *pkg {
	analyzed := false
	a := &o.Artifacts[i]
	return &pkg{Name: cmp.Or(bom.Line(a.Name), "artifact "+strconv.Itoa(i)), SPDXID: "SPDXRef-Artifact-" + strconv.Itoa(i),
		DownloadLocation: "NOASSERTION", FilesAnalyzed: &analyzed, Checksums: digest(a.Digest),
		LicenseConcluded: "NOASSERTION", LicenseDeclared: "NOASSERTION", CopyrightText: "NOASSERTION",
		Annotations: []annotation{o.annotation(bom.Note(bom.ArtifactProperties(a)))}}
}

func digest(d string) []checksum {
	v, ok := strings.CutPrefix(d, "sha256:")
	if !ok || len(v) != 64 || !bom.HexDigest(v) {
		return nil
	}
	return []checksum{{"SHA256", v}}
}

func organization(name string) string {
	if name = bom.Line(name); name == "" {
		return "NOASSERTION"
	}
	if who, mail := bom.SplitMail(name); mail != "" {
		name = who + " (" + mail + ")"
	}
	return "Organization: " + name
}

// pkg writes what SPDX has fields for, reads it back, and puts what is missing into a note.
func (o *scanWriter) pkg(c *biopsy.Component) (*pkg, error) {
	analyzed := false
	declared, concluded := o.licenses(c)
	p := &pkg{Name: cmp.Or(bom.Line(display(c.Eco, c.Namespace, c.Name)), "unnamed"), SPDXID: "SPDXRef-" + slug(c.ID), VersionInfo: bom.Line(c.Version),
		Supplier: organization(c.Supplier), Originator: o.extra(c, "originator"), DownloadLocation: "NOASSERTION", FilesAnalyzed: &analyzed,
		Checksums: checksums(c.Hashes), LicenseConcluded: concluded, LicenseDeclared: declared, CopyrightText: cmp.Or(bom.Clean(c.Extra[extraKey+"copyrightText"]), "NOASSERTION"),
		Description: strings.TrimSpace(bom.Clean(c.Description)), PrimaryPackagePurpose: purpose(c.Kind), ExternalRefs: o.externalRefs(c),
		SourceInfo: sourceInfo(c), ValidUntilDate: validUntil(c)}
	if bom.URI(c.Homepage) {
		p.Homepage = c.Homepage
	}
	if bom.URI(c.Download) {
		p.DownloadLocation = c.Download
	}
	back, _ := (&document{}).toComponent(p, biopsy.Place{})
	o.nameLicenses(&back)
	properties, err := o.note(&back, c)
	if err != nil {
		return nil, err
	}
	if len(properties) > 0 {
		p.Annotations = []annotation{o.annotation(bom.Note(properties))}
	}
	return p, nil
}

func (o *scanWriter) extra(c *biopsy.Component, field string) string {
	return bom.Line(c.Extra[extraKey+field])
}

// note lists what turns back, which is what a reader finds in the fields, into c.
func (o *scanWriter) note(back, c *biopsy.Component) ([]bom.Property, error) {
	missing, err := bom.Missing(back, c)
	return append(bom.Properties(c, nil), missing...), err
}

// nameLicenses does to a component that was read back what the end of a document does.
func (o *scanWriter) nameLicenses(back *biopsy.Component) {
	for i := range back.Licenses {
		l := &back.Licenses[i]
		if was, ok := o.names[l.Expression]; ok {
			l.Expression, l.Name = "", was.Name
		}
	}
}

func sourceInfo(c *biopsy.Component) string {
	if c.Source == nil {
		return bom.Clean(c.Extra[extraKey+"sourceInfo"])
	}
	return strings.TrimSpace("built from source package " + bom.Line(c.Source.Name) + " " + bom.Line(c.Source.Version))
}

// validUntil is the end of support, where somebody stated it or a book knows it.
func validUntil(c *biopsy.Component) string {
	d := cmp.Or(c.Extra[bom.Foreign+bom.EndOfSupport], c.Extra[extraKey+"validUntilDate"], c.Extra[extraKey+"validUntilTime"])
	if c.Support != nil {
		d = cmp.Or(d, c.Support.End)
	}
	return bom.Instant(d)
}

var purposes2 = map[biopsy.Kind]string{biopsy.Application: "APPLICATION", biopsy.Framework: "FRAMEWORK", biopsy.Library: "LIBRARY",
	biopsy.Container: "CONTAINER", biopsy.OperatingSystem: "OPERATING_SYSTEM", biopsy.DeviceKind: "DEVICE", biopsy.Firmware: "FIRMWARE", biopsy.FileKind: "FILE"}

func purpose(k biopsy.Kind) string {
	if p := purposes2[k]; p != "" || k == "" {
		return p
	}
	return "OTHER"
}

var names2 = map[string]string{"MD5": "MD5", "SHA-1": "SHA1", "SHA-256": "SHA256", "SHA-384": "SHA384", "SHA-512": "SHA512",
	"SHA3-256": "SHA3-256", "SHA3-384": "SHA3-384", "SHA3-512": "SHA3-512", "BLAKE2b-256": "BLAKE2b-256", "BLAKE2b-384": "BLAKE2b-384",
	"BLAKE2b-512": "BLAKE2b-512", "BLAKE3": "BLAKE3"}

// sizes are the digits of the digests that validators count.
var sizes = map[string]int{"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "SHA3-256": 64, "SHA3-384": 96, "SHA3-512": 128,
	"BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128, "BLAKE3": 64}

func checksums(in []biopsy.Hash) []checksum {
	var out []checksum
	for _, h := range in {
		if sizes[h.Alg] == len(h.Value) && bom.HexDigest(h.Value) {
			out = append(out, checksum{names2[h.Alg], h.Value})
		}
	}
	return out
}

// externalRefs writes purl, CPEs, and an advisory for each finding.
func (o *scanWriter) externalRefs(c *biopsy.Component) []externalRef {
	var out []externalRef
	if _, err := eco.Parse(c.Purl); c.Purl != "" && err == nil && bom.URI(c.Purl) {
		out = append(out, externalRef{ReferenceCategory: "PACKAGE-MANAGER", ReferenceType: "purl", ReferenceLocator: c.Purl})
	}
	for _, cpe := range c.CPEs {
		if bom.CPE23(cpe) {
			out = append(out, externalRef{ReferenceCategory: "SECURITY", ReferenceType: "cpe23Type", ReferenceLocator: cpe})
		}
	}
	for _, f := range o.findings[c.ID] {
		url := "https://nvd.nist.gov/vuln/detail/" + f.Advisory
		if !strings.HasPrefix(f.Advisory, "CVE-") {
			url = "https://osv.dev/vulnerability/" + f.Advisory
		}
		for _, u := range f.URLs {
			if bom.URI(u) {
				url = u
				break
			}
		}
		if bom.URI(url) {
			out = append(out, externalRef{ReferenceCategory: "SECURITY", ReferenceType: "advisory", ReferenceLocator: url,
				Comment: findingPrefix + bom.Line(f.Advisory) + ": " + f.Answer.String()})
		}
	}
	return out
}

// asFile tells whether a component is written as a file: it is one, and has the digest that SPDX insists on.
func asFile(c *biopsy.Component) bool {
	return c.Kind == biopsy.FileKind && c.Purl == "" && c.Extra[bom.SubjectKey] == "" &&
		slices.ContainsFunc(checksums(c.Hashes), func(h checksum) bool { return h.Algorithm == "SHA1" })
}

func (o *scanWriter) files(e encoder) error {
	for _, i := range bom.ByID(o.Components) {
		c := &o.Components[i]
		if !asFile(c) {
			continue
		}
		f := &file{FileName: "./" + cmp.Or(bom.Line(c.Name), "unnamed"), SPDXID: "SPDXRef-" + slug(c.ID), Checksums: checksums(c.Hashes),
			LicenseConcluded: "NOASSERTION", CopyrightText: cmp.Or(bom.Clean(c.Extra[extraKey+"copyrightText"]), "NOASSERTION")}
		back := biopsy.Component{Kind: biopsy.FileKind, Name: f.FileName[2:], Hashes: hashes(f.Checksums)}
		properties, err := o.note(&back, c)
		if err != nil {
			return fmt.Errorf("component %s: %w", c.ID, err)
		}
		f.Annotations = []annotation{o.annotation(bom.Note(properties))}
		if err := e.file(f); err != nil {
			return fmt.Errorf("component %s: %w", c.ID, err)
		}
	}
	return nil
}
