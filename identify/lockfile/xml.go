package lockfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxXML bounds XML text in bytes: its tree takes some ten times as much.
const maxXML = 32 << 20

// element is one XML element, without namespaces. A nil element is absent.
type element struct {
	name  string
	text  string // its own text, white space trimmed
	line  int
	attrs []xml.Attr
	kids  []*element
	chars []byte // becomes text
}

// xml parses the file (XML 1.0) and returns its root.
func (d *doc) xml() (*element, error) {
	if len(d.text) > maxXML {
		return nil, fmt.Errorf("xml: %d bytes, more than the %d that are read", len(d.text), maxXML)
	}
	dec := xml.NewDecoder(bytes.NewReader(d.text))
	dec.Entity, dec.CharsetReader = xml.HTMLEntity, charset
	open := []*element{{}}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = d.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) > maxNesting {
				return nil, fmt.Errorf("offset %d: xml: nested too deep", dec.InputOffset())
			}
			line, _ := dec.InputPos()
			e := &element{name: t.Name.Local, line: line, attrs: t.Attr}
			top.kids = append(top.kids, e)
			open = append(open, e)
		case xml.CharData:
			if len(top.kids) == 0 {
				top.chars = append(top.chars, t...)
			}
		case xml.EndElement:
			top.text, top.chars = string(bytes.TrimSpace(top.chars)), nil
			open = open[:len(open)-1]
		}
	}
	if len(open[0].kids) == 0 {
		return nil, errors.New("xml: no element")
	}
	return open[0].kids[0], nil
}

// charset knows the encodings that build files are found in; UTF-16 was turned into UTF-8 before.
func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return strings.NewReader(string(runes)), nil
	}
	return nil, fmt.Errorf("xml: encoding %q is not known", name)
}

// get follows element names, the first of each; nil where one is missing.
func (e *element) get(path ...string) *element {
	for _, name := range path {
		kids := e.all(name)
		if len(kids) == 0 {
			return nil
		}
		e = kids[0]
	}
	return e
}

// all are the children of that name.
func (e *element) all(name string) []*element {
	if e == nil {
		return nil
	}
	var found []*element
	for _, k := range e.kids {
		if k.name == name {
			found = append(found, k)
		}
	}
	return found
}

// str is the text of the child behind the path; "" where it is missing.
func (e *element) str(path ...string) string {
	if e = e.get(path...); e == nil {
		return ""
	}
	return e.text
}

// attr is an attribute, whatever its case; "" where it is missing.
func (e *element) attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value
		}
	}
	return ""
}
