// Package sbom is the way in for software bills of materials.
//
// What comes in: a local file that by its content is CycloneDX or SPDX. What goes out: a tree that has no files but the inventory that the
// document states. It will never look for what the document describes, and never reach the network.
package sbom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/spdx"
	"github.com/biopsy-sca/biopsy/internal/bom"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Opener is the way in.
var Opener = biopsy.Opener{Name: "sbom", Detect: detect, Open: open}

// Document is an SBOM, with the digest and size of its file.
type Document struct {
	bom.Document
	Digest string // "sha256:..."
	Size   int64  // bytes
}

func detect(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	return kindOf(f) != ""
}

func open(ctx context.Context, ref string, _ biopsy.OpenOptions) (*biopsy.Tree, error) {
	d, err := Read(ctx, ref)
	if err != nil {
		return nil, err
	}
	inv := d.Inventory
	artifact := biopsy.Artifact{Ref: "sbom:" + ref, Name: treepath.Escape(filepath.Base(ref)), Kind: "sbom", Digest: d.Digest, Size: d.Size, Files: 1}
	inv.Artifacts = []biopsy.Artifact{artifact}
	alone(&inv)
	tree := &biopsy.Tree{Artifact: artifact, Inventory: &inv, Close: func() error { return nil }}
	if d.Subject.Name != "" {
		tree.Subject = &d.Subject
	}
	tree.Walk = func(ctx context.Context, _ func(biopsy.File) error, _ func(biopsy.Gap)) error { return ctx.Err() }
	return tree, nil
}

// alone makes the SBOM the only artifact: what a scan of several had written hangs on it.
func alone(inv *biopsy.Inventory) {
	for i := range inv.Relations {
		r := &inv.Relations[i]
		for _, end := range []*string{&r.From, &r.To} {
			if strings.HasPrefix(*end, "artifact:") {
				*end = "artifact:0"
			}
		}
	}
	inv.Relations = slices.DeleteFunc(inv.Relations, func(r biopsy.Relation) bool { return r.From == r.To })
	slices.SortFunc(inv.Relations, func(a, b biopsy.Relation) int {
		return strings.Compare(a.From+"\x00"+string(a.Kind)+"\x00"+a.To+"\x00"+string(a.Scope), b.From+"\x00"+string(b.Kind)+"\x00"+b.To+"\x00"+string(b.Scope))
	})
	inv.Relations = slices.Compact(inv.Relations)
	for i := range inv.Components {
		for j := range inv.Components[i].Evidence {
			inv.Components[i].Evidence[j].Place.Artifact = 0
		}
	}
	for i := range inv.Gaps {
		inv.Gaps[i].Place.Artifact = 0
	}
}

// Read reads an SBOM from a local file. A file that is none, or that cannot be read as what it says it is, is an error.
func Read(ctx context.Context, path string) (*Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	kind := kindOf(f)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	read := map[string]func(io.Reader, string) (*bom.Document, error){"cyclonedx": cyclonedx.Read, "spdx": spdx.Read}[kind]
	if read == nil {
		return nil, hint.Add(fmt.Errorf("%s: neither CycloneDX nor SPDX", path), "CycloneDX is read as JSON or XML, SPDX as JSON, tag-value, YAML or RDF/XML")
	}
	in := &meter{ctx: ctx, r: f, sum: sha256.New()}
	d, err := read(in, treepath.Escape(filepath.Base(path)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil { // a digest is of all bytes, also of those behind the document
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Document{Document: *d, Digest: "sha256:" + hex.EncodeToString(in.sum.Sum(nil)), Size: in.n}, nil
}

// meter counts and sums what passes, and stops when the work is called off.
type meter struct {
	ctx context.Context
	r   io.Reader
	sum hash.Hash
	n   int64
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.sum.Write(p[:n])
	m.n += int64(n)
	return n, err
}

// headSize is how much of a file is looked at: the members that name a format stand before long lists in every known document.
const headSize = 256 << 10

// kindOf names the format of a file by its first bytes: "cyclonedx", "spdx", or "" for everything else.
func kindOf(r io.Reader) string {
	head, err := io.ReadAll(io.LimitReader(bom.UTF8(io.LimitReader(r, headSize)), headSize))
	if err != nil {
		return ""
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0:
		return ""
	case head[0] == '{':
		return jsonKind(head)
	case head[0] == '<':
		return xmlKind(head)
	}
	return textKind(head)
}
