// Package csaf reads and writes security advisories and VEX statements in CSAF.
//
// In: one JSON document after OASIS CSAF 2.0 (2022-11-18, with errata 01 of 2024-01), or 2.1 (committee specification draft of 2025)
// as far as its shape is known. Out: a Document that says all that the standard knows, the products of its tree, its version texts as
// ranges, and what Validate and Shape object to. It never decides whether a component is affected, and never guesses at a version.
package csaf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxDocument bounds one document in bytes. CSAF 2.0 (C.1) asks for files below 15 MB; the largest in use have some 40 MB.
const MaxDocument = 64 << 20

// ErrNotCSAF says that a JSON document is of another kind.
var ErrNotCSAF = errors.New("not a CSAF document")

// Parse reads one document. Properties that no version of the standard has are dropped; Shape names them.
func Parse(doc []byte) (*Document, error) {
	if len(doc) > MaxDocument {
		return nil, fmt.Errorf("%d bytes, more than a CSAF document may have (%d)", len(doc), MaxDocument)
	}
	var d Document
	if err := json.Unmarshal(bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf")), &d); err != nil {
		return nil, jsonError(err)
	}
	switch d.Document.CSAFVersion {
	case "2.0", "2.1":
		return &d, nil
	case "":
		return nil, ErrNotCSAF
	}
	return nil, fmt.Errorf("CSAF version %.20q is not known", d.Document.CSAFVersion)
}

func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: at byte %d: %w", ErrNotCSAF, syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("at byte %d: %s is a JSON %s", kind.Offset, kind.Field, kind.Value)
	}
	return fmt.Errorf("%w: %w", ErrNotCSAF, err)
}

// Write writes the document, indented by two spaces, its keys in the order of the alphabet within each object of the standard.
func Write(w io.Writer, d *Document) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
