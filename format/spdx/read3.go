package spdx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// element is any element of SPDX 3, with the fields of all classes that are read.
type element struct {
	Type        string `json:"type"`
	TypeLD      string `json:"@type"`
	ID          string `json:"spdxId"`
	IDLD        string `json:"@id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Summary     string `json:"summary"`
	Comment     string `json:"comment"`

	// CreationInfo
	SpecVersion  string `json:"specVersion"`
	Created      string `json:"created"`
	CreatedBy    refs   `json:"createdBy"`
	CreatedUsing refs   `json:"createdUsing"`

	// Artifact
	SuppliedBy     refs   `json:"suppliedBy"`
	OriginatedBy   refs   `json:"originatedBy"`
	BuiltTime      string `json:"builtTime"`
	ReleaseTime    string `json:"releaseTime"`
	ValidUntilTime string `json:"validUntilTime"`
	SupportLevel   refs   `json:"supportLevel"`
	VerifiedUsing  []struct {
		Type      string `json:"type"`
		Algorithm string `json:"algorithm"`
		HashValue string `json:"hashValue"`
	} `json:"verifiedUsing"`
	ExternalIdentifier []identifier      `json:"externalIdentifier"`
	ExternalRef        []json.RawMessage `json:"externalRef"`
	Extension          []struct {
		Properties []struct {
			Name  string `json:"extension_cdxPropName"`
			Value string `json:"extension_cdxPropValue"`
		} `json:"extension_cdxProperty"`
	} `json:"extension"`

	// Software
	PrimaryPurpose   string `json:"software_primaryPurpose"`
	CopyrightText    string `json:"software_copyrightText"`
	PackageVersion   string `json:"software_packageVersion"`
	PackageURL       string `json:"software_packageUrl"`
	DownloadLocation string `json:"software_downloadLocation"`
	HomePage         string `json:"software_homePage"`
	SourceInfo       string `json:"software_sourceInfo"`
	SbomType         refs   `json:"software_sbomType"`

	// Collections and relationships
	RootElement      refs   `json:"rootElement"`
	From             refs   `json:"from"`
	To               refs   `json:"to"`
	RelationshipType string `json:"relationshipType"`
	Completeness     string `json:"completeness"`
	Scope            string `json:"scope"`

	// Licences
	LicenseExpression string `json:"simplelicensing_licenseExpression"`
	CustomIDs         []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"simplelicensing_customIdToUri"`
	Member refs `json:"expandedlicensing_member"`

	// ExternalIdentifier as an element
	IdentifierType string `json:"externalIdentifierType"`
	Identifier     string `json:"identifier"`

	// Annotations
	Statement string `json:"statement"`
	Subject   string `json:"subject"`
}

// identifier is an external identifier, in its place, or an element of its own that others refer to.
type identifier struct {
	Kind       string `json:"externalIdentifierType"`
	Identifier string `json:"identifier"`
	ref        string // of the element that holds it; "" when it is here
}

func (x *identifier) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &x.ref)
	}
	type plain identifier
	return json.Unmarshal(b, (*plain)(x))
}

// refs is one string or a list of them; elements written in place give their id.
type refs []string

func (s *refs) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		*s = refs{""}
		return json.Unmarshal(b, &(*s)[0])
	case json.Unmarshal(b, (*[]string)(s)) == nil:
		return nil
	}
	*s = nil
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, x := range list {
		if id := reference(x); id != "" {
			*s = append(*s, id)
		}
	}
	return nil
}

// reference returns the id of an element that is referred to, or written in place.
func reference(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, k := range []string{"spdxId", "@id"} {
			if id, ok := v[k].(string); ok {
				return id
			}
		}
	}
	return ""
}

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

type licensed struct {
	component, license, basis string
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

// agentName is "Name <mail>" when a mail address is the one identifier.
func agentName(e *element) string {
	if len(e.ExternalIdentifier) == 1 && e.ExternalIdentifier[0].Kind == "email" {
		joined := bom.JoinMail(e.Name, e.ExternalIdentifier[0].Identifier)
		if _, mail := bom.SplitMail(joined); mail != "" {
			return joined
		}
	}
	return e.Name
}

// plainType brings "software:Package", "Software_Package" and a full IRI's last words to one spelling.
func plainType(t string) string {
	if i := strings.LastIndex(t, "/terms/"); i >= 0 {
		t = strings.TrimPrefix(t[i+len("/terms/"):], "Core/")
	}
	return strings.NewReplacer(":", "_", "/", "_").Replace(strings.ToLower(t))
}

func licenseID(iri string) string {
	return iri[strings.LastIndexAny(iri, "/#")+1:]
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
			l.roots[from] = append(l.roots[from], to)
			if !slices.Contains(l.tops, from) {
				l.tops = append(l.tops, from)
			}
		default:
			d.relationship3(e, from, to)
		}
	}
	if e.Completeness != "" && len(e.To) > 0 && plain(e.RelationshipType) == "dependson" {
		aggregate := map[string]string{"complete": "complete", "incomplete": "incomplete"}[e.Completeness]
		d.complete = append(d.complete, bom.Composition{Aggregate: cmp.Or(aggregate, "unknown"), Dependencies: []string{from}})
	}
}

// take gives a component its licence at once when both are known, for a graph may have millions; else at the end.
func (l *later) take(d *document, x licensed) {
	words, known := l.licences[x.license]
	c := d.Component(x.component)
	switch {
	case !known || c == nil || strings.HasPrefix(words, "\x00"):
		l.licensed = append(l.licensed, x)
	case !l.exact[x.component]:
		l.license(c, x)
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

// resolve brings names, licences and the subject together once the whole graph is read.
func (l *later) resolve(d *document) {
	if !l.seen {
		return
	}
	for _, add := range l.delayed {
		add()
	}
	for _, id := range l.tools {
		d.out.Tools = append(d.out.Tools, toolOf(l.agents[id]))
	}
	for _, id := range l.creators {
		if name := l.agents[id]; name != "" {
			d.out.Authors = append(d.out.Authors, name)
		}
	}
	for _, s := range l.supplied {
		if c := d.Component(s.a); c != nil && c.Supplier == "" {
			c.Supplier = stated(l.agents[s.b])
		}
	}
	for _, x := range l.customIDs {
		d.extract(&extractedLicense{LicenseID: x.a, Name: l.texts[x.b]})
	}
	for _, x := range l.licensed {
		if c := d.Component(x.component); c != nil && !l.exact[x.component] {
			l.license(c, x)
		}
	}
	for _, top := range l.tops {
		for _, root := range l.roots[top] {
			l.describe(d, root, 0)
		}
	}
}

// describe follows collections down to the elements that they are about.
func (l *later) describe(d *document, ref string, depth int) {
	if depth < 4 && slices.Contains(l.tops, ref) {
		for _, root := range l.roots[ref] {
			l.describe(d, root, depth+1)
		}
		return
	}
	if d.ID(ref) != "" {
		d.describes(ref)
	}
}

func (l *later) license(c *biopsy.Component, x licensed) {
	words := l.expression(x.license, 0)
	if words == "" || strings.HasPrefix(words, "NoAssertion") || strings.HasPrefix(words, "None") {
		return
	}
	out := biopsy.License{Basis: x.basis}
	bom.SetLicense(&out, words)
	if name := l.texts[x.license]; name != "" && out.Expression == "" {
		out.Name = name
	}
	if !slices.Contains(c.Licenses, out) {
		c.Licenses = append(c.Licenses, out)
	}
}

// expression writes a licence element as words; sets nest no deeper than 8.
func (l *later) expression(id string, depth int) string {
	words, ok := l.licences[id]
	if !ok {
		return stated(licenseID(id))
	}
	rest, set := strings.CutPrefix(words, "\x00")
	if !set || depth > 8 {
		return stated(words)
	}
	operator, members, _ := strings.Cut(rest, "\x00")
	var parts []string
	for _, m := range strings.Split(members, "\x00") {
		w := l.expression(m, depth+1)
		if strings.Contains(w, " ") {
			w = "(" + w + ")"
		}
		parts = append(parts, w)
	}
	return strings.Join(parts, " "+operator+" ")
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
