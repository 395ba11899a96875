package cyclonedx

import (
	"fmt"
	"io"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// Versions are the specification versions that are written; the first is the default.
var Versions = []string{"1.6", "1.7"}

// gapProperty holds, on the document, what the scan could not look into: one biopsy.Gap as JSON.
const gapProperty = bom.Prefix + "gap"

// WriteJSON writes the scan as JSON of the given version, one component a line.
func WriteJSON(w io.Writer, s *biopsy.Scan, version string) error {
	return write(s, version, func(o *scanWriter) encoder { return newJSONEncoder(w) })
}

// WriteXML writes the scan as XML of the given version.
func WriteXML(w io.Writer, s *biopsy.Scan, version string) error {
	return write(s, version, func(o *scanWriter) encoder { return newXMLEncoder(w) })
}

// encoder writes the parts of a document in their order.
type encoder interface {
	begin(h header) error
	metadata(*cdx.Metadata) error
	list(name, element string, each func(emit func(v any) error) error) error
	end() error
}

// header is what stands at the top of a document.
type header struct {
	version string // of the specification
	serial  string
}

// scanWriter is one scan on its way into a document.
type scanWriter struct {
	*biopsy.Scan
	version string
	edges   bom.Edges
	root    string // reference of what the document describes
	subject int    // index of the component that is the subject; -1 when none is
}

func write(s *biopsy.Scan, version string, open func(*scanWriter) encoder) error {
	if !slices.Contains(Versions, version) {
		return fmt.Errorf("cyclonedx: version %q is not written; %v are", version, Versions)
	}
	id, err := bom.UUID(s)
	if err != nil {
		return fmt.Errorf("cyclonedx: %w", err)
	}
	o := &scanWriter{Scan: s, version: version, edges: bom.NewEdges(s), subject: bom.SubjectOf(s)}
	switch {
	case o.subject >= 0:
		o.root = s.Components[o.subject].ID
	case len(s.Artifacts) == 1:
		o.root = "artifact:0"
	default:
		o.root = "subject"
	}
	e := open(o)
	for _, step := range []func() error{
		func() error { return e.begin(header{version, "urn:uuid:" + id}) },
		func() error { m, err := o.metadata(); return first(err, func() error { return e.metadata(m) }) },
		func() error { return e.list("components", "component", o.components) },
		func() error { return e.list("dependencies", "dependency", o.dependencies) },
		func() error { return e.list("compositions", "composition", o.compositions) },
		func() error { return e.list("vulnerabilities", "vulnerability", o.vulnerabilities) },
		e.end,
	} {
		if err := step(); err != nil {
			return fmt.Errorf("cyclonedx: %w", err)
		}
	}
	return nil
}

func first(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

func (o *scanWriter) components(emit func(any) error) error {
	for _, i := range bom.ByID(o.Components) {
		if i == o.subject {
			continue
		}
		c, err := o.component(&o.Components[i])
		if err != nil {
			return err
		}
		if err := emit(c); err != nil {
			return fmt.Errorf("component %s: %w", o.Components[i].ID, err)
		}
	}
	return nil
}

// dependencies writes one entry for each reference that has edges, and an empty one for each component that is known to have none.
// Components that nothing points to hang on the root: what was found in a device is in the device.
func (o *scanWriter) dependencies(emit func(any) error) error {
	from := o.edges.Froms(o.root)
	done := map[string]bool{}
	entry := func(ref string, to []string) error {
		done[ref] = true
		return emit(&cdx.Dependency{Ref: ref, Dependencies: &to})
	}
	orphans := o.orphans()
	for _, ref := range from {
		to := o.edges.To(ref, o.ref)
		if ref == o.root {
			to = merge(to, orphans)
		}
		if len(to) == 0 {
			continue
		}
		if err := entry(o.ref(ref), to); err != nil {
			return err
		}
	}
	for i := range o.Components {
		c := &o.Components[i]
		if !done[c.ID] && bom.Resolved(c) {
			if err := entry(c.ID, []string{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ref is the document's reference of a relation's end: the artifact, when there is but one, is the subject.
func (o *scanWriter) ref(end string) string {
	if end == "artifact:0" && len(o.Artifacts) <= 1 {
		return o.root
	}
	return end
}

func (o *scanWriter) orphans() []string {
	var out []string
	for i := range o.Components {
		if i != o.subject && !o.edges.Reached(o.Components[i].ID) {
			out = append(out, o.Components[i].ID)
		}
	}
	return out
}

func merge(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// compositions states how complete the document is: the whole is incomplete when there are gaps or bytes that nobody understood, and
// never more than unknown, for only its author can vouch for more. A container is complete when its every byte is parsed or padding.
func (o *scanWriter) compositions(emit func(any) error) error {
	var complete, unknown, light, dark []cdx.BOMReference
	for i := range o.Ledgers {
		if ref := cdx.BOMReference(ledgerRef(i)); bom.Accounted(&o.Ledgers[i]) {
			light = append(light, ref)
		} else {
			dark = append(dark, ref)
		}
	}
	whole := cdx.CompositionAggregateUnknown
	if len(o.Gaps) > 0 || len(dark) > 0 {
		whole = cdx.CompositionAggregateIncomplete
	}
	if err := emit(&cdx.Composition{Aggregate: whole, Assemblies: &[]cdx.BOMReference{cdx.BOMReference(o.root)}}); err != nil {
		return err
	}
	for _, i := range bom.ByID(o.Components) {
		ref := cdx.BOMReference(o.Components[i].ID)
		if bom.Resolved(&o.Components[i]) {
			complete = append(complete, ref)
		} else {
			unknown = append(unknown, ref)
		}
	}
	for _, c := range []cdx.Composition{
		{Aggregate: cdx.CompositionAggregateComplete, Assemblies: &light},
		{Aggregate: cdx.CompositionAggregateIncomplete, Assemblies: &dark},
		{Aggregate: cdx.CompositionAggregateComplete, Dependencies: &complete},
		{Aggregate: cdx.CompositionAggregateUnknown, Dependencies: &unknown},
	} {
		if len(list(c.Assemblies)) == 0 && len(list(c.Dependencies)) == 0 {
			continue
		}
		if err := emit(&c); err != nil {
			return err
		}
	}
	return nil
}
