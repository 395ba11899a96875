package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Ar opens Unix ar archives as System V, GNU and BSD write them (ar(5) of FreeBSD 14): static libraries and Debian packages.
var Ar = biopsy.Unpacker{Name: "ar", Match: func(_ biopsy.File, head []byte) bool { return isAr(head) }, Unpack: unpackAr}

const (
	arMagic     = "!<arch>\n"
	arThinMagic = "!<thin>\n"
	arHeader    = 60
	maxArNames  = 16 << 20 // of the table of long names
)

func isAr(head []byte) bool {
	return bytes.HasPrefix(head, []byte(arMagic)) || bytes.HasPrefix(head, []byte(arThinMagic))
}

func unpackAr(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	a := ar{members: members{UnpackOptions: u}, c: c}
	magic := make([]byte, len(arMagic))
	_, err := c.ReadAt(magic, 0)
	if err != nil {
		return damage(0, err)
	}
	if string(magic) == arThinMagic {
		return errors.New("thin archive: its members are files elsewhere")
	}
	off := int64(len(arMagic))
	for err == nil && off < c.Size() {
		if err = ctx.Err(); err != nil {
			return err
		}
		var next int64
		if next, err = a.member(off); err == nil {
			off = next + next&1 // members start at even offsets
		}
	}
	if a.stopped != nil {
		return err
	}
	a.is(0, off, biopsy.BytesParsed, "ar")
	return cmp.Or(err, a.account(c))
}

// ar is an archive being read.
type ar struct {
	members
	c     biopsy.Content
	names []byte // GNU's table of long names
}

// member yields the member whose header is at off, and returns where its bytes end.
func (a *ar) member(off int64) (end int64, err error) {
	var h [arHeader]byte
	if n, err := a.c.ReadAt(h[:], off); n < arHeader {
		return 0, damage(off, err)
	}
	if h[58] != '`' || h[59] != '\n' {
		return 0, damage(off, errors.New("no ar header"))
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(h[48:58])), 10, 64)
	start := off + arHeader
	if err != nil || size < 0 || size > a.c.Size()-start {
		return 0, damage(off, fmt.Errorf("member %q says it has %q bytes, %d are left: %w", trimmed(h[:16]), trimmed(h[48:58]), a.c.Size()-start, io.ErrUnexpectedEOF))
	}
	end = start + size
	name := trimmed(h[:16])
	switch {
	case name == "/", name == "/SYM64/", strings.HasPrefix(name, "/<"), strings.HasPrefix(name, "__.SYMDEF"): // tables of linkers
		return end, nil
	case name == "//":
		a.names = make([]byte, min(size, maxArNames))
		_, err := io.ReadFull(io.NewSectionReader(a.c, start, size), a.names)
		return end, err
	case strings.HasPrefix(name, "#1/"):
		name, start, err = a.bsdName(name[3:], start, end)
	case strings.HasPrefix(name, "/"):
		name, err = a.gnuName(name[1:])
	}
	if err != nil {
		a.lost("", damage(off, err).Error(), size)
		return end, nil
	}
	mode, err := strconv.ParseUint(trimmed(h[40:48]), 8, 32)
	if err != nil {
		mode = 0o644
	}
	if strings.HasPrefix(name, "__.SYMDEF") {
		return end, nil
	}
	return end, a.file(strings.TrimSuffix(name, "/"), biopsy.File{Size: end - start, Mode: fs.FileMode(mode & 0o777), Open: lazy(a.c, start, end-start)})
}

func trimmed(b []byte) string { return string(bytes.TrimRight(b, " \x00")) }

// bsdName reads a name that stands before the member's bytes.
func (a *ar) bsdName(length string, start, end int64) (string, int64, error) {
	n, err := strconv.ParseInt(length, 10, 32)
	if err != nil || n < 0 || n > end-start {
		return "", 0, fmt.Errorf("name of %q bytes in a member of %d", length, end-start)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(io.NewSectionReader(a.c, start, n), b)
	return trimmed(b), start + n, err
}

// gnuName looks a name up in the table of long names, where each ends with "/\n".
func (a *ar) gnuName(offset string) (string, error) {
	n, err := strconv.ParseInt(offset, 10, 32)
	if err != nil || n < 0 || n >= int64(len(a.names)) {
		return "", fmt.Errorf("name at %q of a table of %d bytes", offset, len(a.names))
	}
	name, _, _ := bytes.Cut(a.names[n:], []byte("\n"))
	return strings.TrimSuffix(string(name), "/"), nil
}
