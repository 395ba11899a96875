package cyclonedx

import (
	"math"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// evidence takes the SBOM's own: one piece for each place, on the basis of the surest method.
func evidence(c *cdx.Component, out *biopsy.Component) {
	e := c.Evidence
	if e == nil {
		return
	}
	basis, confidence := method(e.Identity)
	for _, o := range list(e.Occurrences) {
		ev := biopsy.Evidence{Reader: Reader, Basis: basis, Confidence: confidence, Place: biopsy.Place{Path: o.Location}}
		if o.Line != nil && *o.Line > 0 {
			ev.Place.Line = *o.Line
		}
		if o.Offset != nil && *o.Offset > 0 {
			ev.Place.Offset = int64(*o.Offset)
		}
		witness(o.AdditionalContext, &ev)
		out.Evidence = append(out.Evidence, ev)
	}
}

// method returns technique and confidence of the surest method; attestation where there is none.
func method(id *cdx.EvidenceIdentityChoice) (biopsy.Basis, float64) {
	basis, best := biopsy.Attestation, -1.0
	if id == nil {
		return basis, bom.Confidence
	}
	all := list(id.Identities)
	if id.Identity != nil {
		all = append(all, *id.Identity)
	}
	for _, i := range all {
		for _, m := range list(i.Methods) {
			if c := number(m.Confidence); m.Technique != "" && c > best {
				basis, best = biopsy.Basis(m.Technique), c
			}
		}
	}
	if best < 0 {
		return basis, bom.Confidence
	}
	return basis, best
}

// number widens a confidence without inventing digits, and keeps it between 0 and 1.
func number(f *float32) float64 {
	if f == nil || math.IsNaN(float64(*f)) {
		return 0
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(float64(*f), 'g', -1, 32), 64)
	if err != nil {
		return 0
	}
	return min(max(v, 0), 1)
}

// context is how our occurrences name their reader: "reader=dpkg; basis=manifest-analysis; confidence=0.99".
func context(e *biopsy.Evidence) string {
	s := "reader=" + e.Reader + "; basis=" + string(e.Basis) + "; confidence=" + strconv.FormatFloat(e.Confidence, 'g', -1, 64)
	if e.Digest != "" {
		s += "; digest=" + e.Digest
	}
	if e.Place.Layer != "" {
		s += "; layer=" + e.Place.Layer
	}
	if e.Place.Artifact > 0 {
		s += "; artifact=" + strconv.Itoa(e.Place.Artifact)
	}
	if e.Shadowed {
		s += "; shadowed"
	}
	return s
}

// witness reads what context wrote; other words leave e as it is.
func witness(s string, e *biopsy.Evidence) {
	rest, ok := strings.CutPrefix(s, "reader=")
	if !ok {
		return
	}
	fields := strings.Split(rest, "; ")
	e.Reader = fields[0]
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "basis":
			e.Basis = biopsy.Basis(value)
		case "confidence":
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				e.Confidence = v
			}
		case "digest":
			e.Digest = value
		case "layer":
			e.Place.Layer = value
		case "artifact":
			if n, err := strconv.Atoi(value); err == nil {
				e.Place.Artifact = n
			}
		case "shadowed":
			e.Shadowed = true
		}
	}
}
