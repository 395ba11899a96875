package cyclonedx

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// jsonEncoder writes one element a line, so that two documents compare by line.
type jsonEncoder struct {
	w *bufio.Writer
	e *json.Encoder
}

func newJSONEncoder(w io.Writer) *jsonEncoder {
	b := bufio.NewWriterSize(w, 64<<10)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return &jsonEncoder{b, e}
}

func (j *jsonEncoder) begin(h header) error {
	_, err := j.w.WriteString("{\n \"$schema\": \"http://cyclonedx.org/schema/bom-" + h.version + ".schema.json\",\n \"bomFormat\": \"CycloneDX\",\n \"specVersion\": \"" +
		h.version + "\",\n \"serialNumber\": \"" + h.serial + "\",\n \"version\": 1")
	return err
}

func (j *jsonEncoder) metadata(m *cdx.Metadata) error {
	j.w.WriteString(",\n \"metadata\": ")
	return j.e.Encode(m)
}

func (j *jsonEncoder) list(name, _ string, each func(func(any) error) error) error {
	n := 0
	err := each(func(v any) error {
		if n++; n == 1 {
			j.w.WriteString(" ,\"" + name + "\": [\n  ")
		} else {
			j.w.WriteString("  ,")
		}
		return j.e.Encode(v)
	})
	if err != nil || n == 0 {
		return err
	}
	_, err = j.w.WriteString(" ]\n")
	return err
}

func (j *jsonEncoder) end() error {
	j.w.WriteString("}\n")
	return j.w.Flush()
}

// xmlEncoder writes through the library's own marshalling, element by element.
type xmlEncoder struct {
	w *bufio.Writer
	e *xml.Encoder
}

func newXMLEncoder(w io.Writer) *xmlEncoder {
	b := bufio.NewWriterSize(w, 64<<10)
	e := xml.NewEncoder(b)
	e.Indent("", " ")
	return &xmlEncoder{b, e}
}

func named(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }

func (x *xmlEncoder) begin(h header) error {
	if _, err := x.w.WriteString(xml.Header); err != nil {
		return err
	}
	root := named("bom")
	root.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace + h.version},
		{Name: xml.Name{Local: "serialNumber"}, Value: h.serial}, {Name: xml.Name{Local: "version"}, Value: "1"}}
	return x.e.EncodeToken(root)
}

func (x *xmlEncoder) metadata(m *cdx.Metadata) error {
	return x.e.EncodeElement(newXMLMetadata(m), named("metadata"))
}

func (x *xmlEncoder) list(name, element string, each func(func(any) error) error) error {
	n := 0
	err := each(func(v any) error {
		if n++; n == 1 {
			if err := x.e.EncodeToken(named(name)); err != nil {
				return err
			}
		}
		if c, ok := v.(*cdx.Component); ok {
			v = newXMLComponent(c)
		}
		return x.e.EncodeElement(v, named(element))
	})
	if err != nil || n == 0 {
		return err
	}
	return x.e.EncodeToken(named(name).End())
}

func (x *xmlEncoder) end() error {
	if err := x.e.EncodeToken(named("bom").End()); err != nil {
		return err
	}
	if err := x.e.Close(); err != nil {
		return err
	}
	if err := x.w.WriteByte('\n'); err != nil {
		return err
	}
	return x.w.Flush()
}
