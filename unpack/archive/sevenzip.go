package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// SevenZip opens archives of 7-Zip (7zFormat.txt of the LZMA SDK 24.09, 2024). Files that were packed together are unpacked one behind
// the other, and only as far as somebody wants them.
var SevenZip = biopsy.Unpacker{
	Name:   "7z",
	Match:  func(_ biopsy.File, head []byte) bool { return bytes.HasPrefix(head, []byte(szMagic)) },
	Magics: []biopsy.Magic{{Bytes: []byte(szMagic)}},
	Extent: func(c io.ReaderAt, off, max int64) (int64, bool) {
		s, err := szStart(io.NewSectionReader(c, off, max))
		return s.offset + s.size, err == nil
	},
	Unpack: unpackSevenZip,
}

const (
	szMagic = "7z\xbc\xaf\x27\x1c"
	szHead  = 32
	// maxSzHeader bounds the header, which is read whole: a million files take some 50 MiB.
	maxSzHeader = 64 << 20
)

// szHeaderAt is where the header stands, and its check sum.
type szHeaderAt struct {
	offset, size int64
	sum          uint32
}

// szStart reads the first 32 bytes, which have a check sum.
func szStart(c *io.SectionReader) (szHeaderAt, error) {
	var b [szHead]byte
	if n, err := c.ReadAt(b[:], 0); n < szHead {
		return szHeaderAt{}, damage(int64(n), err)
	}
	if string(b[:6]) != szMagic || b[6] != 0 || crc32.ChecksumIEEE(b[12:]) != le.Uint32(b[8:]) {
		return szHeaderAt{}, damage(0, errors.New("no 7z archive, or its first bytes are damaged"))
	}
	offset, size, left := le.Uint64(b[12:]), le.Uint64(b[20:]), uint64(c.Size()-szHead)
	if offset > left || size > left-offset {
		return szHeaderAt{}, fmt.Errorf("header of %d bytes at offset %d: %w", size, offset, io.ErrUnexpectedEOF)
	}
	return szHeaderAt{int64(offset) + szHead, int64(size), le.Uint32(b[28:])}, nil
}

func unpackSevenZip(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	z := sevenZip{members: members{UnpackOptions: u}, ctx: ctx, c: c}
	start, err := szStart(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		return err
	}
	z.is(0, szHead, biopsy.BytesParsed, "7z header")
	header, err := z.header(start)
	switch {
	case err == nil:
		err = z.files(header)
	case errors.Is(err, errEncrypted): // with the list of files, the files are
		z.is(szHead, start.offset-szHead, biopsy.BytesEncrypted, "packed files")
	}
	z.is(start.offset, start.size, biopsy.BytesParsed, "7z header")
	return cmp.Or(err, z.account(c))
}

// sevenZip is an archive being read.
type sevenZip struct {
	members
	ctx context.Context
	c   biopsy.Content
}

// header reads the header, which is most often packed itself.
func (z *sevenZip) header(at szHeaderAt) (szHeader, error) {
	if at.size == 0 {
		return szHeader{}, nil
	}
	if at.size > maxSzHeader {
		return szHeader{}, fmt.Errorf("header of %d bytes is larger than the limit of %d", at.size, maxSzHeader)
	}
	b := make([]byte, at.size)
	if n, err := z.c.ReadAt(b, at.offset); n < len(b) {
		return szHeader{}, damage(at.offset, err)
	}
	if crc32.ChecksumIEEE(b) != at.sum {
		return szHeader{}, damage(at.offset, errors.New("header: wrong check sum"))
	}
	for range 4 { // one level is what programs write
		in := szBytes{b: b}
		switch kind := in.number(); kind {
		case szIsHeader:
			h := readSzHeader(&in)
			return h, in.err
		case szIsEncoded:
			s := readSzStreams(&in)
			if in.err != nil {
				return szHeader{}, in.err
			}
			var err error
			if b, err = z.encoded(s); err != nil {
				return szHeader{}, fmt.Errorf("packed header: %w", err)
			}
		default:
			return szHeader{}, fmt.Errorf("header begins with %d", kind)
		}
	}
	return szHeader{}, errors.New("header is packed again and again")
}

var errEncrypted = errors.New("encrypted")

// encoded unpacks a header.
func (z *sevenZip) encoded(s szStreams) ([]byte, error) {
	if len(s.folders) != 1 {
		return nil, fmt.Errorf("it is in %d parts", len(s.folders))
	}
	f := &s.folders[0]
	z.claim(f, s)
	if f.encrypted() {
		return nil, errEncrypted
	}
	size := f.size()
	if size > maxSzHeader {
		return nil, fmt.Errorf("%d bytes are more than the limit of %d", size, maxSzHeader)
	}
	r, err := f.open(z.c, s)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, &exactly{r: &spending{r: r, budget: z.Budget}, left: int64(size)}); err != nil {
		return nil, err
	}
	if f.summed && crc32.ChecksumIEEE(b.Bytes()) != f.sum {
		return nil, errors.New("wrong check sum")
	}
	return b.Bytes(), nil
}

// claim tells the ledger where the packed bytes of a folder are.
func (z *sevenZip) claim(f *szFolder, s szStreams) {
	status := biopsy.BytesParsed
	if f.encrypted() {
		status = biopsy.BytesEncrypted
	}
	for i := range f.packed {
		z.is(s.offset(f.first+i), s.packed[f.first+i], status, "packed files")
	}
}

// files yields the files of all folders in the order of the archive.
func (z *sevenZip) files(h szHeader) error {
	for i := range h.streams.folders {
		z.claim(&h.streams.folders[i], h.streams)
	}
	var folder *szFolder
	var together *solid
	next := 0
	for i, f := range h.files {
		if i%1024 == 0 && z.ctx.Err() != nil {
			return z.ctx.Err()
		}
		name := treepath.DOS(f.name)
		if f.mode == 0 {
			f.mode = unstated(name)
		}
		if !f.hasBytes {
			if err := z.empty(name, f); err != nil {
				return err
			}
			continue
		}
		if next >= len(h.streams.parts) {
			return fmt.Errorf("file %q has no bytes: the archive holds fewer than its list says", name)
		}
		p := h.streams.parts[next]
		next++
		if f := &h.streams.folders[p.folder]; f != folder {
			folder, together = f, &solid{members: &z.members, ctx: z.ctx, start: func() (io.Reader, error) { return f.open(z.c, h.streams) }}
		}
		if f.mode&fs.ModeType != 0 {
			continue
		}
		if why := folder.unreadable(); why != "" {
			z.lost(name, why, p.size)
			continue
		}
		if err := z.file(name, z.member(folder, h.streams, together, p, f.mode)); err != nil {
			return err
		}
	}
	return nil
}

func (z *sevenZip) empty(name string, f szFile) error {
	if f.dir || f.mode&fs.ModeType != 0 {
		return nil
	}
	return z.file(name, biopsy.File{Mode: f.mode, Open: lazy(bytes.NewReader(nil), 0, 0)})
}

// member is a file of a folder. One that has a folder alone can be opened at any time.
func (z *sevenZip) member(f *szFolder, s szStreams, together *solid, p szPart, mode fs.FileMode) biopsy.File {
	var sum *uint32
	if p.summed {
		sum = &p.sum
	}
	if !p.alone {
		return biopsy.File{Size: p.size, Mode: mode, Transient: true, Open: together.member(p.offset, p.size, sum)}
	}
	return biopsy.File{Size: p.size, Mode: mode, Open: func() (biopsy.Content, error) {
		r, err := f.open(z.c, s)
		if err != nil {
			return nil, err
		}
		return z.keep(r, p.size, sum)
	}}
}
