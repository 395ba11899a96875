package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// Cpio opens cpio archives: newc and crc (the Linux kernel's initramfs buffer format), odc (POSIX.1-1997) and the old binary format.
// Archives behind each other, as the kernel loads them, are one; a packed one behind them is yielded as "segment-N".
var Cpio = biopsy.Unpacker{Name: "cpio", Match: func(_ biopsy.File, head []byte) bool { return isCpio(head) }, Unpack: unpackCpio}

// isCpio looks for the magic and for hexadecimal (odc: octal) digits behind it.
func isCpio(head []byte) bool {
	h, ok := cpioFormat(head)
	if !ok || len(head) < h.size || h.order == nil {
		return ok && len(head) >= h.size
	}
	// Two bytes are a weak magic: the first name must end where the header says.
	end := h.size + int(h.order.Uint16(head[h.namesize[0]:]))
	return end > h.size+1 && end <= len(head) && bytes.IndexByte(head[h.size:end], 0) == end-h.size-1
}

// cpioHeader tells where the fields of a header are.
type cpioHeader struct {
	size                            int
	base                            int
	align                           int64
	mode, nlink, filesize, namesize [2]int // from, to
	ino, dev                        [2]int
	order                           binary.ByteOrder // of 16-bit words; nil when fields are digits
}

var (
	newc = cpioHeader{110, 16, 4, [2]int{14, 22}, [2]int{38, 46}, [2]int{54, 62}, [2]int{94, 102}, [2]int{6, 14}, [2]int{62, 78}, nil}
	odc  = cpioHeader{76, 8, 1, [2]int{18, 24}, [2]int{36, 42}, [2]int{65, 76}, [2]int{59, 65}, [2]int{12, 18}, [2]int{6, 12}, nil}

	binLittle = cpioHeader{26, 0, 2, [2]int{6, 8}, [2]int{8, 10}, [2]int{22, 26}, [2]int{20, 22}, [2]int{4, 6}, [2]int{2, 4}, binary.LittleEndian}
	binBig    = cpioHeader{26, 0, 2, [2]int{6, 8}, [2]int{8, 10}, [2]int{22, 26}, [2]int{20, 22}, [2]int{4, 6}, [2]int{2, 4}, binary.BigEndian}
)

// cpioFormat knows a header by its first six bytes.
func cpioFormat(b []byte) (cpioHeader, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("070701")), bytes.HasPrefix(b, []byte("070702")):
		return newc, true
	case bytes.HasPrefix(b, []byte("070707")):
		return odc, true
	case bytes.HasPrefix(b, []byte{0xc7, 0x71}):
		return binLittle, true
	case bytes.HasPrefix(b, []byte{0x71, 0xc7}):
		return binBig, true
	}
	return cpioHeader{}, false
}

// inode tells from a header which file a name is one of.
func (h cpioHeader) inode(b []byte) (i cpioInode) {
	n := copy(i[:], b[h.ino[0]:h.ino[1]])
	copy(i[n:], b[h.dev[0]:h.dev[1]])
	return i
}

func (h cpioHeader) field(b []byte, at [2]int) (int64, error) {
	if h.order != nil {
		n := int64(h.order.Uint16(b[at[0]:]))
		if at[1]-at[0] == 4 { // the upper word first, whatever the order
			n = n<<16 | int64(h.order.Uint16(b[at[0]+2:]))
		}
		return n, nil
	}
	n, err := strconv.ParseUint(string(b[at[0]:at[1]]), h.base, 63)
	if err != nil {
		return 0, fmt.Errorf("cpio header: %q is no number", b[at[0]:at[1]])
	}
	return int64(n), nil
}

func unpackCpio(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	a := cpio{members: members{UnpackOptions: u}, ctx: ctx, content: c}
	a.r = bufio.NewReaderSize(io.NewSectionReader(c, 0, c.Size()), 8<<10)
	err := a.walk()
	if a.stopped != nil {
		return err
	}
	return cmp.Or(err, a.account(c))
}

// streamCpio goes through an archive that comes out of a decoder.
func streamCpio(ctx context.Context, r *bufio.Reader, u biopsy.UnpackOptions) (stopped bool, err error) {
	a := cpio{members: members{UnpackOptions: u}, ctx: ctx, r: r}
	err = a.walk()
	return a.stopped != nil, err
}

// cpio is an archive being read.
type cpio struct {
	members
	ctx      context.Context
	content  biopsy.Content // nil in a stream
	r        *bufio.Reader
	pos      int64 // of r
	segments int
	links    cpioLinks
}

func (a *cpio) walk() error {
	for {
		more, err := a.segment()
		if err != nil || !more {
			return err
		}
	}
}

// segment finds what comes next behind zero padding, and reads it if it is an archive.
func (a *cpio) segment() (more bool, err error) {
	start := a.pos
	err = a.skipZeros()
	if a.content != nil {
		a.is(start, a.pos-start, biopsy.BytesPadding, "")
	}
	if err != nil {
		if err == io.EOF {
			return false, nil
		}
		return false, damage(a.pos, err)
	}
	head, err := a.r.Peek(512)
	if err != nil && err != io.EOF {
		return false, damage(a.pos, err)
	}
	if _, ok := cpioFormat(head); ok {
		return true, a.archive()
	}
	if a.segments > 0 && codec.Detect(head) != "" {
		return false, a.packed()
	}
	return false, damage(a.pos, errors.New("neither a cpio header nor a packed archive"))
}

// packed yields the rest of the container as one member.
func (a *cpio) packed() error {
	f := biopsy.File{Size: -1, Transient: true, Mode: 0o644, Open: a.transient(a.r)}
	if a.content != nil {
		a.is(a.pos, a.content.Size()-a.pos, biopsy.BytesParsed, "packed archive")
		f = biopsy.File{Size: a.content.Size() - a.pos, Mode: 0o644, Open: lazy(a.content, a.pos, a.content.Size()-a.pos)}
	}
	return a.file(fmt.Sprintf("segment-%d", a.segments+1), f)
}

func (a *cpio) skipZeros() error {
	for {
		b, err := a.r.Peek(1)
		if err != nil {
			return err
		}
		if b[0] != 0 {
			return nil
		}
		if err := a.skip(1); err != nil {
			return err
		}
	}
}

// archive reads members up to the trailer.
func (a *cpio) archive() error {
	for start := a.pos; ; {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		before := a.pos
		last, err := a.member(start)
		if a.content != nil && err == nil {
			a.is(before, a.pos-before, biopsy.BytesParsed, "cpio")
		}
		if a.stopped != nil {
			return err
		}
		if err != nil {
			a.loseLinks()
			return damage(a.pos, err)
		}
		if last {
			a.segments++
			return a.emptyLinks()
		}
	}
}

// member reads one header and yields its file. start is where the archive begins: paddings count from there.
func (a *cpio) member(start int64) (last bool, err error) {
	magic, err := a.r.Peek(6)
	if err != nil {
		return false, err
	}
	h, ok := cpioFormat(magic)
	if !ok {
		return false, fmt.Errorf("no cpio header: %q", magic)
	}
	b, err := a.r.Peek(h.size)
	if err != nil {
		return false, err
	}
	var n [4]int64
	for i, at := range [...][2]int{h.mode, h.nlink, h.filesize, h.namesize} {
		if n[i], err = h.field(b, at); err != nil {
			return false, err
		}
	}
	mode, nlink, size, nameSize := n[0], n[1], n[2], n[3]
	inode := h.inode(b)
	if nameSize < 1 || nameSize > 65536 {
		return false, fmt.Errorf("cpio header: name of %d bytes", nameSize)
	}
	if err := a.skip(int64(h.size)); err != nil {
		return false, err
	}
	name := make([]byte, nameSize)
	if err := a.read(name); err != nil {
		return false, err
	}
	if err := a.pad(start, h.align); err != nil {
		return false, err
	}
	shown := strings.TrimRight(string(name), "\x00")
	if shown == "TRAILER!!!" {
		return true, nil
	}
	const typeBits, regular = 0o170000, 0o100000
	names := []cpioName{{shown, fs.FileMode(mode & 0o777)}}
	switch {
	case mode&typeBits != regular:
		names = nil
	case nlink > 1 && size == 0:
		return false, a.wait(inode, names[0])
	case nlink > 1:
		names = append(a.arrive(inode, size), names...)
	}
	if err := a.body(shown, names, size); err != nil {
		return false, err
	}
	return false, a.pad(start, h.align)
}

// body yields a regular file under its names, none of them for what is no such file, and goes behind its bytes.
func (a *cpio) body(shown string, names []cpioName, size int64) error {
	if a.content == nil {
		return a.bodyOfStream(names, size)
	}
	if left := a.content.Size() - a.pos; size > left {
		for _, n := range names[:max(0, len(names)-1)] {
			a.lost(n.name, "hard link whose bytes are cut off", size)
		}
		return fmt.Errorf("member %q: %d bytes are missing: %w", shown, size-left, io.ErrUnexpectedEOF)
	}
	for _, n := range names {
		if err := a.file(n.name, biopsy.File{Size: size, Mode: n.mode, Open: lazy(a.content, a.pos, size)}); err != nil {
			return err
		}
	}
	return a.skip(size)
}

func (a *cpio) bodyOfStream(names []cpioName, size int64) (err error) {
	in := &exactly{r: a.r, left: size}
	switch len(names) {
	case 0:
	case 1:
		err = a.file(names[0].name, biopsy.File{Size: size, Mode: names[0].mode, Transient: true, Open: a.transient(in)})
	default:
		err = a.sharedMember(names, size, in)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	a.pos += size
	return err
}

// skip goes n bytes forward. In an archive that can be read at any offset, long ways cost nothing.
func (a *cpio) skip(n int64) error {
	a.pos += n
	if a.content != nil && n > int64(a.r.Buffered()) {
		a.r.Reset(io.NewSectionReader(a.content, a.pos, a.content.Size()-a.pos))
		return nil
	}
	_, err := a.r.Discard(int(n))
	return err
}

func (a *cpio) read(b []byte) error {
	n, err := io.ReadFull(a.r, b)
	a.pos += int64(n)
	return err
}

func (a *cpio) pad(start, align int64) error {
	if rest := (a.pos - start) % align; rest != 0 {
		return a.skip(align - rest)
	}
	return nil
}

// exactly is a run of bytes in a stream; it is an error when the stream ends before.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
