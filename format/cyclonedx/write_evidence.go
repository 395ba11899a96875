package cyclonedx

import (
	"math"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// evidence writes how the component was recognised, by what, and every place.
func (o *scanWriter) evidence(c *biopsy.Component, out *cdx.Component) {
	if len(c.Evidence) == 0 {
		return
	}
	e := out.Evidence
	if e == nil {
		e = &cdx.Evidence{}
	}
	e.Identity = &cdx.EvidenceIdentityChoice{Identities: &[]cdx.EvidenceIdentity{identity(c, out)}}
	places := make([]cdx.EvidenceOccurrence, 0, len(c.Evidence))
	for i := range c.Evidence {
		places = append(places, occurrence(&c.Evidence[i]))
	}
	e.Occurrences = &places
	if found := o.found(c); found != nil {
		e.Licenses = found
	}
	out.Evidence = e
}

// maxMethods bounds the pairs of technique and reader; every place stands in the occurrences.
const maxMethods = 100

// identity gathers the evidence by technique and reader.
func identity(c *biopsy.Component, out *cdx.Component) cdx.EvidenceIdentity {
	field, value := cdx.EvidenceIdentityFieldTypeName, c.Name
	if out.PackageURL != "" {
		field, value = cdx.EvidenceIdentityFieldTypePURL, c.Purl
	}
	var methods []cdx.EvidenceIdentityMethod
	best := float32(0)
	for i := range c.Evidence {
		e := &c.Evidence[i]
		m := cdx.EvidenceIdentityMethod{Technique: technique(e.Basis), Value: bom.Clean(e.Reader)}
		conf := confidence(e.Confidence)
		best = max(best, conf)
		j := slices.IndexFunc(methods, func(x cdx.EvidenceIdentityMethod) bool { return x.Technique == m.Technique && x.Value == m.Value })
		if j < 0 && len(methods) == maxMethods {
			continue
		}
		if j < 0 {
			m.Confidence = &conf
			methods = append(methods, m)
		} else if conf > *methods[j].Confidence {
			methods[j].Confidence = &conf
		}
	}
	return cdx.EvidenceIdentity{Field: field, Confidence: &best, ConcludedValue: bom.Clean(value), Methods: &methods}
}

func confidence(f float64) float32 {
	if math.IsNaN(f) {
		return 0
	}
	return float32(min(max(f, 0), 1))
}

func technique(b biopsy.Basis) cdx.EvidenceIdentityTechnique {
	switch t := cdx.EvidenceIdentityTechnique(b); t {
	case cdx.EvidenceIdentityTechniqueASTFingerprint, cdx.EvidenceIdentityTechniqueAttestation, cdx.EvidenceIdentityTechniqueBinaryAnalysis,
		cdx.EvidenceIdentityTechniqueDynamicAnalysis, cdx.EvidenceIdentityTechniqueFilename, cdx.EvidenceIdentityTechniqueHashComparison,
		cdx.EvidenceIdentityTechniqueInstrumentation, cdx.EvidenceIdentityTechniqueManifestAnalysis,
		cdx.EvidenceIdentityTechniqueSourceCodeAnalysis:
		return t
	}
	return cdx.EvidenceIdentityTechniqueOther
}

func occurrence(e *biopsy.Evidence) cdx.EvidenceOccurrence {
	out := cdx.EvidenceOccurrence{Location: bom.Clean(e.Place.Path), AdditionalContext: bom.Clean(context(e))}
	if e.Place.Line > 0 {
		out.Line = &e.Place.Line
	}
	if e.Place.Offset > 0 && e.Place.Offset <= math.MaxInt {
		offset := int(e.Place.Offset)
		out.Offset = &offset
	}
	return out
}
