package lockfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// maxYAML bounds YAML text in bytes: its tree takes some forty times as much.
const maxYAML = 20 << 20

// node is one YAML value (YAML 1.1 as go.yaml.in/yaml reads it). The zero value is absent.
type node struct {
	y *yamlText
	n *yaml.Node
}

// yamlText counts the nodes that were looked at: aliases of aliases make a small file endless.
type yamlText struct {
	left int
	err  error
}

var errNoMapping = errors.New("yaml: mapping expected")

// yaml parses all documents of the file. What was parsed before an error comes back with it.
func (d *doc) yaml() (*yamlText, []node, error) {
	if len(d.text) > maxYAML {
		return nil, nil, fmt.Errorf("yaml: %d bytes, more than the %d that are read", len(d.text), maxYAML)
	}
	y := &yamlText{left: 10*len(d.text) + 1000}
	var docs []node
	for dec := yaml.NewDecoder(bytes.NewReader(d.text)); ; {
		if err := d.ctx.Err(); err != nil {
			return y, docs, err
		}
		var n yaml.Node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return y, docs, nil
		} else if err != nil {
			return y, docs, err
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			docs = append(docs, node{y, n.Content[0]})
		}
	}
}

// mapping parses the file and returns its first document.
func (d *doc) mapping() (*yamlText, node, error) {
	y, docs, err := d.yaml()
	switch {
	case err != nil:
		return y, node{}, err
	case len(docs) == 0:
		return y, node{}, nil
	case !docs[0].isMap():
		return y, node{}, errNoMapping
	}
	return y, docs[0], nil
}

// real follows an alias. False when there is nothing, or too much was visited.
func (v node) real() (*yaml.Node, bool) {
	n := v.n
	if n == nil || v.y.err != nil {
		return nil, false
	}
	if v.y.left--; v.y.left < 0 {
		v.y.err = errors.New("yaml: too much to look at, by aliases or repeated names")
		return nil, false
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n, n != nil
}

// each calls f with the entries of a mapping, or, with empty keys, the items of a sequence.
func (v node) each(f func(key node, m node)) {
	n, ok := v.real()
	if !ok {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content) && v.y.err == nil; i += 2 {
			f(node{v.y, n.Content[i]}, node{v.y, n.Content[i+1]})
		}
	case yaml.SequenceNode:
		for _, m := range n.Content {
			if v.y.err != nil {
				return
			}
			f(node{}, node{v.y, m})
		}
	}
}

// get follows keys; the zero value where one is missing.
func (v node) get(path ...string) node {
	for _, name := range path {
		n, ok := v.real()
		if !ok || n.Kind != yaml.MappingNode {
			return node{}
		}
		v.n = nil
		v.y.left -= len(n.Content) / 2
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				v.n = n.Content[i+1]
				break
			}
		}
	}
	return v
}

func (v node) kind() yaml.Kind {
	if n, ok := v.real(); ok {
		return n.Kind
	}
	return 0
}

func (v node) isMap() bool  { return v.kind() == yaml.MappingNode }
func (v node) isList() bool { return v.kind() == yaml.SequenceNode }

// str is a scalar as written, without quotes; "" of anything else and of null.
func (v node) str() string {
	n, ok := v.real()
	if !ok || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

func (v node) isTrue() bool { return v.str() == "true" }

// strs are the scalars of a sequence; a lone scalar counts as one.
func (v node) strs() []string {
	if s := v.str(); s != "" {
		return []string{s}
	}
	var all []string
	if v.isList() {
		v.each(func(_, m node) {
			if s := m.str(); s != "" {
				all = append(all, s)
			}
		})
	}
	return all
}

// line is where the value, or for a key the entry, starts; 0 when absent.
func (v node) line() int {
	if v.n == nil {
		return 0
	}
	return v.n.Line
}
