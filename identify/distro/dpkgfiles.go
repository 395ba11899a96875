package distro

import (
	"bytes"
	"context"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// DpkgFiles reads which files a Debian package installed: /var/lib/dpkg/info/NAME[:ARCH].list, one absolute path per line.
var DpkgFiles = biopsy.Extractor{
	Name:    "dpkg-files",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/dpkg/info/*.list"},
	Extract: dpkgFiles,
}

// DpkgSums reads the file lists of images without dpkg: status.d/NAME.md5sums, a digest and a relative path per line.
var DpkgSums = biopsy.Extractor{
	Name:    "dpkg-sums",
	Basis:   biopsy.Manifest,
	Names:   []string{"lib/dpkg/status.d/*.md5sums"},
	Extract: dpkgSums,
}

func dpkgFiles(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	name, arch, _ := strings.Cut(strings.TrimSuffix(path.Base(in.Path), ".list"), ":")
	c := biopsy.Claim{Eco: "deb", Name: name, Arch: arch, About: true}
	return fileList(in, "var/lib/dpkg/", "dpkg-files", c, emit)
}

// fileList emits the claim with all files of the list. A list cut short still gives the files before the cut.
func fileList(in biopsy.Input, mark, reader string, c biopsy.Claim, emit func(biopsy.Evidence)) error {
	o := owned{root: rootOf(in.Path, mark)}
	o.paths = make([]biopsy.Path, 0, min(in.Size()/48, 1<<16))
	r := readLines(in)
	var prev []byte
	b, err := r.next()
	for ; err == nil; b, err = r.next() {
		// opkg 0.3 and later put mode and link target behind tabs
		if i := bytes.IndexByte(b, '\t'); i >= 0 {
			b = b[:i]
		}
		if !parent(prev, b) {
			o.add(prev)
		}
		prev = append(prev[:0], b...)
	}
	if !bytes.HasSuffix(prev, []byte("/.")) {
		o.add(prev)
	}
	if len(o.paths) > 0 {
		c.Owns = o.paths
		setRoot(&c, o.root)
		emit(evidence(in, reader, 0, c))
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// parent tells whether dir is a folder that holds path, and so no file. The list names "/." for the root.
func parent(dir, path []byte) bool {
	if len(dir) == 0 || string(dir) == "/." {
		return true
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && bytes.HasPrefix(path, dir)
}

func dpkgSums(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	o := owned{root: rootOf(in.Path, "var/lib/dpkg/", "usr/lib/dpkg/")}
	r := readLines(in)
	b, err := r.next()
	for ; err == nil; b, err = r.next() {
		// md5sum(1): 32 digits, a blank, a blank or star, the path
		if len(b) > 34 {
			o.add(bytes.TrimPrefix(b[34:], []byte("./")))
		}
	}
	if len(o.paths) > 0 {
		c := biopsy.Claim{Eco: "deb", Name: strings.TrimSuffix(path.Base(in.Path), ".md5sums"), About: true, Owns: o.paths}
		setRoot(&c, o.root)
		emit(evidence(in, "dpkg-sums", 0, c))
	}
	if err == io.EOF {
		return nil
	}
	return err
}
