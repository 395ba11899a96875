package cyclonedx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
)

// namespace is what the names of all versions begin with: "http://cyclonedx.org/schema/bom/1.6".
const namespace = "http://cyclonedx.org/schema/bom/"

// xmlDoc is an XML document being walked.
type xmlDoc struct {
	*document
	x *xml.Decoder
}

func (d *document) readXML(r io.Reader) error {
	x := xml.NewDecoder(r)
	x.CharsetReader = charset
	s := &xmlDoc{d, x}
	root, err := s.root()
	if err != nil {
		return err
	}
	if err := s.header(root); err != nil {
		return err
	}
	return s.children("bom", func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "metadata":
			var m xmlMetadata
			if err := s.element(e, "metadata", &m); err != nil {
				return err
			}
			d.metadata(m.plain())
			return nil
		case "components":
			return s.each("components", "component", s.component)
		case "dependencies":
			return s.each("dependencies", "dependency", s.dependency)
		case "compositions":
			return s.each("compositions", "composition", s.composition)
		case "vulnerabilities":
			return s.each("vulnerabilities", "vulnerability", func(*xml.StartElement, int) error {
				d.out.Vulnerabilities++
				return s.skip("vulnerability")
			})
		case "Signature":
			d.out.Signed = true
		}
		return s.skip(e.Name.Local)
	})
}

// root passes over prologue and comments to the first element.
func (s *xmlDoc) root() (*xml.StartElement, error) {
	for {
		t, err := s.x.Token()
		if err != nil {
			return nil, s.fail("prologue", err)
		}
		if e, ok := t.(xml.StartElement); ok {
			return &e, nil
		}
	}
}

func (s *xmlDoc) header(root *xml.StartElement) error {
	v, ok := strings.CutPrefix(root.Name.Space, namespace)
	if root.Name.Local != "bom" || !ok {
		return fmt.Errorf("root element is <%.40s> of %.80q: not a CycloneDX document", root.Name.Local, root.Name.Space)
	}
	for _, a := range root.Attr {
		switch a.Name.Local {
		case "serialNumber":
			s.out.ID = a.Value
		case "version":
			n, err := strconv.Atoi(a.Value)
			if err != nil {
				s.Gap(biopsy.Gap{Reason: fmt.Sprintf("version %.20q of the document is no number", a.Value)})
			}
			s.out.Revision = n
		}
	}
	return s.version(v)
}

// children calls each for every element up to the end of the one that is open; each must take it to its end.
func (s *xmlDoc) children(what string, each func(*xml.StartElement) error) error {
	for {
		t, err := s.x.Token()
		if err != nil {
			return s.fail(what, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := each(&t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// each is children of one name; others are passed over.
func (s *xmlDoc) each(what, name string, do func(e *xml.StartElement, i int) error) error {
	i := 0
	return s.children(what, func(e *xml.StartElement) error {
		if e.Name.Local != name {
			return s.skip(e.Name.Local)
		}
		i++
		return do(e, i-1)
	})
}

func (s *xmlDoc) component(e *xml.StartElement, i int) error {
	var c xmlComponent
	line, _ := s.x.InputPos()
	if err := s.element(e, fmt.Sprintf("components[%d]", i), &c); err != nil {
		return err
	}
	s.document.component(c.plain(), biopsy.Place{Path: s.name, Line: line}, "")
	return nil
}

func (s *xmlDoc) dependency(e *xml.StartElement, i int) error {
	var dep cdx.Dependency
	if err := s.element(e, fmt.Sprintf("dependencies[%d]", i), &dep); err != nil {
		return err
	}
	s.document.dependency(&dep)
	return nil
}

func (s *xmlDoc) composition(e *xml.StartElement, i int) error {
	var c cdx.Composition
	if err := s.element(e, fmt.Sprintf("compositions[%d]", i), &c); err != nil {
		return err
	}
	s.compositions = append(s.compositions, c)
	return nil
}

// element decodes the element that e opens; the place in an error is its line.
func (s *xmlDoc) element(e *xml.StartElement, what string, v any) error {
	line, _ := s.x.InputPos()
	if err := s.x.DecodeElement(v, e); err != nil {
		return fmt.Errorf("%s, which begins in line %d: %w", what, line, early(err))
	}
	return nil
}

func (s *xmlDoc) skip(what string) error {
	if err := s.x.Skip(); err != nil {
		return s.fail(what, err)
	}
	return nil
}

func (s *xmlDoc) fail(what string, err error) error {
	line, _ := s.x.InputPos()
	return fmt.Errorf("%s: line %d: %w", what, line, early(err))
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the document ends too early")
	}
	return err
}

// charset decodes the two 8-bit encodings that old documents name; all else that is not UTF-8 is an error.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "us-ascii", "ascii", "utf-16": // UTF-16 has been decoded before
		return r, nil
	case "iso-8859-1", "latin1", "windows-1252":
		return &latin1{r: r}, nil
	}
	return nil, fmt.Errorf("encoding %.40q is not read", label)
}

// latin1 turns ISO 8859-1 into UTF-8.
type latin1 struct {
	r    io.Reader
	rest []byte // decoded, not yet handed on
	buf  [4096]byte
	out  [2 * 4096]byte
}

func (l *latin1) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		n, err := l.r.Read(l.buf[:])
		if n == 0 {
			return 0, err
		}
		l.rest = l.out[:0]
		for _, c := range l.buf[:n] {
			l.rest = utf8.AppendRune(l.rest, rune(c))
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
