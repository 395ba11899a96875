package distro

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Portage reads one installed package of Gentoo (Portage 3.0, var/db/pkg): the folder CATEGORY/NAME-VERSION names it, and holds a file for
// each of its facts.
var Portage = biopsy.Extractor{
	Name:    "portage",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/db/pkg/*/*/PF", "var/db/pkg/*/*/LICENSE", "var/db/pkg/*/*/HOMEPAGE", "var/db/pkg/*/*/DESCRIPTION"},
	Extract: portageFact,
}

// PortageFiles reads which files a package installed: CONTENTS, a line "obj PATH MD5 MTIME" for each.
var PortageFiles = biopsy.Extractor{
	Name:    "portage-files",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/db/pkg/*/*/CONTENTS"},
	Extract: portageFiles,
}

// maxFact bounds one fact of a package.
const maxFact = 64 << 10

// portageVersion finds where the version starts (PMS 8, 3.2: a hyphen, digits, letters and suffixes).
var portageVersion = regexp.MustCompile(`-([0-9]+(?:\.[0-9]+)*[a-z]?(?:_(?:alpha|beta|pre|rc|p)[0-9]*)*(?:-r[0-9]+)?)$`)

// portageClaim reads what the path says; the zero claim when it is of another shape.
func portageClaim(in biopsy.Input) biopsy.Claim {
	elems := strings.Split(in.Path, "/")
	if len(elems) < 4 {
		return biopsy.Claim{}
	}
	category, pf := elems[len(elems)-3], elems[len(elems)-2]
	m := portageVersion.FindStringSubmatchIndex(pf)
	if m == nil || m[0] == 0 {
		return biopsy.Claim{}
	}
	c := biopsy.Claim{Eco: "ebuild", Namespace: category, Name: pf[:m[0]], Version: pf[m[2]:m[3]]}
	setRoot(&c, rootOf(in.Path, "var/db/pkg/"))
	return c
}

func portageFact(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	c := portageClaim(in)
	if c.Name == "" {
		return fmt.Errorf("%s: folder is no package name and version", in.Path)
	}
	if in.Size() > maxFact {
		return fmt.Errorf("fact of %d bytes is not read", in.Size())
	}
	text := make([]byte, in.Size())
	if _, err := io.ReadFull(in.Reader(), text); err != nil {
		return fmt.Errorf("read fact: %w", err)
	}
	fact := strings.Join(strings.Fields(string(text)), " ")
	c.About = true
	switch in.Path[strings.LastIndexByte(in.Path, '/')+1:] {
	case "PF":
		c.About, c.State = false, biopsy.Installed
	case "LICENSE":
		c.Licenses = declared(fact)
	case "HOMEPAGE":
		c.Homepage, _, _ = strings.Cut(fact, " ")
	case "DESCRIPTION":
		c.Description = fact
	}
	emit(evidence(in, "portage", 0, c))
	return nil
}

func portageFiles(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	c := portageClaim(in)
	if c.Name == "" {
		return nil // portageFact says so
	}
	o := owned{root: c.Extra[rootExtra]}
	r := readLines(in)
	b, err := r.next()
	for ; err == nil && ctx.Err() == nil; b, err = r.next() {
		if path, ok := bytes.CutPrefix(b, []byte("obj ")); ok {
			o.add(cutLast(cutLast(path)))
		}
	}
	if len(o.paths) > 0 {
		c.About, c.Owns = true, o.paths
		emit(evidence(in, "portage-files", 0, c))
	}
	if err == io.EOF || err == nil {
		return ctx.Err()
	}
	return err
}

// cutLast drops the last word: digest and time stand behind a path that may hold blanks.
func cutLast(b []byte) []byte {
	if i := bytes.LastIndexByte(b, ' '); i >= 0 {
		return b[:i]
	}
	return nil
}
