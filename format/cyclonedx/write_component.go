package cyclonedx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// component turns c into what the document holds of it; what no field holds becomes properties.
func (o *scanWriter) component(c *biopsy.Component) (*cdx.Component, error) {
	out, err := fromExtra(c)
	if err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	p := properties(bom.Properties(c, func(k string) bool { return k == bom.SubjectKey || strings.HasPrefix(k, extraKey) }))
	out.BOMRef, out.Type = c.ID, kind(c.Kind, &p)
	out.Group, out.Name, out.Version, out.Description = bom.Clean(c.Namespace), bom.Clean(c.Name), bom.Clean(c.Version), bom.Clean(c.Description)
	out.Scope = scope(c.Scope, &p)
	if c.Supplier != "" && (out.Supplier != nil || supplier(out) != c.Supplier) {
		if out.Supplier == nil || bom.JoinMail(out.Supplier.Name, soleMail(out.Supplier)) != c.Supplier {
			out.Supplier = organization(c.Supplier)
		}
	}
	out.Hashes = hashList(c.Hashes, &p)
	if err := o.licenses(c, out, &p); err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	identifiers(c, out, &p)
	if out.ExternalReferences, err = links(c, out.ExternalReferences, &p); err != nil {
		return nil, fmt.Errorf("component %s: %w", c.ID, err)
	}
	o.evidence(c, out)
	o.relations(c, &p)
	if u := unstated(c); u != "" {
		p.add(bom.Unstated, u)
	}
	out.Properties = p.list()
	return out, nil
}

// organization writes "Name <mail>" as regulators look for it: the address as a contact.
func organization(s string) *cdx.OrganizationalEntity {
	name, mail := bom.SplitMail(bom.Clean(s))
	org := &cdx.OrganizationalEntity{Name: name}
	if mail != "" {
		org.Contact = &[]cdx.OrganizationalContact{{Email: mail}}
	}
	return org
}

// fromExtra brings back the fields that an earlier CycloneDX document had and our words lack.
func fromExtra(c *biopsy.Component) (*cdx.Component, error) {
	out := &cdx.Component{}
	var keys []string
	for k := range c.Extra {
		if strings.HasPrefix(k, extraKey) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	slices.Sort(keys)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name := k[len(extraKey):]
		value := []byte(c.Extra[k])
		if words[name] {
			value = quoted(bom.Clean(c.Extra[k]))
		}
		if !json.Valid(value) {
			return nil, fmt.Errorf("extra %q is not JSON", k)
		}
		b.Write(quoted(name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	if err := json.Unmarshal(b.Bytes(), out); err != nil {
		return nil, fmt.Errorf("extra fields: %w", err)
	}
	return out, nil
}

// properties grows the list of a component's properties.
type properties []bom.Property

func (p *properties) add(name, value string) { *p = append(*p, bom.Property{Name: name, Value: value}) }

func (p properties) list() *[]cdx.Property {
	if len(p) == 0 {
		return nil
	}
	out := make([]cdx.Property, len(p))
	for i, v := range p {
		out[i] = cdx.Property{Name: bom.Clean(v.Name), Value: bom.Clean(v.Value)}
	}
	return &out
}

// kinds are the component types of CycloneDX 1.6.
var kinds = []cdx.ComponentType{cdx.ComponentTypeApplication, cdx.ComponentTypeFramework, cdx.ComponentTypeLibrary, cdx.ComponentTypeContainer,
	cdx.ComponentTypePlatform, cdx.ComponentTypeOS, cdx.ComponentTypeDevice, cdx.ComponentTypeDeviceDriver, cdx.ComponentTypeFirmware,
	cdx.ComponentTypeFile, cdx.ComponentTypeMachineLearningModel, cdx.ComponentTypeData, cdx.ComponentTypeCryptographicAsset}

func kind(k biopsy.Kind, p *properties) cdx.ComponentType {
	if t := cdx.ComponentType(k); slices.Contains(kinds, t) {
		return t
	}
	value := string(k)
	if value == "" {
		value = "unknown"
	}
	p.add(bom.Prefix+"kind", value)
	return cdx.ComponentTypeLibrary
}

func scope(s biopsy.Scope, p *properties) cdx.Scope {
	switch s {
	case "":
		return ""
	case biopsy.Runtime:
		return cdx.ScopeRequired
	case biopsy.Optional:
		return cdx.ScopeOptional
	case biopsy.Development:
		return cdx.ScopeExcluded
	}
	p.add(bom.Prefix+"scope", string(s))
	return ""
}

// algorithms are the hash algorithms of CycloneDX 1.6.
var algorithms = []cdx.HashAlgorithm{cdx.HashAlgoMD5, cdx.HashAlgoSHA1, cdx.HashAlgoSHA256, cdx.HashAlgoSHA384, cdx.HashAlgoSHA512,
	cdx.HashAlgoSHA3_256, cdx.HashAlgoSHA3_384, cdx.HashAlgoSHA3_512, cdx.HashAlgoBlake2b_256, cdx.HashAlgoBlake2b_384,
	cdx.HashAlgoBlake2b_512, cdx.HashAlgoBlake3}

func hashList(in []biopsy.Hash, p *properties) *[]cdx.Hash {
	var out []cdx.Hash
	for _, h := range in {
		alg := cdx.HashAlgorithm(h.Alg)
		if slices.Contains(algorithms, alg) && bom.HexDigest(h.Value) {
			out = append(out, cdx.Hash{Algorithm: alg, Value: h.Value})
			continue
		}
		p.add(bom.Prefix+"hash", h.Alg+"="+h.Value)
	}
	if out == nil {
		return nil
	}
	return &out
}

// identifiers writes purl and CPEs; what is malformed or has no room goes to properties.
func identifiers(c *biopsy.Component, out *cdx.Component, p *properties) {
	if _, err := eco.Parse(c.Purl); c.Purl != "" && err == nil && bom.URI(c.Purl) {
		out.PackageURL = c.Purl
	} else {
		if c.Purl != "" {
			p.add(bom.Prefix+"purl", c.Purl)
		}
		if c.Eco != "" {
			p.add(bom.Prefix+"eco", c.Eco)
		}
	}
	for i, cpe := range c.CPEs {
		if i == 0 && (bom.CPE23(cpe) || bom.CPE22(cpe)) {
			out.CPE = cpe
			continue
		}
		p.add(bom.Prefix+"cpe", cpe)
	}
}

// links writes home page, repository and download before the references of an earlier document. A URL that is none goes to a
// property, for schemas refuse it.
func links(c *biopsy.Component, earlier *[]cdx.ExternalReference, p *properties) (*[]cdx.ExternalReference, error) {
	var out []cdx.ExternalReference
	for _, l := range []struct {
		kind cdx.ExternalReferenceType
		url  string
		name string
	}{{cdx.ERTypeWebsite, c.Homepage, "homepage"}, {cdx.ERTypeVCS, c.Repository, "repository"}, {cdx.ERTypeDistribution, c.Download, "download"}} {
		switch {
		case l.url == "":
		case bom.URI(l.url):
			out = append(out, cdx.ExternalReference{Type: l.kind, URL: l.url})
		default:
			p.add(bom.Prefix+l.name, l.url)
		}
	}
	for _, r := range list(earlier) {
		if bom.URI(r.URL) {
			out = append(out, r)
			continue
		}
		b, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("reference %.80q: %w", r.URL, err)
		}
		p.add(bom.Reference, string(b))
	}
	if out == nil {
		return nil, nil
	}
	return &out, nil
}

// relations writes the edges that the graph of the document cannot tell from depends-on.
func (o *scanWriter) relations(c *biopsy.Component, p *properties) {
	into := o.edges.Into(c.ID)
	for i, r := range into {
		root := strings.HasPrefix(r.From, "artifact:")
		switch {
		case r.Kind == biopsy.Contains && !root:
			p.add(bom.ContainedIn, r.From)
		case r.Kind == biopsy.Contains && both(into, i):
			p.add(bom.ContainedIn, o.ref(r.From))
		case r.Kind == biopsy.DependsOn && r.Scope == "" && (root || both(into, i)):
			p.add(bom.NeededBy, o.ref(r.From))
		}
	}
	p.addAll(o.outward(c.ID))
}

func (p *properties) addAll(more []bom.Property) { *p = append(*p, more...) }

// outward lists the edges from an end that carry more than the graph holds; those of one scope stand in one property.
func (o *scanWriter) outward(end string) []bom.Property {
	var out []bom.Property
	for _, r := range o.edges.From(end) {
		name := bom.BuiltFrom
		if r.Kind == biopsy.DependsOn && r.Scope != "" {
			name = bom.NeedScope + string(r.Scope)
		} else if r.Kind != biopsy.BuiltFrom {
			continue
		}
		i := slices.IndexFunc(out, func(p bom.Property) bool { return p.Name == name })
		if i < 0 {
			out = append(out, bom.Property{Name: name, Value: o.ref(r.To)})
			continue
		}
		out[i].Value += " " + o.ref(r.To)
	}
	return out
}

// both tells whether edge i is not the only one from its end; edges from one end stand together.
func both(into []biopsy.Relation, i int) bool {
	from := into[i].From
	for j := i - 1; j >= 0 && into[j].From == from; j-- {
		if into[j].Kind != biopsy.BuiltFrom {
			return true
		}
	}
	for j := i + 1; j < len(into) && into[j].From == from; j++ {
		if into[j].Kind != biopsy.BuiltFrom {
			return true
		}
	}
	return false
}

// unstated names what regulators ask for and nobody knows.
func unstated(c *biopsy.Component) string {
	var out []string
	for _, f := range []struct {
		name string
		none bool
	}{{"version", c.Version == ""}, {"supplier", c.Supplier == ""}, {"license", len(c.Licenses) == 0}, {"hash", len(c.Hashes) == 0}} {
		if f.none {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, " ")
}

func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return b
}
