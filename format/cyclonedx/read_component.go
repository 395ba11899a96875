package cyclonedx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// extraKey begins the keys of Component.Extra that hold CycloneDX fields our words lack, as compact JSON.
const extraKey = "cyclonedx:"

// component takes one component and those inside it. parent is the reference of what contains it, "" at the top.
func (d *document) component(c *cdx.Component, at biopsy.Place, parent string) {
	ref := c.BOMRef
	if ref == "" {
		d.unnamed++
		ref = "\x00" + strconv.Itoa(d.unnamed)
	}
	d.add(c, ref, at, parent)
	for i := range list(c.Components) {
		d.component(&(*c.Components)[i], at, ref)
	}
}

func (d *document) add(c *cdx.Component, ref string, at biopsy.Place, parent string) {
	out := d.toComponent(c, at)
	if out.Name == "" {
		d.Gap(biopsy.Gap{Place: at, Reason: "component without a name is left out"})
		return
	}
	d.relations(c, ref)
	d.Add(ref, out)
	if parent != "" {
		d.Relate(parent, ref, biopsy.Contains, "")
	}
}

// relations takes what our own properties say of the component's references.
func (d *document) relations(c *cdx.Component, ref string) {
	for _, p := range list(c.Properties) {
		if !own(p.Name) || p.Name == bom.Reference {
			continue
		}
		for _, other := range strings.Fields(p.Value) {
			switch scope, ok := strings.CutPrefix(p.Name, bom.NeedScope); {
			case ok:
				d.Relate(ref, other, biopsy.DependsOn, biopsy.Scope(scope))
			case p.Name == bom.ContainedIn:
				d.Relate(other, ref, biopsy.Contains, "")
			case p.Name == bom.NeededBy:
				d.Relate(other, ref, biopsy.DependsOn, "")
			case p.Name == bom.BuiltFrom:
				d.Relate(ref, other, biopsy.BuiltFrom, "")
			}
		}
	}
}

// own tells whether a property speaks of references or of artifacts, which relations and metadata read.
func own(name string) bool {
	return name == bom.Reference || name == bom.ContainedIn || name == bom.NeededBy || name == bom.BuiltFrom || strings.HasPrefix(name, bom.NeedScope) ||
		strings.HasPrefix(name, bom.ArtifactPrefix) || strings.HasPrefix(name, bom.LedgerPrefix)
}

func (d *document) toComponent(c *cdx.Component, at biopsy.Place) biopsy.Component {
	out := biopsy.Component{Kind: biopsy.Kind(c.Type), Namespace: c.Group, Name: c.Name, Version: c.Version, Description: c.Description,
		Scope: scopes[c.Scope], Supplier: supplier(c), Hashes: hashes(c.Hashes)}
	bom.SetPurl(&out, c.PackageURL, func(err error) {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("component %.80q: %v", c.Name, err)})
	})
	if c.CPE != "" {
		out.CPEs = []string{c.CPE}
	}
	out.Licenses = append(licenses(c.Licenses, ""), foundLicenses(c.Evidence)...)
	rest := references(c, &out)
	for _, p := range list(c.Properties) {
		if !own(p.Name) {
			bom.Set(&out, p.Name, p.Value)
		}
	}
	d.keep(c, rest, &out, at)
	evidence(c, &out)
	bom.Attest(&out, Reader, at)
	return out
}

var scopes = map[cdx.Scope]biopsy.Scope{cdx.ScopeRequired: biopsy.Runtime, cdx.ScopeOptional: biopsy.Optional, cdx.ScopeExcluded: biopsy.Development}

// supplier is who supplies, else makes, else publishes, else wrote it.
func supplier(c *cdx.Component) string {
	for _, org := range []*cdx.OrganizationalEntity{c.Supplier, c.Manufacturer} {
		if org != nil && org.Name != "" {
			return bom.JoinMail(org.Name, soleMail(org))
		}
	}
	for _, a := range list(c.Authors) {
		if c.Publisher == "" && c.Author == "" && a.Name != "" {
			return a.Name
		}
	}
	return cmp.Or(c.Publisher, c.Author)
}

// soleMail is the mail address of an organisation of which a name and that address are all that is said; else "".
func soleMail(org *cdx.OrganizationalEntity) string {
	contacts := list(org.Contact)
	if len(contacts) != 1 || contacts[0] != (cdx.OrganizationalContact{Email: contacts[0].Email}) || org.URL != nil || org.Address != nil || org.BOMRef != "" {
		return ""
	}
	if _, mail := bom.SplitMail(bom.JoinMail(org.Name, contacts[0].Email)); mail != contacts[0].Email {
		return ""
	}
	return contacts[0].Email
}

func hashes(in *[]cdx.Hash) []biopsy.Hash {
	var out []biopsy.Hash
	for _, h := range list(in) {
		out = append(out, biopsy.Hash{Alg: string(h.Algorithm), Value: strings.ToLower(strings.TrimSpace(h.Value))})
	}
	return out
}

// licenses turns choices into statements. basis is used where a choice does not acknowledge.
func licenses(in *cdx.Licenses, basis string) []biopsy.License {
	if in == nil {
		return nil
	}
	var out []biopsy.License
	for _, c := range *in {
		l := biopsy.License{Basis: basis}
		switch {
		case c.License != nil:
			l.Basis = cmp.Or(string(c.License.Acknowledgement), basis)
			l.URL = c.License.URL
			bom.SetLicense(&l, cmp.Or(c.License.ID, c.License.Name))
		case c.Expression != "":
			if c.Acknowledgement != nil {
				l.Basis = string(*c.Acknowledgement)
			}
			bom.SetLicense(&l, c.Expression)
		}
		if l.Expression != "" || l.Name != "" || l.URL != "" {
			out = append(out, l)
		}
	}
	return out
}

func foundLicenses(e *cdx.Evidence) []biopsy.License {
	if e == nil {
		return nil
	}
	return licenses(e.Licenses, "found")
}

// references takes home page, repository and download, and returns all other references.
func references(c *cdx.Component, out *biopsy.Component) []cdx.ExternalReference {
	var rest []cdx.ExternalReference
	for _, r := range list(c.ExternalReferences) {
		var to *string
		switch r.Type {
		case cdx.ERTypeWebsite:
			to = &out.Homepage
		case cdx.ERTypeVCS:
			to = &out.Repository
		case cdx.ERTypeDistribution:
			to = &out.Download
		}
		if to == nil || *to != "" || r.Comment != "" || r.Hashes != nil || r.Properties != nil {
			rest = append(rest, r)
			continue
		}
		*to = r.URL
	}
	for _, p := range list(c.Properties) {
		var r cdx.ExternalReference
		if p.Name == bom.Reference && json.Unmarshal([]byte(p.Value), &r) == nil {
			rest = append(rest, r)
		}
	}
	return rest
}

// keep puts every field that our words lack into Extra.
func (d *document) keep(c *cdx.Component, refs []cdx.ExternalReference, out *biopsy.Component, at biopsy.Place) {
	rest := *c
	rest.BOMRef, rest.Type, rest.Group, rest.Name, rest.Version, rest.Description, rest.Scope = "", "", "", "", "", "", ""
	rest.Hashes, rest.CPE, rest.PackageURL, rest.Properties, rest.Components, rest.Signature = nil, "", "", nil, nil, nil
	rest.ExternalReferences = nil
	if len(refs) > 0 {
		rest.ExternalReferences = &refs
	}
	if !detailed(c.Licenses) {
		rest.Licenses = nil
	}
	if s := c.Supplier; s != nil && s.Name != "" && s.URL == nil && (s.Contact == nil || soleMail(s) != "") && s.Address == nil && s.BOMRef == "" {
		rest.Supplier = nil
	}
	if e := c.Evidence; e != nil {
		rest.Evidence = nil
		if e.Callstack != nil || e.Copyright != nil {
			rest.Evidence = &cdx.Evidence{Callstack: e.Callstack, Copyright: e.Copyright}
		}
	}
	if rest == (cdx.Component{}) {
		return
	}
	if err := keepFields(&rest, out); err != nil {
		d.Gap(biopsy.Gap{Place: at, Reason: fmt.Sprintf("component %.80q: fields without a word of ours are lost: %v", c.Name, err)})
	}
}

func keepFields(rest *cdx.Component, out *biopsy.Component) error {
	b, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	delete(fields, "type")
	delete(fields, "name")
	for k, v := range fields {
		if out.Extra == nil {
			out.Extra = make(map[string]string, len(fields))
		}
		text := string(v)
		if words[k] {
			if err := json.Unmarshal(v, &text); err != nil {
				return err
			}
		}
		out.Extra[extraKey+k] = text
	}
	return nil
}

// words are the fields of a component that are plain text, kept without their quotes.
var words = map[string]bool{"author": true, "copyright": true, "mime-type": true, "publisher": true, "versionRange": true}

// detailed tells whether licences say more than our words hold.
func detailed(in *cdx.Licenses) bool {
	if in == nil {
		return false
	}
	for _, c := range *in {
		if c.ExpressionDetails != nil || c.Licensing != nil || c.Properties != nil || c.BOMRef != "" {
			return true
		}
		if l := c.License; l != nil && (l.BOMRef != "" || l.Text != nil || l.Licensing != nil || l.Properties != nil) {
			return true
		}
	}
	return false
}
