// Package vendor brings what makers of software say of their own holes into the book of advisories.
//
// In: the lists of the forms below, each as its makers publish it, one by one or in a zip of their repository. Out: one advisory per hole,
// of ecosystem Upstream (Linux for the kernel), with ranges per branch, and a gap for each record that cannot be read. Prose that names
// versions in a way that is not understood becomes an undetermined verdict with the prose as its reason, never a range.
package vendor

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Feed is the makers' own lists.
var Feed = biopsy.Feed{Name: "vendor", Match: match, Parse: parse, Fetch: fetch}

// maxFile bounds one file: the kernel's lists unpack to 2 MB.
const maxFile = 64 << 20

// form is one maker's way to publish.
type form struct {
	name  string
	match func(name string, head []byte) bool
	read  func(s *source) error
}

// forms is the list; a new maker is one file and one line here.
var forms = []form{curl, openssl, wolfssl, mbedtls, nginx, node, kernel, kernelStreams, yocto}

// source is one file, and where its records go.
type source struct {
	form string
	name string // path, for messages and for files that belong together
	doc  []byte
	sink biopsy.Sink
	ctx  context.Context
}

// bad reports a record; what names it, if anything does.
func (s *source) bad(what string, err error) {
	if what != "" {
		err = fmt.Errorf("%.80s: %w", what, err)
	}
	s.sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: s.name}, Reader: "vendor/" + s.form, Reason: err.Error()})
}

// give hands a record over, under the maker's own id and the CVE as its alias.
func (s *source) give(a biopsy.Advisory) error {
	a.Source = "vendor/" + s.form
	if err := s.sink.Advisory(a); err != nil {
		return err
	}
	return s.ctx.Err()
}

// archives are how zips of repositories with such files are called.
var archives = regexp.MustCompile(`^(release-metadata|mbedtls-docs|wolfssl)[^/]*\.zip$`)

func isZip(name string, head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) && archives.MatchString(path.Base(name))
}

func match(name string, head []byte) bool { return isZip(name, head) || formOf(name, head) != nil }

func formOf(name string, head []byte) *form {
	i := slices.IndexFunc(forms, func(f form) bool { return f.match(name, head) })
	if i < 0 {
		return nil
	}
	return &forms[i]
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	in := io.NewSectionReader(r, 0, size)
	head := make([]byte, min(size, 4<<10))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if isZip(name, head) {
		return parseZip(ctx, name, in, sink)
	}
	doc, err := readAll(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return parseFile(ctx, name, doc, sink)
}

// readAll reads a file, unpacked where it is gzip.
func readAll(r io.Reader) ([]byte, error) {
	doc, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && bytes.HasPrefix(doc, []byte{0x1f, 0x8b}) {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(doc)); err == nil {
			doc, err = io.ReadAll(io.LimitReader(z, maxFile+1))
		}
	}
	if err == nil && len(doc) > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	return doc, err
}

// parseFile reads one file; one of no form says nothing.
func parseFile(ctx context.Context, name string, doc []byte, sink biopsy.Sink) error {
	f := formOf(name, doc[:min(len(doc), 4<<10)])
	if f == nil {
		return nil
	}
	return f.read(&source{form: f.name, name: name, doc: doc, sink: sink, ctx: ctx})
}

// maxMembers bounds a zip; a repository has some thousands of files.
const maxMembers = 200_000

func parseZip(ctx context.Context, name string, r *io.SectionReader, sink biopsy.Sink) error {
	z, err := zip.NewReader(r, r.Size())
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(z.File) > maxMembers {
		return fmt.Errorf("read %s: %d members, more than %d", name, len(z.File), maxMembers)
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() || !strings.HasSuffix(f.Name, ".json") && !strings.HasSuffix(f.Name, ".md") {
			continue
		}
		if err := errors.Join(member(ctx, name, f, sink), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// member reads a member of a zip; one that is damaged is a bad record.
func member(ctx context.Context, name string, f *zip.File, sink biopsy.Sink) error {
	at := biopsy.Join(name, f.Name)
	m, err := f.Open()
	if err == nil {
		var doc []byte
		doc, err = readAll(m)
		if err = errors.Join(err, m.Close()); err == nil {
			return parseFile(ctx, at, doc, sink)
		}
	}
	sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: at}, Reader: "vendor", Reason: err.Error()})
	return nil
}

// aliases returns the CVE as the list of aliases, nothing for another text.
func aliases(cve string) []string {
	if strings.HasPrefix(cve, "CVE-") {
		return []string{cve}
	}
	return nil
}

// word is a severity in the makers' own word.
func word(s, by string) []biopsy.Severity {
	if s = strings.ToUpper(strings.TrimSpace(s)); s == "" || s == "UNKNOWN" || s == "NONE" {
		return nil
	}
	if s == "MAJOR" {
		s = "HIGH" // nginx calls it so
	}
	return []biopsy.Severity{{Type: "word", Vector: s, Source: by}}
}
