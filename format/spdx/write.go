package spdx

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/license"
)

// The words of our own that stand in documents.
const (
	gapProperty   = bom.Prefix + "gap"   // on the document: one biopsy.Gap as JSON
	findingPrefix = "biopsy finding "    // begins the comment of an external reference that is a finding
	refPrefix     = "LicenseRef-biopsy-" // begins the ids of licences that we have only a name for
	subjectRef    = "SPDXRef-Subject"
)

// WriteJSON writes the scan as SPDX 2.3 JSON, one element a line.
func WriteJSON(w io.Writer, s *biopsy.Scan) error { return write(s, newJSONEncoder(w)) }

// WriteTagValue writes the scan as SPDX 2.3 tag-value.
func WriteTagValue(w io.Writer, s *biopsy.Scan) error { return write(s, newTagEncoder(w)) }

// encoder writes the parts of a document, in this order: in tag-value, a file that follows a package belongs to it.
type encoder interface {
	header(*header) error
	file(*file) error
	pkg(*pkg) error
	extracted(*extractedLicense) error
	relationship(*relationship) error
	end() error
}

// scanWriter is one scan on its way into a document of SPDX 2 or 3.
type scanWriter struct {
	*biopsy.Scan
	uuid     string
	date     string
	edges    bom.Edges
	subject  int // index of the component that is the subject; -1 when none is
	findings map[string][]*biopsy.Finding
	names    map[string]biopsy.License // LicenseRef -> what it stands for
}

func newScanWriter(s *biopsy.Scan) (*scanWriter, error) {
	id, err := bom.UUID(s)
	if err != nil {
		return nil, err
	}
	o := &scanWriter{Scan: s, uuid: id, date: bom.Dated(s), edges: bom.NewEdges(s), subject: bom.SubjectOf(s),
		findings: map[string][]*biopsy.Finding{}, names: map[string]biopsy.License{}}
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Subject == "vulnerability" && f.Answer != biopsy.No {
			o.findings[f.Component] = append(o.findings[f.Component], f)
		}
	}
	return o, nil
}

func write(s *biopsy.Scan, e encoder) error {
	o, err := newScanWriter(s)
	if err != nil {
		return fmt.Errorf("spdx: %w", err)
	}
	for _, step := range []func(encoder) error{o.header, o.files, o.packages, o.extracted, o.relationships, encoder.end} {
		if err := step(e); err != nil {
			return fmt.Errorf("spdx: %w", err)
		}
	}
	return nil
}

func (o *scanWriter) header(e encoder) error {
	name := cmp.Or(bom.Line(o.Subject.Name), "unnamed")
	h := &header{SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: name,
		DocumentNamespace: "https://spdx.org/spdxdocs/" + slug(name) + "-" + o.uuid,
		CreationInfo:      creationInfo{Created: o.date, Creators: o.creators(), LicenseListVersion: license.ListVersion, Comment: o.context()}}
	p, err := o.facts()
	if err != nil {
		return err
	}
	if len(p) > 0 {
		h.Annotations = []annotation{o.annotation(bom.Note(p))}
	}
	return e.header(h)
}

func (o *scanWriter) creators() []string {
	out := []string{"Tool: " + o.toolName()}
	if o.Subject.Manufacturer != "" {
		out = append([]string{organization(o.Subject.Manufacturer)}, out...)
	}
	return out
}

func (o *scanWriter) toolName() string {
	name := cmp.Or(bom.Line(o.Tool.Name), "unknown")
	if v := bom.Line(o.Tool.Version); v != "" {
		name += "-" + v
	}
	return name
}

// context says when in its life the software was looked at; "" when the artifacts do not tell.
func (o *scanWriter) context() string {
	if phase := bom.Lifecycle(o.Scan); phase != "" {
		return contextPrefix + phase
	}
	return ""
}

// facts are the statements about the document as a whole that no field holds: options, books, and every gap.
func (o *scanWriter) facts() ([]bom.Property, error) {
	p := bom.Facts(o.Scan)
	for _, g := range o.Gaps {
		b, err := json.Marshal(g)
		if err != nil {
			return nil, fmt.Errorf("gap at %s: %w", g.Place, err)
		}
		p = append(p, bom.Property{Name: gapProperty, Value: string(b)})
	}
	return p, nil
}

func (o *scanWriter) annotation(text string) annotation {
	return annotation{Annotator: "Tool: " + o.toolName(), AnnotationDate: o.date, AnnotationType: "OTHER", Comment: text}
}

// ref is the document's reference of a relation's end.
func (o *scanWriter) ref(end string) string {
	n, ok := strings.CutPrefix(end, "artifact:")
	switch {
	case ok && len(o.Artifacts) <= 1:
		return o.root()
	case ok:
		return "SPDXRef-Artifact-" + n
	}
	return "SPDXRef-" + slug(end)
}

func (o *scanWriter) root() string {
	if o.subject >= 0 {
		return "SPDXRef-" + slug(o.Components[o.subject].ID)
	}
	return subjectRef
}

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

// validUntil is the end of support, where somebody stated it.
func validUntil(c *biopsy.Component) string {
	d := cmp.Or(c.Extra[bom.Foreign+"cdx:lifecycle:milestone:endOfSupport"], c.Extra[extraKey+"validUntilDate"], c.Extra[extraKey+"validUntilTime"])
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

// licenses joins what is declared, and what is concluded, into one expression each. What was read from texts is in the note.
func (o *scanWriter) licenses(c *biopsy.Component) (declared, concluded string) {
	var d, k []string
	for _, l := range c.Licenses {
		x := o.expression(l)
		switch {
		case x == "" || l.Basis == "found":
		case l.Basis == "concluded":
			k = append(k, x)
		default:
			d = append(d, x)
		}
	}
	return join(d), join(k)
}

func join(list []string) string {
	switch len(list) {
	case 0:
		return "NOASSERTION"
	case 1:
		return list[0]
	}
	for i, x := range list {
		if strings.Contains(x, " ") {
			list[i] = "(" + x + ")"
		}
	}
	return strings.Join(list, " AND ")
}

// expression writes a statement as SPDX: words that are no expression get an id of their own.
func (o *scanWriter) expression(l biopsy.License) string {
	if license.Valid(l.Expression) {
		o.declare(l)
		return l.Expression
	}
	name := bom.Line(cmp.Or(l.Expression, l.Name, l.URL))
	if name == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	ref := refPrefix + slug(name) + "-" + hex.EncodeToString(sum[:4])
	o.names[ref] = biopsy.License{Name: name, URL: l.URL}
	return ref
}

// declare remembers the LicenseRefs of an expression: a document must say something of each.
func (o *scanWriter) declare(l biopsy.License) {
	for _, ref := range license.Refs(l.Expression) {
		if _, ok := o.names[ref]; !ok && !strings.HasPrefix(ref, "DocumentRef-") {
			o.names[ref] = biopsy.License{Name: cmp.Or(bom.Line(l.Name), ref)}
		}
	}
}

// slug keeps letters, digits, dots and dashes, as ids want them, and no more than 64 of them.
func slug(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < 64; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '-':
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "x")
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

func (o *scanWriter) extracted(e encoder) error {
	for _, ref := range slices.Sorted(maps.Keys(o.names)) {
		l := o.names[ref]
		x := &extractedLicense{LicenseID: ref, Name: l.Name, ExtractedText: l.Name}
		if bom.URI(l.URL) {
			x.SeeAlsos = []string{l.URL}
		}
		if err := e.extracted(x); err != nil {
			return err
		}
	}
	return nil
}

// kinds2 names relations; those with a scope are named from the other end.
func relation2(o *scanWriter, r biopsy.Relation) *relationship {
	from, to := o.ref(r.From), o.ref(r.To)
	switch {
	case r.Kind == biopsy.Contains:
		return &relationship{SpdxElementID: from, RelationshipType: "CONTAINS", RelatedSpdxElement: to}
	case r.Kind == biopsy.BuiltFrom:
		return &relationship{SpdxElementID: from, RelationshipType: "GENERATED_FROM", RelatedSpdxElement: to}
	case r.Scope == biopsy.Runtime:
		return &relationship{SpdxElementID: to, RelationshipType: "RUNTIME_DEPENDENCY_OF", RelatedSpdxElement: from}
	case r.Scope == biopsy.Development:
		return &relationship{SpdxElementID: to, RelationshipType: "DEV_DEPENDENCY_OF", RelatedSpdxElement: from}
	case r.Scope == biopsy.Optional:
		return &relationship{SpdxElementID: to, RelationshipType: "OPTIONAL_DEPENDENCY_OF", RelatedSpdxElement: from}
	}
	return &relationship{SpdxElementID: from, RelationshipType: "DEPENDS_ON", RelatedSpdxElement: to}
}

// relationships writes the edges. What nothing points to is contained in the subject: what was found in a device is in the device. A
// component of a package database without dependencies depends on NONE; a scan with gaps contains NOASSERTION, for there may be more.
func (o *scanWriter) relationships(e encoder) error {
	emit := func(from, kind, to string) error {
		return e.relationship(&relationship{SpdxElementID: from, RelationshipType: kind, RelatedSpdxElement: to})
	}
	if err := emit("SPDXRef-DOCUMENT", "DESCRIBES", o.root()); err != nil {
		return err
	}
	if len(o.Artifacts) > 1 {
		for i := range o.Artifacts {
			if err := emit(o.root(), "CONTAINS", "SPDXRef-Artifact-"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	if len(o.Gaps) > 0 {
		if err := emit(o.root(), "CONTAINS", "NOASSERTION"); err != nil {
			return err
		}
	}
	for _, r := range o.edges.All() {
		if x := relation2(o, r); x.SpdxElementID != x.RelatedSpdxElement {
			if err := e.relationship(x); err != nil {
				return err
			}
		}
	}
	for _, i := range bom.ByID(o.Components) {
		c := &o.Components[i]
		if i != o.subject && !o.edges.Reached(c.ID) {
			if err := emit(o.root(), "CONTAINS", o.ref(c.ID)); err != nil {
				return err
			}
		}
		if bom.Resolved(c) && len(o.edges.From(c.ID)) == 0 {
			if err := emit(o.ref(c.ID), "DEPENDS_ON", "NONE"); err != nil {
				return err
			}
		}
	}
	return nil
}
