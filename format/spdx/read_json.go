package spdx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

func (d *document) readJSON(r io.Reader) error {
	s := bom.NewJSON(r)
	h := &header{}
	if err := s.Object("document", func(key string) error { return d.member(s, h, key) }); err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	switch {
	case d.later.context != "" || d.later.seen:
		return d.later.check(d)
	case h.SPDXVersion == "":
		return errors.New("no spdxVersion and no @context: not an SPDX document")
	}
	return d.header(h)
}

// member takes one member of the top object, of either version.
func (d *document) member(s *bom.JSON, h *header, key string) error {
	to := map[string]any{"spdxVersion": &h.SPDXVersion, "SPDXID": &h.SPDXID, "name": &h.Name, "documentNamespace": &h.DocumentNamespace,
		"creationInfo": &h.CreationInfo, "annotations": &h.Annotations, "comment": &h.Comment}[key]
	switch {
	case to != nil:
		return d.soft(s, key, to)
	case key == "sbom" || key == "predicate": // GitHub's export and in-toto statements wrap documents
		return s.Object(key, func(key string) error { return d.member(s, h, key) })
	}
	switch key {
	case "documentDescribes":
		return s.Array(key, func(i int) error {
			var ref string
			err := d.soft(s, fmt.Sprintf("%s[%d]", key, i), &ref)
			d.describes(ref)
			return err
		})
	case "packages":
		return each(d, s, key, d.pkg)
	case "files":
		return each(d, s, key, d.file)
	case "hasExtractedLicensingInfos":
		return each(d, s, key, func(l *extractedLicense, _ biopsy.Place) { d.extract(l) })
	case "relationships":
		return each(d, s, key, func(r *relationship, _ biopsy.Place) {
			d.self(h.SPDXID)
			d.relationship(r)
		})
	case "@context":
		var v any
		if err := s.Value(key, &v); err != nil {
			return err
		}
		d.later.context = fmt.Sprint(v)
		return nil
	case "@graph":
		return each(d, s, key, d.later.element(d))
	}
	return s.Skip(key)
}

func each[T any](d *document, s *bom.JSON, key string, do func(*T, biopsy.Place)) error {
	return s.Array(key, func(i int) error {
		var v T
		at := biopsy.Place{Path: d.name, Offset: s.Offset()}
		if err := d.soft(s, fmt.Sprintf("%s[%d]", key, i), &v); err != nil {
			return err
		}
		do(&v, at)
		return nil
	})
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
