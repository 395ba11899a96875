package spdx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	tools "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/rdf"
	"go.yaml.in/yaml/v3"
)

// maxWhole bounds documents that must be held whole: YAML and RDF, of which each byte can cost a hundred.
const maxWhole = 32 << 20

func whole(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxWhole+1))
	if err == nil && len(b) > maxWhole {
		err = fmt.Errorf("more than %d bytes of a form that must be read whole", maxWhole)
	}
	return b, err
}

// readYAML turns the document into JSON, every scalar but true, false and null as the text it is: a version 1.10 is no number.
func (d *document) readYAML(r io.Reader) error {
	b, err := whole(r)
	if err != nil {
		return err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return err
	}
	y := yamlWriter{left: 4 * len(b), depth: 100}
	v, err := y.value(&root)
	if err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return d.readJSON(bytes.NewReader(text))
}

// yamlWriter bounds what aliases can blow up.
type yamlWriter struct{ left, depth int }

func (y *yamlWriter) value(n *yaml.Node) (any, error) {
	if y.left--; y.left < 0 {
		return nil, fmt.Errorf("line %d: aliases make the document too large", n.Line)
	}
	if y.depth == 0 {
		return nil, fmt.Errorf("line %d: nested too deep", n.Line)
	}
	y.depth--
	defer func() { y.depth++ }()
	switch n.Kind {
	case yaml.AliasNode:
		return y.value(n.Alias)
	case yaml.DocumentNode, yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := y.value(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if n.Kind == yaml.DocumentNode && len(list) == 1 {
			return list[0], nil
		}
		return list, nil
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := y.value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	}
	switch n.Tag {
	case "!!bool":
		return n.Value == "true", nil
	case "!!null":
		return nil, nil
	}
	return n.Value, nil
}

// readRDF reads through the SPDX project's own library, which holds the document whole, and its JSON.
func (d *document) readRDF(r io.Reader) (err error) {
	b, err := whole(r)
	if err != nil {
		return err
	}
	if !bytes.Contains(b[:min(len(b), 64<<10)], []byte("spdx.org/rdf/terms")) {
		return fmt.Errorf("XML without the namespace of SPDX: not an SPDX document")
	}
	text, err := rdfToJSON(b)
	if err != nil {
		return err
	}
	return d.readJSON(bytes.NewReader(text))
}

func rdfToJSON(b []byte) (text []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // gordf indexes what it has not checked
			err = fmt.Errorf("rdf: %v", p)
		}
	}()
	doc, err := rdf.Read(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("rdf: %w", err)
	}
	var out bytes.Buffer
	if err := tools.Write(doc, &out); err != nil {
		return nil, fmt.Errorf("rdf: %w", err)
	}
	return out.Bytes(), nil
}
