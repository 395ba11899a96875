package spdx

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// maxLine bounds one line of a tag-value document, and maxText the text between <text> and </text>.
const (
	maxLine = 16 << 20
	maxText = 64 << 20
)

// tagValue is a tag-value document being read: the elements that its lines fill at the moment.
type tagValue struct {
	*document
	line    int
	started int // line at which the current element began
	head    header
	pkg     *pkg  // nil before the first
	file    *file // nil outside files
	holder  string
	extra   *extractedLicense
	note    *annotation
	noteOn  string // reference that note speaks of
	rel     *relationship
	other   bool // inside a snippet or review, which are passed over
	seen    bool // a tag of SPDX has been read
}

func (d *document) readTagValue(r io.Reader) error {
	t := &tagValue{document: d}
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	s.Split(lines)
	for s.Scan() {
		t.line++
		tag, value, err := t.split(s)
		if err != nil {
			return fmt.Errorf("line %d: %w", t.line, err)
		}
		if tag == "" {
			continue
		}
		if err := t.take(tag, value); err != nil {
			return fmt.Errorf("line %d: %w", t.line, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("line %d: %w", t.line+1, err)
	}
	t.flush()
	t.endPackage()
	if t.head.SPDXVersion == "" {
		return errors.New("no SPDXVersion: not an SPDX document")
	}
	return d.header(&t.head)
}

// lines splits after "\n", "\r\n" and a lone "\r".
func lines(data []byte, end bool) (int, []byte, error) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0 && end && len(data) > 0:
		return len(data), data, nil
	case i < 0, data[i] == '\r' && i+1 == len(data) && !end:
		return 0, nil, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return i + 2, data[:i], nil
	}
	return i + 1, data[:i], nil
}

// split parts a line into tag and value, and joins a <text> over its lines. The tag is "" for comments and empty lines.
func (t *tagValue) split(s *bufio.Scanner) (tag, value string, err error) {
	line := s.Text()
	if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
		return "", "", nil
	}
	tag, value, ok := strings.Cut(line, ":")
	tag = strings.TrimSpace(tag)
	if !ok || tag == "" || len(tag) > 64 {
		if !t.seen {
			return "", "", errors.New("neither a tag nor a comment: not an SPDX document")
		}
		t.Gap(biopsy.Gap{Place: t.at(), Reason: fmt.Sprintf("line without a tag: %.80q", line)})
		return "", "", nil
	}
	value = strings.TrimSpace(value)
	if !strings.HasPrefix(value, "<text>") {
		return tag, value, nil
	}
	value, err = t.text(s, value[len("<text>"):])
	return tag, value, err
}

func (t *tagValue) text(s *bufio.Scanner, first string) (string, error) {
	if text, _, ok := strings.Cut(first, "</text>"); ok {
		return text, nil
	}
	var b strings.Builder
	b.WriteString(first)
	begun := t.line
	for s.Scan() {
		t.line++
		text, _, end := strings.Cut(s.Text(), "</text>")
		b.WriteByte('\n')
		b.WriteString(text)
		if end {
			return b.String(), nil
		}
		if b.Len() > maxText {
			return "", fmt.Errorf("text of more than %d bytes", maxText)
		}
	}
	return "", fmt.Errorf("<text> of line %d has no end", begun)
}

func (t *tagValue) at() biopsy.Place { return biopsy.Place{Path: t.name, Line: t.line} }

// take puts a value where its tag belongs.
func (t *tagValue) take(tag, value string) error {
	switch {
	case t.begins(tag, value):
	case t.rel != nil && tag == "RelationshipComment":
		t.rel.Comment = value
	case t.note != nil && t.noteField(tag, value):
	case t.documentField(tag, value):
	case t.extra != nil && t.extractedField(tag, value):
	case t.file != nil && t.fileField(tag, value):
	case t.pkg != nil && t.packageField(tag, value):
	case passed[tag] || t.other:
	case !t.seen:
		return fmt.Errorf("tag %.64q: not an SPDX document", tag)
	default:
		t.Gap(biopsy.Gap{Place: t.at(), Reason: fmt.Sprintf("tag %.64q is not known here", tag)})
	}
	t.seen = true
	return nil
}

// begins starts a new element.
func (t *tagValue) begins(tag, value string) bool {
	switch tag {
	case "PackageName":
		t.flush()
		t.endPackage()
		t.pkg, t.started = &pkg{Name: value}, t.line
	case "FileName":
		t.flush()
		t.endFile()
		t.file, t.started = &file{FileName: value}, t.line
		if t.pkg != nil {
			t.holder = t.pkg.SPDXID
			t.emitPackage()
		}
	case "SnippetSPDXID", "SnippetSPDXIdentifier", "Reviewer":
		t.flush()
		t.other = true
	case "LicenseID":
		t.flush()
		t.extra = &extractedLicense{LicenseID: value}
	case "Relationship":
		t.flushRelation()
		f := strings.Fields(value)
		if len(f) != 3 {
			t.Gap(biopsy.Gap{Place: t.at(), Reason: fmt.Sprintf("relationship %.80q has not three words", value)})
			return true
		}
		t.rel = &relationship{SpdxElementID: f[0], RelationshipType: f[1], RelatedSpdxElement: f[2]}
	case "Annotator":
		t.flushNote()
		t.note = &annotation{Annotator: value}
	default:
		return false
	}
	return true
}

// flush hands on what belongs to an element; the element itself stays open, for annotations of it may follow.
func (t *tagValue) flush() {
	t.flushNote()
	t.flushRelation()
	if t.extra != nil {
		t.extract(t.extra)
		t.extra = nil
	}
	t.other = false
}

func (t *tagValue) flushRelation() {
	if t.rel != nil {
		t.relationship(t.rel)
		t.rel = nil
	}
}

func (t *tagValue) flushNote() {
	n := t.note
	if n == nil {
		return
	}
	on := t.noteOn
	t.note, t.noteOn = nil, ""
	switch {
	case t.file != nil && (on == t.file.SPDXID || on == ""):
		t.file.Annotations = append(t.file.Annotations, *n)
	case t.pkg != nil && (on == t.pkg.SPDXID || on == ""):
		t.pkg.Annotations = append(t.pkg.Annotations, *n)
	case t.docs[on] || t.pkg == nil && t.file == nil:
		t.head.Annotations = append(t.head.Annotations, *n)
	default:
		if c := t.Component(on); c != nil {
			note(c, []annotation{*n})
		}
	}
}

func (t *tagValue) endFile() {
	if t.file == nil {
		return
	}
	t.document.file(t.file, biopsy.Place{Path: t.name, Line: t.started})
	if t.holder != "" && t.file.SPDXID != "" {
		t.Hold(t.holder, t.file.SPDXID)
	}
	t.file = nil
}

// endPackage closes the current package and the file inside it.
func (t *tagValue) endPackage() {
	t.endFile()
	t.holder = ""
	t.emitPackage()
}

func (t *tagValue) emitPackage() {
	if t.pkg != nil {
		t.document.pkg(t.pkg, biopsy.Place{Path: t.name, Line: t.started})
		t.pkg = nil
	}
}
