package spdx

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// later is what a graph says before or after what it speaks of, resolved at its end.
type later struct {
	context  string
	seen     bool // an element of a graph
	version  string
	agents   map[string]string // agents and tools -> name
	creators []string
	tools    []string
	supplied []pair // component, agent
	licensed []licensed
	exact    map[string]bool   // components whose licences a scan wrote as a property
	licences map[string]string // id -> expression
	texts    map[string]string // id of a licence text -> name
	roots    map[string][]string
	tops     []string // collections that may be the document
	document string

	customIDs   []pair                // LicenseRef, and the text behind it
	identifiers map[string]identifier // that are elements of their own
	delayed     []func()              // packages that wait for them
}

func (l *later) check(d *document) error {
	if !l.seen {
		return fmt.Errorf("@context %.80q without a @graph", l.context)
	}
	if !strings.HasPrefix(l.version, "3.") {
		return fmt.Errorf("no CreationInfo with a specVersion of SPDX 3 (got %.20q)", l.version)
	}
	d.out.Version = l.version
	return nil
}

// element returns what takes one element of the graph.
func (l *later) element(d *document) func(*element, biopsy.Place) {
	l.seen = true
	l.identifiers, l.exact = map[string]identifier{}, map[string]bool{}
	l.agents, l.licences, l.texts, l.roots = map[string]string{}, map[string]string{}, map[string]string{}, map[string][]string{}
	return func(e *element, at biopsy.Place) {
		id := cmp.Or(e.ID, e.IDLD)
		switch kind := plainType(cmp.Or(e.Type, e.TypeLD)); kind {
		case "creationinfo":
			l.creation(d, e)
		case "organization", "person", "agent", "softwareagent", "tool":
			l.agents[id] = agentName(e)
		case "spdxdocument":
			l.document, d.title, d.out.ID = id, e.Name, id
			l.roots[id], l.tops = e.RootElement, append(l.tops, id)
		case "software_sbom", "bom", "bundle":
			l.roots[id], l.tops = e.RootElement, append(l.tops, id)
			d.out.Lifecycles = append(d.out.Lifecycles, e.SbomType...)
			d.documentProperties(e)
		case "externalidentifier":
			l.identifiers[id] = identifier{Kind: e.IdentifierType, Identifier: e.Identifier}
		case "software_package", "ai_aipackage", "dataset_datasetpackage":
			d.pkg3(e, id, at, biopsy.Kind(purposes[e.PrimaryPurpose]))
		case "software_file":
			d.pkg3(e, id, at, biopsy.FileKind)
		case "relationship", "lifecyclescopedrelationship":
			l.relationship(d, e)
		case "simplelicensing_licenseexpression":
			l.licences[id] = e.LicenseExpression
			for _, c := range e.CustomIDs {
				l.customIDs = append(l.customIDs, pair{c.Key, c.Value})
			}
		case "simplelicensing_simplelicensingtext", "expandedlicensing_customlicense":
			l.texts[id], l.licences[id] = e.Name, cmp.Or(e.Name, licenseID(id))
		case "expandedlicensing_listedlicense", "expandedlicensing_individuallicensinginfo":
			l.licences[id] = licenseID(id)
		case "expandedlicensing_conjunctivelicenseset":
			l.licences[id] = "\x00AND\x00" + strings.Join(e.Member, "\x00")
		case "expandedlicensing_disjunctivelicenseset":
			l.licences[id] = "\x00OR\x00" + strings.Join(e.Member, "\x00")
		case "annotation":
			if c := d.Component(e.Subject); c != nil && e.Statement != "" {
				bom.Keep(c, extraKey+"annotation", e.Statement)
			}
		}
	}
}

func (l *later) creation(d *document, e *element) {
	if l.version == "" {
		l.version, d.out.Created = e.SpecVersion, e.Created
		l.creators, l.tools = e.CreatedBy, e.CreatedUsing
	}
}

// documentProperties takes the gaps that a scan wrote.
func (d *document) documentProperties(e *element) {
	for _, x := range e.Extension {
		for _, p := range x.Properties {
			d.documentNote(bom.Note([]bom.Property{{Name: p.Name, Value: p.Value}}))
		}
	}
}

var purposes = map[string]string{"application": "application", "framework": "framework", "library": "library", "container": "container",
	"operatingSystem": "operating-system", "device": "device", "firmware": "firmware", "file": "file", "data": "data", "platform": "platform",
	"deviceDriver": "device-driver", "model": "machine-learning-model"}

func (d *document) pkg3(e *element, ref string, at biopsy.Place, kind biopsy.Kind) {
	if slices.ContainsFunc(e.ExternalIdentifier, func(x identifier) bool { return x.ref != "" }) {
		d.later.delayed = append(d.later.delayed, func() {
			for i, x := range e.ExternalIdentifier {
				if x.ref != "" {
					e.ExternalIdentifier[i] = d.later.identifiers[x.ref]
				}
			}
			d.pkg3(e, ref, at, kind)
		})
		return
	}
	c := biopsy.Component{Kind: kind, Version: stated(e.PackageVersion), Description: cmp.Or(e.Description, e.Summary), Homepage: stated(e.HomePage), Download: stated(e.DownloadLocation)}
	d.identifiers3(e, &c, at)
	for _, h := range e.VerifiedUsing {
		alg := strings.ToUpper(strings.ReplaceAll(h.Algorithm, "_", "-"))
		c.Hashes = append(c.Hashes, biopsy.Hash{Alg: cmp.Or(algorithms3[h.Algorithm], algorithms[alg], h.Algorithm), Value: strings.ToLower(h.HashValue)})
	}
	setName(&c, e.Name)
	if c.Name == "" {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("element %.80q without a name is left out", ref)})
		return
	}
	keep3(&c, e)
	a := properties3(&c, e)
	if a != nil {
		c.Supplier = stated(d.later.agents[first(e.SuppliedBy)])
		d.artifact(ref, &c, a)
		return
	}
	if len(c.Licenses) > 0 {
		d.later.exact[ref] = true
	}
	who := cmp.Or(first(e.SuppliedBy), first(e.OriginatedBy))
	if name, known := d.later.agents[who]; known {
		c.Supplier = cmp.Or(c.Supplier, stated(name))
	} else if who != "" {
		d.later.supplied = append(d.later.supplied, pair{ref, who})
	}
	bom.Attest(&c, Reader, at)
	d.Add(ref, c)
}

var algorithms3 = map[string]string{"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
	"sha3_256": "SHA3-256", "sha3_384": "SHA3-384", "sha3_512": "SHA3-512", "blake2b256": "BLAKE2b-256", "blake2b384": "BLAKE2b-384",
	"blake2b512": "BLAKE2b-512", "blake3": "BLAKE3"}

func (d *document) identifiers3(e *element, c *biopsy.Component, at biopsy.Place) {
	purl := e.PackageURL
	for _, x := range e.ExternalIdentifier {
		switch {
		case x.Kind == "packageUrl" || x.Kind == "packageURL" || x.Kind == "purl":
			purl = cmp.Or(purl, x.Identifier)
		case x.Kind == "cpe23" || x.Kind == "cpe22":
			c.CPEs = append(c.CPEs, x.Identifier)
		default:
			bom.Keep(c, extraKey+"externalIdentifier:"+x.Kind, x.Identifier)
		}
	}
	bom.SetPurl(c, purl, func(err error) { d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("package %.80q: %v", e.Name, err)}) })
}

func keep3(c *biopsy.Component, e *element) {
	for _, f := range []struct{ name, value string }{
		{"builtTime", e.BuiltTime}, {"comment", e.Comment}, {"copyrightText", stated(e.CopyrightText)}, {"releaseTime", e.ReleaseTime},
		{"sourceInfo", e.SourceInfo}, {"supportLevel", strings.Join(e.SupportLevel, " ")}, {"validUntilTime", e.ValidUntilTime},
	} {
		if f.value != "" {
			bom.Keep(c, extraKey+f.name, f.value)
		}
	}
	if purposes[e.PrimaryPurpose] == "" && e.PrimaryPurpose != "" {
		bom.Keep(c, extraKey+"primaryPurpose", e.PrimaryPurpose)
	}
	for _, r := range e.ExternalRef {
		bom.Keep(c, extraKey+"externalRef", string(r))
	}
}

// properties3 reads properties in CycloneDX's manner. Where one is a scan's own, the scan has written all of Extra as properties.
func properties3(c *biopsy.Component, e *element) *biopsy.Artifact {
	var a *biopsy.Artifact
	var all []bom.Property
	for _, x := range e.Extension {
		for _, p := range x.Properties {
			all = append(all, bom.Property{Name: p.Name, Value: p.Value})
		}
	}
	if slices.ContainsFunc(all, func(p bom.Property) bool { return strings.HasPrefix(p.Name, bom.Prefix) }) {
		c.Extra = nil
	}
	for _, p := range all {
		if !bom.SetArtifact(&a, p) {
			bom.Set(c, p.Name, p.Value)
		}
	}
	return a
}

func (l *later) relationship(d *document, e *element) {
	from, kind := first(e.From), plain(e.RelationshipType)
	for _, to := range e.To {
		switch kind {
		case "hasdeclaredlicense":
			l.take(d, licensed{from, to, "declared"})
		case "hasconcludedlicense":
			l.take(d, licensed{from, to, "concluded"})
		case "describes":
			if _, ok := l.roots[from]; !ok {
				l.tops = append(l.tops, from)
			}
			l.roots[from] = append(l.roots[from], to)
		default:
			d.relationship3(e, from, to)
		}
	}
	if e.Completeness != "" && len(e.To) > 0 && plain(e.RelationshipType) == "dependson" {
		aggregate := map[string]string{"complete": "complete", "incomplete": "incomplete"}[e.Completeness]
		d.complete = append(d.complete, bom.Composition{Aggregate: cmp.Or(aggregate, "unknown"), Dependencies: []string{from}})
	}
}

func (d *document) relationship3(e *element, from, to string) {
	if none(to) || noWord(to) {
		return
	}
	if scope := scopes3[e.Scope]; scope != "" && plain(e.RelationshipType) == "dependson" {
		d.Relate(from, to, biopsy.DependsOn, scope)
		return
	}
	d.relationship(&relationship{SpdxElementID: from, RelationshipType: e.RelationshipType, RelatedSpdxElement: to, Comment: e.Comment})
}

var scopes3 = map[string]biopsy.Scope{"runtime": biopsy.Runtime, "development": biopsy.Development, "build": biopsy.Development, "test": biopsy.Development}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
