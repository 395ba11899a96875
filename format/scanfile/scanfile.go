// Package scanfile reads and writes scan files: all that is known after one walk, as JSON.
//
// What comes in: a biopsy.Scan, or the bytes that were written of one. What goes out: the same, described in doc/scanfile.md, version 1
// of 2026. One component, relation, gap or finding stands on a line, sorted, so that two scans compare by line. It will never change what
// a scan says.
package scanfile

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom"
)

// Write writes the scan. Lists that the scan holds unsorted are written sorted; the scan itself is left as it is.
func Write(w io.Writer, s *biopsy.Scan) error {
	b := bufio.NewWriterSize(w, 64<<10)
	o := &writer{w: b, e: json.NewEncoder(b)}
	o.e.SetEscapeHTML(false)
	if err := o.scan(s); err != nil {
		return fmt.Errorf("scan file: %w", err)
	}
	return nil
}

type writer struct {
	w *bufio.Writer
	e *json.Encoder
}

func (o *writer) scan(s *biopsy.Scan) error {
	if _, err := fmt.Fprintf(o.w, "{\"biopsy\": %d", biopsy.ScanVersion); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		has  bool
		v    any
	}{{"tool", true, s.Tool}, {"created", s.Created != "", s.Created}, {"subject", true, s.Subject}, {"options", true, s.Options}, {"books", len(s.Books) > 0, s.Books}} {
		if !m.has {
			continue
		}
		o.w.WriteString(",\n \"" + m.name + "\": ")
		b, err := json.Marshal(m.v)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := o.w.Write(b); err != nil {
			return err
		}
	}
	for _, list := range []func() error{
		func() error { return lines(o, "artifacts", s.Artifacts, nil) }, // their order is their number, which relations use
		func() error { return lines(o, "components", s.Components, components) },
		func() error { return lines(o, "relations", s.Relations, relations) },
		func() error { return lines(o, "ledgers", s.Ledgers, nil) },
		func() error { return lines(o, "gaps", s.Gaps, gaps) },
		func() error { return lines(o, "findings", s.Findings, findings) },
		func() error { return lines(o, "advice", s.Advice, nil) }, // best moves first
		func() error { return lines(o, "verdicts", s.Verdicts, nil) },
	} {
		if err := list(); err != nil {
			return err
		}
	}
	if _, err := o.w.WriteString("\n}\n"); err != nil {
		return err
	}
	return o.w.Flush()
}

// lines writes one element a line. Artifacts and components are written even when there are none: a reader must see that.
func lines[T any](o *writer, name string, list []T, compare func(a, b *T) int) error {
	if len(list) == 0 && name != "artifacts" && name != "components" {
		return nil
	}
	o.w.WriteString(",\n \"" + name + "\": [")
	for n, i := range order(list, compare) {
		if n == 0 {
			o.w.WriteString("\n  ")
		} else {
			o.w.WriteString("  ,")
		}
		if err := o.e.Encode(&list[i]); err != nil {
			return fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	_, err := o.w.WriteString(" ]")
	return err
}

// order returns the indexes of a list in the order in which it is written.
func order[T any](list []T, compare func(a, b *T) int) []int {
	out := make([]int, len(list))
	for i := range out {
		out[i] = i
	}
	if compare != nil {
		slices.SortStableFunc(out, func(i, j int) int { return compare(&list[i], &list[j]) })
	}
	return out
}

func components(a, b *biopsy.Component) int { return strings.Compare(a.ID, b.ID) }

func relations(a, b *biopsy.Relation) int {
	return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.To, b.To), strings.Compare(string(a.Scope), string(b.Scope)))
}

func gaps(a, b *biopsy.Gap) int {
	return cmp.Or(a.Place.Compare(b.Place), strings.Compare(a.Reader, b.Reader), strings.Compare(a.Reason, b.Reason))
}

func findings(a, b *biopsy.Finding) int {
	return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Advisory, b.Advisory), strings.Compare(a.ID, b.ID))
}

// Is tells whether the first bytes of a file are those of a scan file, of any version.
func Is(head []byte) bool {
	s := strings.TrimLeft(strings.TrimPrefix(string(head[:min(len(head), 256)]), "\ufeff"), " \t\r\n")
	rest, ok := strings.CutPrefix(s, "{")
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), `"biopsy"`)
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), ":")
}

// ErrNotScan says that a document is JSON, and no scan file.
var ErrNotScan = errors.New(`not a scan file: its first member is not "biopsy"`)

// Read reads a scan file. One of another version is refused by name; an error says which element, at which byte, could not be read.
// Members that are unknown are refused too: a statement about a device that is silently dropped is worse than an error.
func Read(r io.Reader) (*biopsy.Scan, error) {
	in := bom.NewJSON(bom.UTF8(r))
	s, first := &biopsy.Scan{}, true
	err := in.Object("scan file", func(key string) error {
		if first {
			first = false
			return version(in, s, key)
		}
		return member(in, s, key)
	})
	if err == nil {
		err = in.End()
	}
	if err == nil && first {
		err = ErrNotScan
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func version(in *bom.JSON, s *biopsy.Scan, key string) error {
	if key != "biopsy" {
		return ErrNotScan
	}
	if err := in.Value(key, &s.Biopsy); err != nil {
		return err
	}
	if s.Biopsy != biopsy.ScanVersion {
		return fmt.Errorf("scan file of version %d; this biopsy reads version %d", s.Biopsy, biopsy.ScanVersion)
	}
	return nil
}

func member(in *bom.JSON, s *biopsy.Scan, key string) error {
	switch key {
	case "tool":
		return in.Value(key, &s.Tool)
	case "created":
		return in.Value(key, &s.Created)
	case "subject":
		return in.Value(key, &s.Subject)
	case "options":
		return in.Value(key, &s.Options)
	case "books":
		return in.Value(key, &s.Books)
	case "artifacts":
		return elements(in, key, &s.Artifacts)
	case "components":
		return elements(in, key, &s.Components)
	case "relations":
		return elements(in, key, &s.Relations)
	case "ledgers":
		return elements(in, key, &s.Ledgers)
	case "gaps":
		return elements(in, key, &s.Gaps)
	case "findings":
		return elements(in, key, &s.Findings)
	case "advice":
		return elements(in, key, &s.Advice)
	case "verdicts":
		return elements(in, key, &s.Verdicts)
	}
	return fmt.Errorf("byte %d: %.80q is no member of a scan file of version %d", in.Offset(), key, biopsy.ScanVersion)
}

func elements[T any](in *bom.JSON, key string, to *[]T) error {
	return in.Array(key, func(i int) error {
		var v T
		if err := in.Value(fmt.Sprintf("%s[%d]", key, i), &v); err != nil {
			return err
		}
		*to = append(*to, v)
		return nil
	})
}
