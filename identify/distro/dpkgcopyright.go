package distro

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// DpkgCopyright reads the licences of a Debian package from /usr/share/doc/NAME/copyright: in the machine-readable format 1.0
// (2012-02) exactly, else only what names a text in /usr/share/common-licenses.
var DpkgCopyright = biopsy.Extractor{
	Name:    "dpkg-copyright",
	Basis:   biopsy.Manifest,
	Names:   []string{"usr/share/doc/*/copyright"},
	From:    biopsy.Standard,
	Extract: dpkgCopyright,
}

const (
	maxCopyright = 1 << 20 // what is read of one file; Linux and Chromium write the longest, of 300 to 900 KiB
	maxLicenses  = 200     // different licences of one package
	maxShortName = 200     // bytes of one licence's short name
)

func dpkgCopyright(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	text := make([]byte, min(in.Size(), maxCopyright))
	if _, err := io.ReadFull(in.Reader(), text); err != nil {
		return fmt.Errorf("read copyright: %w", err)
	}
	sure := 0.95
	found, ok := machineReadable(text)
	if !ok {
		sure = 0.7
		found = commonLicenses(text)
	}
	dir := strings.TrimSuffix(in.Path, "/copyright")
	c := biopsy.Claim{Eco: "deb", Name: dir[strings.LastIndexByte(dir, '/')+1:], About: true, Licenses: found}
	setRoot(&c, rootOf(in.Path, "usr/share/doc/"))
	if len(found) > 0 {
		e := evidence(in, "dpkg-copyright", 0, c)
		e.Confidence = sure
		emit(e)
	}
	if in.Size() > maxCopyright {
		return fmt.Errorf("copyright file of %d bytes, read up to %d", in.Size(), maxCopyright)
	}
	return nil
}

// machineReadable returns the licences of all Files paragraphs and of the header, each once, in the order of the file. A paragraph
// with License but without Files only gives a text. ok is false when the file is not in the format.
func machineReadable(text []byte) (found []biopsy.License, ok bool) {
	head := text[:min(len(text), 1024)]
	if !bytes.Contains(head, []byte("copyright-format")) && !bytes.Contains(head, []byte("dep5")) && !bytes.Contains(head, []byte("/dep/5")) {
		return nil, false
	}
	var names []string
	name, covers := "", true
	end := func() {
		if covers && name != "" && !slices.Contains(names, name) && len(names) < maxLicenses {
			names = append(names, name)
		}
		name, covers = "", false
	}
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		line = bytes.TrimRight(line, " \t\r")
		switch {
		case len(line) == 0:
			end()
		case line[0] == ' ' || line[0] == '\t':
		case hasField(line, "Files:"):
			covers = true
		case hasField(line, "License:"), hasField(line, "Licence:"):
			name = strings.TrimSpace(string(line[len("License:"):]))
		}
	}
	end()
	for _, n := range names {
		if l := debianLicense(n); !slices.Contains(found, l) {
			found = append(found, l)
		}
	}
	return found, true
}

// hasField tells whether a line starts with the field, in any case of letters.
func hasField(line []byte, field string) bool {
	return len(line) >= len(field) && line[len(field)-1] == ':' && strings.EqualFold(string(line[:len(field)]), field)
}

// debianLicense reads a License field's first line: short names joined by "and", "or" and commas ("GPL-2+ or Artistic-2, and
// BSD-3-clause": the comma gives "and" the lower rank). Where one name has no SPDX id, the whole stays as found.
func debianLicense(s string) biopsy.License {
	if len(s) > maxShortName {
		return biopsy.License{Name: strings.ToValidUTF8(s[:maxShortName], "?") + " ...", Basis: "declared"}
	}
	var parts []string
	for clause := range strings.SplitSeq(strings.ReplaceAll(s, ", and ", ","), ",") {
		e := debianClause(strings.Fields(clause))
		if e == "" {
			return biopsy.License{Name: strings.ToValidUTF8(s, "?"), Basis: "declared"}
		}
		if strings.Contains(e, " OR ") && strings.Contains(s, ",") {
			e = "(" + e + ")"
		}
		parts = append(parts, e)
	}
	return biopsy.License{Expression: strings.Join(parts, " AND "), Basis: "declared"}
}

// debianClause joins the ids of "A or B and C", in which "and" binds closer, as in SPDX; an id may be followed by "with KEYWORD
// exception". "" when a word has no id.
func debianClause(words []string) string {
	var out []string
	for len(words) > 0 {
		id := debianID(words[0])
		if id == "" {
			return ""
		}
		words = words[1:]
		if len(words) >= 3 && words[0] == "with" && words[2] == "exception" {
			exception := debianException(words[1], id)
			if exception == "" {
				return ""
			}
			id += " WITH " + exception
			words = words[3:]
		}
		out = append(out, id)
		if len(words) == 0 {
			return strings.Join(out, " ")
		}
		op := strings.ToUpper(words[0])
		if op != "AND" && op != "OR" {
			return ""
		}
		out = append(out, op)
		words = words[1:]
	}
	return ""
}

var commonPath = regexp.MustCompile(`/usr/share/common-licenses/([A-Za-z]+(?:-[0-9]+(?:\.[0-9]+)?)?)`)

// grantsLater tells whether a notice allows later versions ("or (at your option) any later version", "either version 2, or later").
func grantsLater(text []byte) bool {
	for {
		i := bytes.Index(text, []byte("later"))
		if i < 0 {
			return false
		}
		before := bytes.Fields(text[max(0, i-12):i])
		if n := len(before); n > 0 && (bytes.EqualFold(before[n-1], []byte("any")) || bytes.EqualFold(before[n-1], []byte("or"))) {
			return true
		}
		text = text[i+len("later"):]
	}
}

// commonLicenses returns the licences whose common text a free-form file points to. Whether a later version may be chosen shows in
// the words before the pointer; where they do not say so, the name is left without a guess.
func commonLicenses(text []byte) []biopsy.License {
	var found []biopsy.License
	start := 0
	for _, m := range commonPath.FindAllSubmatchIndex(text, maxLicenses) {
		name := string(text[m[2]:m[3]])
		l := biopsy.License{Name: name, Basis: "declared"}
		id := debianID(name)
		switch {
		case name == "BSD", name == "Artistic":
		case strings.HasSuffix(id, "-only") && grantsLater(text[start:m[0]]):
			l = biopsy.License{Expression: debianID(name + "+"), Basis: "declared"}
		case id != "" && !strings.HasSuffix(id, "-only"):
			l = biopsy.License{Expression: id, Basis: "declared"}
		}
		start = m[1]
		if !slices.Contains(found, l) {
			found = append(found, l)
		}
	}
	return found
}
