package sbom

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
)

// jsonKind looks at the members of the top object, as far as the head goes.
func jsonKind(head []byte) string {
	d := json.NewDecoder(bytes.NewReader(head))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return ""
		}
		v, err := value(d)
		if kind := memberKind(key, v); kind != "" {
			return kind
		}
		if err != nil {
			return ""
		}
	}
	return ""
}

// value returns the next value when it is a string, and the first string inside when it is a list or object, which is passed over.
func value(d *json.Decoder) (first string, err error) {
	for depth, keys := 0, 0; ; {
		t, err := d.Token()
		if err != nil {
			return first, err
		}
		switch t := t.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if first == "" && keys == 0 {
				first = t
			}
			keys++
		}
		if depth == 0 {
			return first, nil
		}
	}
}

func memberKind(key, v string) string {
	switch key {
	case "bomFormat":
		if v == "CycloneDX" {
			return "cyclonedx"
		}
	case "spdxVersion":
		if strings.HasPrefix(v, "SPDX-") {
			return "spdx"
		}
	case "SPDXID":
		if strings.HasPrefix(v, "SPDXRef-") {
			return "spdx"
		}
	case "@context":
		if strings.Contains(v, "spdx.org/rdf/3") {
			return "spdx"
		}
	case "sbom": // GitHub's export: an SPDX document in an object
		if v == "SPDXID" || v == "spdxVersion" {
			return "spdx"
		}
	case "predicateType":
		switch {
		case strings.HasPrefix(v, "https://cyclonedx.org/bom"):
			return "cyclonedx"
		case strings.HasPrefix(v, "https://spdx.dev/Document"):
			return "spdx"
		}
	}
	return ""
}

// xmlKind looks at the root element, and for RDF at the name spaces it declares.
func xmlKind(head []byte) string {
	d := xml.NewDecoder(bytes.NewReader(head))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names and name spaces are ASCII
	d.Strict = false
	for {
		t, err := d.RawToken()
		if err != nil {
			return ""
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			switch {
			case strings.HasPrefix(a.Value, "http://cyclonedx.org/schema/bom/") && e.Name.Local == "bom":
				return "cyclonedx"
			case strings.Contains(a.Value, "spdx.org/rdf/terms"):
				return "spdx"
			}
		}
		return ""
	}
}

// textKind looks for a line that tag-value or YAML of SPDX must have near the top.
func textKind(head []byte) string {
	id, creation := false, false
	for line := range bytes.FieldsFuncSeq(head, func(r rune) bool { return r == '\n' || r == '\r' }) {
		switch {
		case bytes.HasPrefix(line, []byte("SPDXVersion:")) && bytes.Contains(line, []byte("SPDX-")), bytes.HasPrefix(line, []byte("spdxVersion:")):
			return "spdx"
		case bytes.HasPrefix(line, []byte("SPDXID:")):
			id = true
		case bytes.HasPrefix(line, []byte("creationInfo:")):
			creation = true
		}
		if id && creation {
			return "spdx"
		}
	}
	return ""
}
