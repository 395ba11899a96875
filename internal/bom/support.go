package bom

import (
	"strconv"

	biopsy "github.com/biopsy-sca/biopsy"
)

// EndOfSupport is the property of CycloneDX's taxonomy for the last day of support.
const EndOfSupport = "cdx:lifecycle:milestone:endOfSupport"

// supportPrefix begins the properties that tell the rest.
const supportPrefix = "support-"

// supportProperties tells a component's support. The end goes under CycloneDX's name, unless a document that was read has it there.
func supportProperties(c *biopsy.Component) []Property {
	if c.Support == nil {
		return nil
	}
	var out []Property
	add := func(name, value string) {
		if value != "" {
			out = append(out, Property{name, value})
		}
	}
	s := *c.Support
	for _, f := range supportFields(&s) {
		add(Prefix+supportPrefix+f.name, *f.text)
	}
	if s.Days != nil {
		add(Prefix+supportPrefix+"days", strconv.Itoa(*s.Days))
	}
	if _, had := c.Extra[Foreign+EndOfSupport]; !had {
		add(EndOfSupport, s.End)
	}
	return out
}

type supportField struct {
	name string
	text *string
}

func supportFields(s *biopsy.Support) []supportField {
	return []supportField{
		{"because", &s.Because}, {"cycle", &s.Cycle}, {"end", &s.End}, {"latest", &s.Latest}, {"level", &s.Level}, {"product", &s.Product}, {"source", &s.Source},
	}
}

// setSupport fills one field as supportProperties writes it; false when there is none of that name, or days are no number.
func setSupport(c *biopsy.Component, name, value string) bool {
	s := biopsy.Support{}
	if c.Support != nil {
		s = *c.Support
	}
	known := false
	for _, f := range supportFields(&s) {
		if f.name == name {
			*f.text, known = value, true
		}
	}
	if n, err := strconv.Atoi(value); name == "days" && err == nil {
		s.Days, known = &n, true
	}
	if known {
		c.Support = &s
	}
	return known
}
