package cyclonedx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	cdx "github.com/CycloneDX/cyclonedx-go"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (d *document) readJSON(r io.Reader) error {
	s := bom.NewJSON(r)
	format := ""
	var member func(key string) error
	member = func(key string) error {
		switch key {
		case "predicate": // of an in-toto statement
			return s.Object(key, member)
		case "bomFormat":
			return s.Value(key, &format)
		case "specVersion":
			var v string
			if err := s.Value(key, &v); err != nil {
				return err
			}
			return d.version(v)
		case "serialNumber":
			return s.Value(key, &d.out.ID)
		case "version":
			return d.soft(s, key, &d.out.Revision)
		case "metadata":
			var m cdx.Metadata
			if err := d.soft(s, key, &m); err != nil {
				return err
			}
			d.metadata(&m)
			return nil
		case "components":
			return s.Array(key, func(i int) error { return d.jsonComponent(s, i) })
		case "dependencies":
			return s.Array(key, func(i int) error { return d.jsonDependency(s, i) })
		case "compositions":
			return s.Array(key, func(i int) error {
				var c cdx.Composition
				err := d.soft(s, fmt.Sprintf("compositions[%d]", i), &c)
				d.compositions = append(d.compositions, c)
				return err
			})
		case "vulnerabilities":
			return s.Array(key, func(int) error { d.out.Vulnerabilities++; return s.Skip(key) })
		case "signature":
			d.out.Signed = true
		}
		return s.Skip(key)
	}
	if err := s.Object("document", member); err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	switch {
	case format == "" && d.out.Version == "":
		return errors.New("no bomFormat and no specVersion: not a CycloneDX document")
	case format == "":
		d.Gap(biopsy.Gap{Reason: "bomFormat is missing"})
	case format != cdx.BOMFormat:
		return fmt.Errorf("bomFormat %.40q: want %q", format, cdx.BOMFormat)
	case d.out.Version == "":
		return errors.New("specVersion is missing")
	}
	return nil
}

func (d *document) jsonComponent(s *bom.JSON, i int) error {
	var c cdx.Component
	at := biopsy.Place{Path: d.name, Offset: s.Offset()}
	if err := d.soft(s, fmt.Sprintf("components[%d]", i), &c); err != nil {
		return err
	}
	d.component(&c, at, "")
	return nil
}

func (d *document) jsonDependency(s *bom.JSON, i int) error {
	var dep cdx.Dependency
	if err := d.soft(s, fmt.Sprintf("dependencies[%d]", i), &dep); err != nil {
		return err
	}
	d.dependency(&dep)
	return nil
}

func (d *document) dependency(dep *cdx.Dependency) {
	for _, to := range list(dep.Dependencies) {
		d.Hint(dep.Ref, to)
	}
}

// soft decodes a value; one that is well-formed and of the wrong shape becomes a gap, and what fits of it is kept.
func (d *document) soft(s *bom.JSON, what string, v any) error {
	at := s.Offset()
	err := s.Value(what, v)
	var syntax *json.SyntaxError
	if err == nil || errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || s.Broken() {
		return err
	}
	d.Gap(biopsy.Gap{Place: biopsy.Place{Path: d.name, Offset: at}, Reason: err.Error()})
	return nil
}
