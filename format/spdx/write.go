package spdx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
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

// facts are the statements about the document as a whole that no field holds: options, books, what every byte
// is, and every gap.
func (o *scanWriter) facts() ([]bom.Property, error) {
	p := append(bom.Facts(o.Scan), bom.Coverage(o.Scan)...)
	for i := range o.Ledgers {
		l, err := bom.LedgerProperty(&o.Ledgers[i])
		if err != nil {
			return nil, err
		}
		p = append(p, l)
	}
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
