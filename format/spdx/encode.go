package spdx

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// jsonEncoder writes one element a line, so that two documents compare by line.
type jsonEncoder struct {
	w    *bufio.Writer
	e    *json.Encoder
	list string // name of the list that is open; "" before the first
}

func newJSONEncoder(w io.Writer) *jsonEncoder {
	b := bufio.NewWriterSize(w, 64<<10)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return &jsonEncoder{w: b, e: e}
}

func (j *jsonEncoder) header(h *header) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append(b[:len(b)-1], '\n'))
	return err
}

// item writes one element of a list; a list of another name is closed before.
func (j *jsonEncoder) item(list string, v any) error {
	switch {
	case j.list == list:
		j.w.WriteString("  ,")
	case j.list != "":
		j.w.WriteString(" ]\n")
		fallthrough
	default:
		j.w.WriteString(" ,\"" + list + "\": [\n  ")
		j.list = list
	}
	return j.e.Encode(v)
}

func (j *jsonEncoder) pkg(p *pkg) error   { return j.item("packages", p) }
func (j *jsonEncoder) file(f *file) error { return j.item("files", f) }
func (j *jsonEncoder) extracted(l *extractedLicense) error {
	return j.item("hasExtractedLicensingInfos", l)
}
func (j *jsonEncoder) relationship(r *relationship) error { return j.item("relationships", r) }

func (j *jsonEncoder) end() error {
	if j.list != "" {
		j.w.WriteString(" ]\n")
	}
	j.w.WriteString("}\n")
	return j.w.Flush()
}

// tagEncoder writes tag-value: annotations stand behind their element.
type tagEncoder struct{ w *bufio.Writer }

func newTagEncoder(w io.Writer) *tagEncoder { return &tagEncoder{bufio.NewWriterSize(w, 64<<10)} }

// tag writes one line, and nothing for "". Text of several lines goes between <text> and </text>.
func (t *tagEncoder) tag(name, value string) error {
	if value == "" {
		return nil
	}
	if strings.ContainsAny(value, "\r\n") || strings.HasPrefix(value, "<text>") {
		value = "<text>" + strings.ReplaceAll(value, "</text>", "<\\/text>") + "</text>"
	}
	_, err := t.w.WriteString(name + ": " + value + "\n")
	return err
}

// tags writes pairs of name and value.
func (t *tagEncoder) tags(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := t.tag(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tagEncoder) header(h *header) error {
	if err := t.tags("SPDXVersion", h.SPDXVersion, "DataLicense", h.DataLicense, "SPDXID", h.SPDXID, "DocumentName", h.Name,
		"DocumentNamespace", h.DocumentNamespace, "LicenseListVersion", h.CreationInfo.LicenseListVersion); err != nil {
		return err
	}
	for _, c := range h.CreationInfo.Creators {
		if err := t.tag("Creator", c); err != nil {
			return err
		}
	}
	if err := t.tags("Created", h.CreationInfo.Created, "CreatorComment", h.CreationInfo.Comment); err != nil {
		return err
	}
	return t.annotations(h.SPDXID, h.Annotations)
}

func (t *tagEncoder) annotations(ref string, list []annotation) error {
	for _, a := range list {
		if err := t.tags("Annotator", a.Annotator, "AnnotationDate", a.AnnotationDate, "AnnotationType", a.AnnotationType, "SPDXREF", ref); err != nil {
			return err
		}
		// always as text: the note of a scan has several lines
		if _, err := t.w.WriteString("AnnotationComment: <text>" + strings.ReplaceAll(a.Comment, "</text>", "<\\/text>") + "</text>\n"); err != nil {
			return err
		}
	}
	return nil
}

func (t *tagEncoder) pkg(p *pkg) error {
	if err := t.tags("\nPackageName", p.Name, "SPDXID", p.SPDXID, "PackageVersion", p.VersionInfo, "PackageSupplier", p.Supplier,
		"PackageOriginator", p.Originator, "PackageDownloadLocation", p.DownloadLocation, "FilesAnalyzed", "false"); err != nil {
		return err
	}
	for _, c := range p.Checksums {
		if err := t.tag("PackageChecksum", c.Algorithm+": "+c.ChecksumValue); err != nil {
			return err
		}
	}
	if err := t.tags("PackageHomePage", p.Homepage, "PackageSourceInfo", p.SourceInfo, "PackageLicenseConcluded", p.LicenseConcluded,
		"PackageLicenseDeclared", p.LicenseDeclared, "PackageCopyrightText", p.CopyrightText, "PackageDescription", p.Description); err != nil {
		return err
	}
	for _, r := range p.ExternalRefs {
		if err := t.tags("ExternalRef", r.ReferenceCategory+" "+r.ReferenceType+" "+r.ReferenceLocator, "ExternalRefComment", r.Comment); err != nil {
			return err
		}
	}
	if err := t.tags("PrimaryPackagePurpose", strings.ReplaceAll(p.PrimaryPackagePurpose, "_", "-"), "ValidUntilDate", p.ValidUntilDate); err != nil {
		return err
	}
	return t.annotations(p.SPDXID, p.Annotations)
}

func (t *tagEncoder) file(f *file) error {
	if err := t.tags("\nFileName", f.FileName, "SPDXID", f.SPDXID); err != nil {
		return err
	}
	for _, c := range f.Checksums {
		if err := t.tag("FileChecksum", c.Algorithm+": "+c.ChecksumValue); err != nil {
			return err
		}
	}
	if err := t.tags("LicenseConcluded", f.LicenseConcluded, "LicenseInfoInFile", "NOASSERTION", "FileCopyrightText", f.CopyrightText); err != nil {
		return err
	}
	return t.annotations(f.SPDXID, f.Annotations)
}

func (t *tagEncoder) extracted(l *extractedLicense) error {
	if err := t.tag("\nLicenseID", l.LicenseID); err != nil {
		return err
	}
	if _, err := t.w.WriteString("ExtractedText: <text>" + strings.ReplaceAll(l.ExtractedText, "</text>", "<\\/text>") + "</text>\n"); err != nil {
		return err
	}
	if err := t.tag("LicenseName", l.Name); err != nil {
		return err
	}
	for _, u := range l.SeeAlsos {
		if err := t.tag("LicenseCrossReference", u); err != nil {
			return err
		}
	}
	return nil
}

func (t *tagEncoder) relationship(r *relationship) error {
	return t.tag("Relationship", r.SpdxElementID+" "+r.RelationshipType+" "+r.RelatedSpdxElement)
}

func (t *tagEncoder) end() error { return t.w.Flush() }
