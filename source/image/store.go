package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
)

// maxFiles bounds the files of a tar archive that may be an image: two for each layer and some more.
const maxFiles = 100_000

// blobPath is where a layout keeps a blob.
func blobPath(digest string) (string, error) {
	alg, hex, ok := strings.Cut(digest, ":")
	if !ok || !isHex(alg, true) || !isHex(hex, false) {
		return "", fmt.Errorf("%q is no digest", digest)
	}
	return "blobs/" + alg + "/" + hex, nil
}

// isHex tells whether s is made of hexadecimal digits, or of letters and digits.
func isHex(s string, letters bool) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z' || !letters && c > 'f') {
			return false
		}
	}
	return s != ""
}

// folder is a layout in a directory. Links out of it are refused.
type folder struct{ root *os.Root }

func openFolder(path string) (local, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return files{folder{root}}, nil
}

func (f folder) Close() error { return f.root.Close() }

func (f folder) open(name string) (biopsy.Content, error) {
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for ever
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return section{io.NewSectionReader(file, 0, info.Size()), file}, nil
}

// bundle is a layout or "docker save" archive in a tar archive: an index of its files by name.
type bundle struct {
	io.Closer
	byName map[string]tarscan.Entry
}

// openBundle indexes a tar archive. A compressed one is unpacked into the spool first, for its layers are needed last to first.
func openBundle(path string, o biopsy.OpenOptions) (local, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return bundleOf(f, o)
}

// bundleOf is openBundle of an open file, which it closes with the store, or when there is none.
func bundleOf(f section, o biopsy.OpenOptions) (local, error) {
	c, err := plainContent(f, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := bundle{Closer: c, byName: map[string]tarscan.Entry{}}
	err = tarscan.Archive(c, c.Size(), func(e tarscan.Entry) error {
		if len(b.byName) >= maxFiles {
			return errors.New("too many files for an image")
		}
		b.byName[cleanName(e.Name)] = e
		return nil
	})
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // what a torn archive lacks is missed when it is needed
		return nil, errors.Join(err, c.Close())
	}
	return files{b}, nil
}

func openFile(path string) (section, error) {
	f, err := os.Open(path)
	if err != nil {
		return section{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return section{}, errors.Join(err, f.Close())
	}
	return section{io.NewSectionReader(f, 0, info.Size()), f}, nil
}

// plainContent returns f itself, or unpacked in the spool, and then closes f.
func plainContent(f section, o biopsy.OpenOptions) (biopsy.Content, error) {
	format := codec.Detect(head(f))
	if format == "" {
		return f, nil
	}
	r, err := codec.NewReader(format, io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c, err := o.Spool.Keep(codec.Bound(r, f.Size(), o.Limits), o.Limits.TotalSize)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", format, err)
	}
	return c, f.Close()
}

// head returns the first bytes of c, fewer when it is short or cannot be read: what follows will meet the error.
func head(c io.ReaderAt) []byte {
	b := make([]byte, 512)
	n, _ := c.ReadAt(b, 0)
	return b[:n]
}

func cleanName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// open follows links inside the archive: Docker up to version 24 writes equal layers as links to the first.
func (b bundle) open(name string) (biopsy.Content, error) {
	name = cleanName(name)
	for range 8 {
		e, ok := b.byName[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		case e.Kind == tarscan.Symlink:
			name = cleanName(path.Join(path.Dir(name), e.Link))
		case e.Kind == tarscan.Link:
			name = cleanName(e.Link)
		case e.Bytes == nil:
			return nil, fmt.Errorf("%s: not a regular file", name)
		default:
			return section{io.NewSectionReader(e.Bytes, 0, e.Size), nil}, nil
		}
	}
	return nil, fmt.Errorf("%s: too many links", name)
}

// files makes a store out of whatever opens files by name.
type files struct {
	opener interface {
		io.Closer
		open(name string) (biopsy.Content, error)
	}
}

func (f files) Close() error                             { return f.opener.Close() }
func (f files) open(name string) (biopsy.Content, error) { return f.opener.open(name) }

func (f files) file(name string) ([]byte, error) {
	c, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	b, err := whole(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func (f files) manifest(d descriptor) ([]byte, error) { return document(f, d) }

func (f files) blob(d descriptor) (biopsy.Content, error) {
	name, err := blobPath(d.Digest)
	if err != nil {
		return nil, err
	}
	return f.open(name)
}

// section is part of a file as Content.
type section struct {
	*io.SectionReader
	file io.Closer // nil when somebody else closes
}

func (s section) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
