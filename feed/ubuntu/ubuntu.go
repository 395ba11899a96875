// Package ubuntu brings what Ubuntu's security team decides into the book of advisories.
//
// In: files of the Ubuntu CVE Tracker ("active/CVE-2024-1", the text format of its README of 2026), Canonical's OpenVEX 0.2.0 documents
// (vex/cve/2024/CVE-2024-1.json), one by one or in an archive (zip; tar with gzip, bzip2, xz or without). Out: one advisory per CVE with a
// verdict for each release and source package, and a gap for each file or line that cannot be read. OSV's records of Ubuntu have the
// ranges only: not what is not affected, not looked at yet, deferred or ignored.
package ubuntu

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Feed is Ubuntu's CVE tracker.
var Feed = biopsy.Feed{Name: "ubuntu", Match: match, Parse: parse, Fetch: fetch, OptIn: true}

// maxFile bounds one file. The largest are VEX documents of the kernel, of which there are some hundred packages.
const maxFile = 64 << 20

// match wants files of the two forms, and archives that are named after the tracker, its VEX documents or the repository that has both.
func match(name string, head []byte) bool {
	if isArchive(head) {
		base := path.Base(name)
		return strings.HasPrefix(base, "vex-all.tar") || strings.HasPrefix(base, "ubuntu-cve-tracker") || strings.HasPrefix(base, "ubuntu-security-notices")
	}
	return isText(head) || isVEX(head)
}

// candidate begins every file of the tracker, behind dates.
var candidate = regexp.MustCompile(`(?m)^Candidate: *CVE-\d{4}-\d+ *$`)

func isText(head []byte) bool {
	return candidate.Match(head) && !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{"))
}

// isVEX knows Canonical's documents, which have their header inside "metadata".
func isVEX(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte("https://openvex.dev/ns")) &&
		bytes.Contains(head, []byte("Canonical"))
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	head := make([]byte, min(size, 4<<10))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if isArchive(head) {
		return parseArchive(ctx, name, io.NewSectionReader(r, 0, size), head, sink)
	}
	var doc bytes.Buffer
	if err := readFile(io.NewSectionReader(r, 0, size), &doc); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return parseFile(name, doc.Bytes(), sink)
}

// readFile reads all of r, which may have maxFile bytes.
func readFile(r io.Reader, into *bytes.Buffer) error {
	n, err := into.ReadFrom(io.LimitReader(r, maxFile+1))
	if err == nil && n > maxFile {
		err = fmt.Errorf("more than %d bytes", maxFile)
	}
	return err
}

// parseFile reads one file; others than those of the two forms, and what is no CVE's, are passed over.
func parseFile(name string, doc []byte, sink biopsy.Sink) error {
	head := doc[:min(len(doc), 4<<10)]
	var a *biopsy.Advisory
	var err error
	switch {
	case isVEX(head):
		a, err = vexAdvisory(doc)
	case isText(head):
		a, err = textAdvisory(name, doc, sink)
	}
	if err != nil {
		sink.Bad(gap(name, 0, "%v", err))
		return nil
	}
	if a == nil || len(a.Affected) == 0 {
		return nil
	}
	return sink.Advisory(*a)
}

func gap(name string, line int, format string, args ...any) biopsy.Gap {
	return biopsy.Gap{Place: biopsy.Place{Path: name, Line: line}, Reader: "ubuntu", Reason: fmt.Sprintf(format, args...)}
}
