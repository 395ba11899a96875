package spdx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/license"
)

// extraKey begins the keys of Component.Extra that hold SPDX fields our words lack.
const extraKey = "spdx:"

func (d *document) header(h *header) error {
	v, ok := strings.CutPrefix(h.SPDXVersion, "SPDX-")
	if !ok || !strings.HasPrefix(v, "2.") {
		return fmt.Errorf("spdxVersion %.40q: SPDX-2.1 to SPDX-2.3 are read", h.SPDXVersion)
	}
	d.out.Version, d.out.ID, d.title = v, h.DocumentNamespace, h.Name
	d.self(h.SPDXID)
	d.creation(&h.CreationInfo)
	for _, a := range h.Annotations {
		d.documentNote(a.Comment)
	}
	return nil
}

// self remembers a reference of the document itself.
func (d *document) self(ref string) {
	if d.docs == nil {
		d.docs = map[string]bool{"SPDXRef-DOCUMENT": true}
	}
	if ref != "" {
		d.docs[ref] = true
	}
}

func (d *document) creation(c *creationInfo) {
	d.out.Created = c.Created
	for _, who := range c.Creators {
		if tool, ok := strings.CutPrefix(who, "Tool:"); ok {
			d.out.Tools = append(d.out.Tools, toolOf(strings.TrimSpace(tool)))
			continue
		}
		if name := party(who); name != "" {
			d.out.Authors = append(d.out.Authors, name)
		}
	}
	for line := range strings.Lines(c.Comment) {
		if phase, ok := strings.CutPrefix(line, contextPrefix); ok {
			d.out.Lifecycles = append(d.out.Lifecycles, strings.TrimSpace(phase))
		}
	}
}

// contextPrefix begins the line of creationInfo.comment that says when in its life the software was looked at.
const contextPrefix = "Generation context: "

// toolOf parts "name-version" at the last dash that a digit or "v" follows.
func toolOf(s string) biopsy.Tool {
	for i := len(s) - 2; i > 0; i-- {
		if s[i] == '-' && (s[i+1] >= '0' && s[i+1] <= '9' || s[i+1] == 'v') {
			return biopsy.Tool{Name: s[:i], Version: s[i+1:]}
		}
	}
	return biopsy.Tool{Name: s}
}

// documentNote reads what a scan wrote about itself as a whole.
func (d *document) documentNote(text string) {
	properties, ok := bom.ReadNote(text)
	if !ok {
		return
	}
	for _, p := range properties {
		switch p.Name {
		case gapProperty:
			var g biopsy.Gap
			if err := json.Unmarshal([]byte(p.Value), &g); err != nil {
				d.Gap(biopsy.Gap{Reason: fmt.Sprintf("property %s: %v", gapProperty, err)})
				continue
			}
			d.stated = append(d.stated, g)
		case bom.Manufacturer:
			d.maker = p.Value
		case bom.LedgerMap:
			l, err := bom.ReadLedger(p.Value)
			if err != nil {
				d.Gap(biopsy.Gap{Reason: err.Error()})
				continue
			}
			d.ledgers = append(d.ledgers, l)
		}
	}
}

func (d *document) pkg(p *pkg, at biopsy.Place) {
	c, artifact := d.toComponent(p, at)
	if c.Name == "" {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("package %.80q without a name is left out", p.SPDXID)})
		return
	}
	ref := p.SPDXID
	if artifact != nil {
		d.artifact(ref, &c, artifact)
		return
	}
	bom.Attest(&c, Reader, at)
	d.Add(ref, c)
	for _, f := range p.HasFiles {
		d.Relate(ref, f, biopsy.Contains, "")
	}
}

// artifact takes a package that is no component: an artifact of a scan, or the subject when the scan had but one.
func (d *document) artifact(ref string, c *biopsy.Component, a *biopsy.Artifact) {
	d.Artifact(ref, len(d.artifacts))
	d.artifacts = append(d.artifacts, *a)
	if d.subjects == nil {
		d.subjects = map[string]biopsy.Subject{}
	}
	d.subjects[ref] = subjectOf(c)
}

func subjectOf(c *biopsy.Component) biopsy.Subject {
	return biopsy.Subject{Name: c.Name, Version: c.Version, Kind: c.Kind, Manufacturer: c.Supplier}
}

func (d *document) toComponent(p *pkg, at biopsy.Place) (biopsy.Component, *biopsy.Artifact) {
	c := biopsy.Component{Kind: kinds[p.PrimaryPackagePurpose], Version: stated(p.VersionInfo), Supplier: cmp.Or(party(p.Supplier), party(p.Originator)),
		Description: cmp.Or(p.Description, p.Summary), Homepage: stated(p.Homepage), Download: stated(p.DownloadLocation), Hashes: hashes(p.Checksums)}
	rest := identifiers(p.ExternalRefs, &c, func(err error) {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("package %.80q: %v", p.Name, err)})
	})
	setName(&c, p.Name)
	addLicense(&c, p.LicenseDeclared, "declared")
	addLicense(&c, p.LicenseConcluded, "concluded")
	keep(&c, p, rest)
	return c, note(&c, p.Annotations)
}

// setName takes the name as written; where it is the purl's own, parted as in the purl.
func setName(c *biopsy.Component, name string) {
	c.Namespace, c.Name = "", name
	if c.Purl == "" {
		return
	}
	p, err := eco.Parse(c.Purl)
	if err != nil {
		return
	}
	switch name {
	case p.Name, display(p.Type, p.Namespace, p.Name), p.Namespace + "/" + p.Name:
		c.Namespace, c.Name = p.Namespace, p.Name
	}
}

// display is how people of an ecosystem write a package's name.
func display(typ, namespace, name string) string {
	switch {
	case namespace == "" || typ == "deb" || typ == "rpm" || typ == "apk" || typ == "alpm":
		return name
	case typ == "maven":
		return namespace + ":" + name
	}
	return namespace + "/" + name
}

// stated returns "" for the words by which SPDX says that it says nothing.
func stated(s string) string {
	s = strings.TrimSpace(s)
	if s == "NOASSERTION" || s == "NONE" {
		return ""
	}
	return s
}

// party returns the name behind "Organization:", "Person:" or "Tool:", without empty brackets; "(mail)" becomes "<mail>".
func party(s string) string {
	s = stated(s)
	for _, p := range []string{"Organization:", "Person:", "Tool:"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			s = rest
		}
	}
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "()"))
	if name, rest, ok := strings.Cut(s, " ("); ok && strings.HasSuffix(rest, ")") {
		joined := bom.JoinMail(name, strings.TrimSuffix(rest, ")"))
		if _, mail := bom.SplitMail(joined); mail != "" {
			return joined
		}
	}
	return s
}

var kinds = map[string]biopsy.Kind{"APPLICATION": biopsy.Application, "FRAMEWORK": biopsy.Framework, "LIBRARY": biopsy.Library,
	"CONTAINER": biopsy.Container, "OPERATING-SYSTEM": biopsy.OperatingSystem, "OPERATING_SYSTEM": biopsy.OperatingSystem,
	"DEVICE": biopsy.DeviceKind, "FIRMWARE": biopsy.Firmware, "FILE": biopsy.FileKind}

// algorithms maps SPDX's names to CycloneDX's, which are ours.
var algorithms = map[string]string{"MD5": "MD5", "SHA1": "SHA-1", "SHA256": "SHA-256", "SHA384": "SHA-384", "SHA512": "SHA-512",
	"SHA3-256": "SHA3-256", "SHA3-384": "SHA3-384", "SHA3-512": "SHA3-512", "BLAKE2b-256": "BLAKE2b-256", "BLAKE2b-384": "BLAKE2b-384",
	"BLAKE2b-512": "BLAKE2b-512", "BLAKE3": "BLAKE3"}

func hashes(in []checksum) []biopsy.Hash {
	var out []biopsy.Hash
	for _, h := range in {
		alg := strings.TrimPrefix(h.Algorithm, "checksumAlgorithm_")
		out = append(out, biopsy.Hash{Alg: cmp.Or(algorithms[alg], alg), Value: strings.ToLower(strings.TrimSpace(h.ChecksumValue))})
	}
	return out
}

// identifiers takes purl and CPEs, and returns all other references.
func identifiers(refs []externalRef, c *biopsy.Component, bad func(error)) []externalRef {
	var rest []externalRef
	for _, r := range refs {
		switch kind := r.ReferenceType[strings.LastIndexByte(r.ReferenceType, '/')+1:]; {
		case kind == "purl" && c.Purl == "":
			bom.SetPurl(c, r.ReferenceLocator, bad)
		case kind == "purl":
			if p, err := eco.Parse(r.ReferenceLocator); err == nil {
				c.Aliases = append(c.Aliases, bom.Canonical(p, r.ReferenceLocator))
			}
		case kind == "cpe23Type" || kind == "cpe22Type":
			c.CPEs = append(c.CPEs, r.ReferenceLocator)
		case strings.HasPrefix(r.Comment, findingPrefix):
		default:
			rest = append(rest, r)
		}
	}
	return rest
}

func addLicense(c *biopsy.Component, words, basis string) {
	if words = stated(words); words == "" {
		return
	}
	l := biopsy.License{Basis: basis}
	bom.SetLicense(&l, words)
	c.Licenses = append(c.Licenses, l)
}

// keep puts fields that our words lack into Extra.
func keep(c *biopsy.Component, p *pkg, refs []externalRef) {
	for _, f := range []struct{ name, value string }{
		{"attributionTexts", strings.Join(p.AttributionTexts, "\n\n")}, {"builtDate", p.BuiltDate}, {"comment", p.Comment}, {"copyrightText", stated(p.CopyrightText)},
		{"licenseComments", p.LicenseComments}, {"originator", stated(p.Originator)}, {"packageFileName", p.PackageFileName},
		{"releaseDate", p.ReleaseDate}, {"sourceInfo", p.SourceInfo}, {"summary", p.Summary}, {"validUntilDate", p.ValidUntilDate},
	} {
		if f.value != "" && !(f.name == "summary" && p.Description == "") {
			bom.Keep(c, extraKey+f.name, f.value)
		}
	}
	if kinds[p.PrimaryPackagePurpose] == "" && p.PrimaryPackagePurpose != "" {
		bom.Keep(c, extraKey+"primaryPackagePurpose", p.PrimaryPackagePurpose)
	}
	for _, r := range refs {
		bom.Keep(c, extraKey+"externalRef:"+r.ReferenceCategory+":"+r.ReferenceType, r.ReferenceLocator)
	}
}

// note reads what a scan wrote about a component, or about an artifact; foreign annotations are kept in Extra.
func note(c *biopsy.Component, annotations []annotation) *biopsy.Artifact {
	var a *biopsy.Artifact
	for _, x := range annotations {
		properties, ok := bom.ReadNote(x.Comment)
		if !ok {
			bom.Keep(c, extraKey+"annotation", x.Annotator+": "+x.Comment)
			continue
		}
		c.Extra = nil // all of it is in the note
		for _, p := range properties {
			if !bom.SetArtifact(&a, p) {
				bom.Set(c, p.Name, p.Value)
			}
		}
	}
	return a
}

func (d *document) file(f *file, at biopsy.Place) {
	c := biopsy.Component{Kind: biopsy.FileKind, Name: strings.TrimPrefix(f.FileName, "./"), Hashes: hashes(f.Checksums)}
	if c.Name == "" {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("file %.80q without a name is left out", f.SPDXID)})
		return
	}
	addLicense(&c, f.LicenseConcluded, "concluded")
	if t := stated(f.CopyrightText); t != "" {
		bom.Keep(&c, extraKey+"copyrightText", t)
	}
	note(&c, f.Annotations)
	bom.Attest(&c, Reader, at)
	d.Add(f.SPDXID, c)
	if d.files == nil {
		d.files = map[string]string{}
	}
	d.files[f.SPDXID] = c.Name
}

func (d *document) extract(l *extractedLicense) {
	if d.extracted == nil {
		d.extracted = map[string]string{}
	}
	d.extracted[l.LicenseID] = stated(l.Name)
}

// licenseNames gives licences that are a lone LicenseRef the name behind it. Ours are names that fitted no expression.
func (d *document) licenseNames() {
	if len(d.extracted) == 0 {
		return
	}
	d.Each(func(c *biopsy.Component) {
		for i := range c.Licenses {
			l := &c.Licenses[i]
			name, ok := d.extracted[l.Expression]
			switch {
			case !ok || name == "":
			case strings.HasPrefix(l.Expression, refPrefix):
				l.Expression, l.Name = "", name
			case name != l.Expression && len(license.Refs(l.Expression)) == 1:
				l.Name = name
			}
		}
	})
}

func (d *document) reportForeign() {
	for _, kind := range slices.Sorted(maps.Keys(d.foreign)) {
		d.Gap(biopsy.Gap{Reason: fmt.Sprintf("%d relationships %.40q are not taken over: no relation of ours means that", d.foreign[kind], kind)})
	}
}
