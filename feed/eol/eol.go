// Package eol brings release cycles and the ends of their support into the book of advisories.
//
// In: endoflife.date's products (its API v1 of 2025, whole or one by one; its older /api/PRODUCT.json; its data files as JSON), and
// the release tables of Debian and Ubuntu as the distributions publish them (distro-info-data, CSV). Out: one lifecycle per product,
// and a gap for each product or cycle that cannot be read. It never says that a version is vulnerable, and takes no silence for
// support.
package eol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Feed is endoflife.date and the distributions' own tables.
var Feed = biopsy.Feed{Name: "eol", Match: match, Parse: parse, Fetch: fetch}

// Sources of lifecycles.
const (
	site   = "eol/endoflife.date"
	distro = "eol/distro-info"
)

// maxFile bounds a file: all 464 products together take 4 MB.
const maxFile = 128 << 20

func match(name string, head []byte) bool {
	if bytes.HasPrefix(head, []byte(csvHead)) {
		return strings.HasSuffix(name, ".csv")
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	has := func(keys ...string) bool {
		for _, k := range keys {
			if !bytes.Contains(head, []byte(`"`+k+`"`)) {
				return false
			}
		}
		return len(head) > 0
	}
	switch {
	case has("schema_version", "result") && (has("releases") || has("isEol") || has("versionCommand")):
		return head[0] == '{'
	case has("releases", "releaseCycle") || has("title", "identifiers", "releaseLabel"):
		return head[0] == '{'
	case has("cycle", "eol"):
		return head[0] == '['
	}
	return false
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	if size > maxFile {
		return fmt.Errorf("read %s: %d bytes, more than release cycles may take (%d)", name, size, maxFile)
	}
	in := io.NewSectionReader(r, 0, size)
	if strings.HasSuffix(name, ".csv") {
		return parseCSV(name, in, sink)
	}
	p := &parser{ctx: ctx, name: name, sink: sink, d: json.NewDecoder(in)}
	if err := p.document(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// parser reads one JSON document, product by product.
type parser struct {
	ctx  context.Context
	name string
	sink biopsy.Sink
	d    *json.Decoder

	modified string // of the whole document; "" when it does not say
}

var errShape = errors.New("not a list of release cycles that we know")

func (p *parser) document() error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return p.cycles()
	case json.Delim('{'):
		return p.object("result")
	}
	return errShape
}

// cycles reads the older API's answer: the cycles of the product that the file is named after.
func (p *parser) cycles() error {
	var list []json.RawMessage
	for p.d.More() {
		var c json.RawMessage
		if err := p.d.Decode(&c); err != nil {
			return fmt.Errorf("cycle %d at byte %d: %w", len(list)+1, p.d.InputOffset(), err)
		}
		list = append(list, c)
	}
	if _, err := p.d.Token(); err != nil {
		return fmt.Errorf("cut short: %w", err)
	}
	return p.emit(product{Name: strings.TrimSuffix(path.Base(p.name), ".json"), Releases: list})
}

// object reads a product, whose opening brace is read. The value of the key inner, if there is one, holds products instead: "result" of
// API v1, which stands behind the day of the document.
func (p *parser) object(inner string) error {
	fields := map[string]json.RawMessage{}
	for p.d.More() {
		key, err := p.d.Token()
		if err != nil {
			return err
		}
		if key == inner {
			if err := p.result(fields); err != nil {
				return err
			}
			continue
		}
		var raw json.RawMessage
		if err := p.d.Decode(&raw); err != nil {
			return fmt.Errorf("%v at byte %d: %w", key, p.d.InputOffset(), err)
		}
		fields[fmt.Sprint(key)] = raw
	}
	if _, err := p.d.Token(); err != nil {
		return fmt.Errorf("cut short: %w", err)
	}
	if _, ok := fields["releases"]; !ok {
		return nil
	}
	whole, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return p.product(whole, "product")
}

// result reads one product, or all of them. Indexes, whose products have no releases, bring nothing.
func (p *parser) result(before map[string]json.RawMessage) error {
	for _, key := range []string{"last_modified", "generated_at"} {
		var s string
		if json.Unmarshal(before[key], &s) == nil && p.modified == "" && isDay(s[:min(10, len(s))]) {
			p.modified = s[:10]
		}
	}
	t, err := p.d.Token()
	switch {
	case err != nil:
		return err
	case t == json.Delim('{'):
		return p.object("") // a product, which has no inner ones
	case t != json.Delim('['):
		return errShape
	}
	for n := 1; p.d.More(); n++ {
		var raw json.RawMessage
		if err := p.d.Decode(&raw); err != nil {
			return fmt.Errorf("product %d at byte %d: %w", n, p.d.InputOffset(), err)
		}
		if err := errors.Join(p.product(raw, fmt.Sprintf("product %d", n)), p.ctx.Err()); err != nil {
			return err
		}
	}
	_, err = p.d.Token()
	return err
}

// product reads one product; one of a wrong shape is a bad record.
func (p *parser) product(raw []byte, what string) error {
	var one product
	if err := json.Unmarshal(raw, &one); err != nil {
		p.bad(fmt.Sprintf("%s: %v", what, err))
		return nil
	}
	return p.emit(one)
}

func (p *parser) bad(reason string) {
	p.sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: p.name, Offset: p.d.InputOffset()}, Reader: "eol", Reason: reason})
}

// emit hands a product over, without the cycles and names that cannot be read.
func (p *parser) emit(one product) error {
	l, wrong := one.lifecycle(p.modified)
	for _, w := range wrong {
		p.bad(w)
	}
	if len(l.Cycles) == 0 { // an index, or a product that was never released
		return nil
	}
	return p.sink.Lifecycle(l)
}
