package spdx

import (
	"bufio"
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

// creationNode is the blank node that all elements name as their creation.
const creationNode = "_:creation"

// The individuals of SPDX 3 that say "none" and "no statement".
const (
	noneElement        = "https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"
	noAssertionElement = "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"
)

// writer3 is one scan on its way into a graph.
type writer3 struct {
	*scanWriter
	w        *bufio.Writer
	e        *json.Encoder
	n        int               // elements written
	agents   map[string]string // name -> id, of suppliers written so far
	licences map[string]string // expression -> id, of expressions written so far
	texts    map[string]bool   // LicenseRefs written so far
}

// WriteJSONLD writes the scan as SPDX 3.0.1 JSON-LD, one element a line.
func WriteJSONLD(w io.Writer, s *biopsy.Scan) error {
	scan, err := newScanWriter(s)
	if err != nil {
		return fmt.Errorf("spdx: %w", err)
	}
	b := bufio.NewWriterSize(w, 64<<10)
	o := &writer3{scanWriter: scan, w: b, e: json.NewEncoder(b), agents: map[string]string{}, licences: map[string]string{}, texts: map[string]bool{}}
	o.e.SetEscapeHTML(false)
	if _, err := b.WriteString("{\n \"@context\": \"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\",\n \"@graph\": [\n  "); err != nil {
		return fmt.Errorf("spdx: %w", err)
	}
	for _, step := range []func() error{o.head, o.packages, o.relationships} {
		if err := step(); err != nil {
			return fmt.Errorf("spdx: %w", err)
		}
	}
	b.WriteString(" ]\n}\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("spdx: %w", err)
	}
	return nil
}

func (o *writer3) emit(v any) error {
	if o.n++; o.n > 1 {
		o.w.WriteString("  ,")
	}
	return o.e.Encode(v)
}

// iri makes an id of the document's own name space.
func (o *writer3) iri(name string) string { return "urn:uuid:" + o.uuid + "#" + name }

func (o *writer3) node(kind, id, name string) node {
	return node{Type: kind, ID: id, CreationInfo: creationNode, Name: name}
}

// named is an id made of a word that may be anything.
func (o *writer3) named(kind, word string) string {
	sum := sha256.Sum256([]byte(word))
	return o.iri(kind + "-" + hex.EncodeToString(sum[:8]))
}

func (o *writer3) head() error {
	tool := o.iri("tool")
	author, agent := o.iri("author"), agent3{node: o.node("SoftwareAgent", o.iri("author"), o.toolName())}
	if m := bom.Line(o.Subject.Manufacturer); m != "" {
		agent = o.organization(m)
		author, o.agents[m] = agent.ID, agent.ID
	}
	phase := bom.Lifecycle(o.Scan)
	facts, err := o.facts()
	if err != nil {
		return err
	}
	doc := collection3{node: o.node("SpdxDocument", o.iri("SPDXRef-DOCUMENT"), cmp.Or(bom.Line(o.Subject.Name), "unnamed")),
		ProfileConformance: []string{"core", "software", "simpleLicensing", "extension"}, RootElement: []string{o.iri("sbom")}}
	sbom := collection3{node: o.node("software_Sbom", o.iri("sbom"), ""), RootElement: []string{o.root()}, Extension: extension(facts)}
	if t := sbomTypes[phase]; t != "" {
		sbom.SbomType = []string{t}
	}
	for _, v := range []any{
		creation3{Type: "CreationInfo", ID: creationNode, SpecVersion: "3.0.1", Created: o.date, CreatedBy: []string{author}, CreatedUsing: []string{tool}},
		agent, o.node("Tool", tool, o.toolName()), doc, sbom,
	} {
		if err := o.emit(v); err != nil {
			return err
		}
	}
	return nil
}

// sbomTypes are CISA's types of SBOM for CycloneDX's phases.
var sbomTypes = map[string]string{"pre-build": "source", "build": "build", "post-build": "analyzed", "operations": "deployed"}

// ref is the id of a relation's end.
func (o *writer3) ref(end string) string {
	return o.iri(strings.TrimPrefix(o.scanWriter.ref(end), "SPDXRef-"))
}

func (o *writer3) root() string { return o.iri(strings.TrimPrefix(o.scanWriter.root(), "SPDXRef-")) }

func extension(list []bom.Property) []extension3 {
	if len(list) == 0 {
		return nil
	}
	x := extension3{Type: "extension_CdxPropertiesExtension"}
	for _, p := range list {
		x.Properties = append(x.Properties, property3{"extension_CdxPropertyEntry", bom.Clean(p.Name), bom.Clean(p.Value)})
	}
	return []extension3{x}
}

func (o *writer3) packages() error {
	if o.subject < 0 {
		if err := o.subjectPackage(); err != nil {
			return err
		}
	}
	for i := range o.Artifacts {
		if len(o.Artifacts) == 1 {
			break
		}
		a := &o.Artifacts[i]
		p := package3{node: o.node("software_Package", o.ref("artifact:"+strconv.Itoa(i)), cmp.Or(bom.Line(a.Name), "artifact "+strconv.Itoa(i))),
			VerifiedUsing: digest3(a.Digest), Extension: extension(bom.ArtifactProperties(a))}
		if err := o.emit(p); err != nil {
			return err
		}
	}
	for _, i := range bom.ByID(o.Components) {
		if err := o.pkg(&o.Components[i]); err != nil {
			return fmt.Errorf("component %s: %w", o.Components[i].ID, err)
		}
	}
	return nil
}

func (o *writer3) subjectPackage() error {
	p := package3{node: o.node("software_Package", o.root(), cmp.Or(bom.Line(o.Subject.Name), "unnamed")),
		PackageVersion: bom.Line(o.Subject.Version), PrimaryPurpose: purpose3(o.Subject.Kind)}
	if len(o.Artifacts) == 1 {
		p.VerifiedUsing, p.Extension = digest3(o.Artifacts[0].Digest), extension(bom.ArtifactProperties(&o.Artifacts[0]))
	}
	if m := bom.Line(o.Subject.Manufacturer); m != "" {
		p.SuppliedBy = o.agents[m]
	}
	return o.emit(p)
}

func digest3(d string) []hash3 {
	for _, c := range digest(d) {
		return []hash3{{"Hash", "sha256", c.ChecksumValue}}
	}
	return nil
}

// purpose3 is the purpose for a kind; "" when SPDX has no word for it.
func purpose3(k biopsy.Kind) string {
	for _, p := range slices.Sorted(maps.Keys(purposes)) {
		if purposes[p] == string(k) {
			return p
		}
	}
	return ""
}

var names3 = map[string]string{"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "SHA3-256": "sha3_256",
	"SHA3-384": "sha3_384", "SHA3-512": "sha3_512", "BLAKE2b-256": "blake2b256", "BLAKE2b-384": "blake2b384", "BLAKE2b-512": "blake2b512", "BLAKE3": "blake3"}

// pkg writes a component, what it needs around it, and as properties what no field holds.
func (o *writer3) pkg(c *biopsy.Component) error {
	p := package3{node: o.node("software_Package", o.ref(c.ID), cmp.Or(bom.Line(display(c.Eco, c.Namespace, c.Name)), "unnamed")),
		Description: strings.TrimSpace(bom.Clean(c.Description)), PrimaryPurpose: purpose3(c.Kind), PackageVersion: bom.Line(c.Version),
		CopyrightText: bom.Clean(c.Extra[extraKey+"copyrightText"]), SourceInfo: sourceInfo(c), ValidUntilTime: validUntil(c)}
	if c.Kind == biopsy.FileKind && c.Version == "" && c.Purl == "" {
		p.Type, p.PrimaryPurpose, p.SourceInfo = "software_File", "", ""
	}
	for _, h := range c.Hashes {
		if sizes[h.Alg] == len(h.Value) && bom.HexDigest(h.Value) {
			p.VerifiedUsing = append(p.VerifiedUsing, hash3{"Hash", names3[h.Alg], h.Value})
		}
	}
	if p.Type == "software_Package" {
		if _, err := eco.Parse(c.Purl); c.Purl != "" && err == nil && bom.URI(c.Purl) {
			p.PackageURL = c.Purl
		}
		if bom.URI(c.Homepage) {
			p.HomePage = c.Homepage
		}
		if bom.URI(c.Download) {
			p.DownloadLocation = c.Download
		}
	}
	for _, cpe := range c.CPEs {
		if bom.CPE23(cpe) {
			p.ExternalIdentifier = append(p.ExternalIdentifier, identifier3{"ExternalIdentifier", "cpe23", cpe})
		}
	}
	if err := o.supplier(c, &p); err != nil {
		return err
	}
	properties, err := o.note(o.back(c, &p), c)
	if err != nil {
		return err
	}
	p.Extension = extension(properties)
	if err := o.emit(p); err != nil {
		return err
	}
	return o.licensed(c)
}

// back is what a reader finds in the fields of p and in the licences around it.
func (o *writer3) back(c *biopsy.Component, p *package3) *biopsy.Component {
	e := &element{Name: p.Name, PackageURL: p.PackageURL}
	for _, x := range p.ExternalIdentifier {
		e.ExternalIdentifier = append(e.ExternalIdentifier, identifier{Kind: x.Kind, Identifier: x.Identifier})
	}
	out := &biopsy.Component{Kind: biopsy.Kind(purposes[p.PrimaryPurpose]), Version: p.PackageVersion, Description: p.Description, Homepage: p.HomePage,
		Download: stated(p.DownloadLocation)}
	if p.Type == "software_File" {
		out.Kind = biopsy.FileKind
	}
	if p.SuppliedBy != "" {
		out.Supplier = bom.Line(c.Supplier)
	}
	(&document{}).identifiers3(e, out, biopsy.Place{})
	setName(out, e.Name)
	for _, h := range p.VerifiedUsing {
		out.Hashes = append(out.Hashes, biopsy.Hash{Alg: algorithms3[h.Algorithm], Value: h.HashValue})
	}
	declared, concluded := o.licenses(c)
	addLicense(out, declared, "declared")
	addLicense(out, concluded, "concluded")
	o.nameLicenses(out)
	return out
}

// organization writes "Name <mail>" with the address as an identifier.
func (o *writer3) organization(s string) agent3 {
	name, mail := bom.SplitMail(s)
	out := agent3{node: o.node("Organization", o.named("agent", s), name)}
	if mail != "" {
		out.ExternalIdentifier = []identifier3{{"ExternalIdentifier", "email", mail}}
	}
	return out
}

// supplier writes the organisation before the first component that it supplies.
func (o *writer3) supplier(c *biopsy.Component, p *package3) error {
	name := bom.Line(c.Supplier)
	if name == "" {
		return nil
	}
	id, ok := o.agents[name]
	if !ok {
		agent := o.organization(name)
		id = agent.ID
		o.agents[name] = id
		if err := o.emit(agent); err != nil {
			return err
		}
	}
	p.SuppliedBy = id
	return nil
}

func (o *writer3) licensed(c *biopsy.Component) error {
	declared, concluded := o.licenses(c)
	for _, l := range []struct{ words, kind string }{{declared, "hasDeclaredLicense"}, {concluded, "hasConcludedLicense"}} {
		if l.words == "NOASSERTION" {
			continue
		}
		id, err := o.license(l.words)
		if err != nil {
			return err
		}
		if err := o.relate(o.ref(c.ID), l.kind, []string{id}, "", ""); err != nil {
			return err
		}
	}
	return nil
}

// license writes an expression, and the texts of its own ids, once each.
func (o *writer3) license(words string) (string, error) {
	if id, ok := o.licences[words]; ok {
		return id, nil
	}
	id := o.named("license", words)
	o.licences[words] = id
	x := expression3{node: o.node("simplelicensing_LicenseExpression", id, ""), Expression: words, ListVersion: license.ListVersion + ".0"}
	for _, ref := range license.Refs(words) {
		was, ok := o.names[ref]
		if !ok {
			continue
		}
		text := o.named("license-text", ref)
		if !o.texts[ref] {
			o.texts[ref] = true
			if err := o.emit(text3{o.node("simplelicensing_SimpleLicensingText", text, was.Name), was.Name}); err != nil {
				return "", err
			}
		}
		x.CustomIDs = append(x.CustomIDs, entry3{"DictionaryEntry", ref, text})
	}
	return id, o.emit(x)
}
