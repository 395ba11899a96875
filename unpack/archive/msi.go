package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
)

// MSI opens Windows installers, which are compound files ([MS-CFB] of 2021) with cabinets as streams. Files in the cabinets bear the keys of
// the installer's own tables, not the names that they are installed by.
var MSI = biopsy.Unpacker{
	Name: "msi",
	Match: func(f biopsy.File, head []byte) bool {
		return bytes.HasPrefix(head, []byte(ole)) && isInstaller(f.Path)
	},
	Unpack: unpackMSI,
}

// ole begins compound files: Windows installers, but also old Office documents, which hold no software.
const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

func isInstaller(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".msi", ".msp", ".msm":
		return true
	}
	return false
}

const (
	cfbHead   = 512
	cfbEnd    = 0xfffffffa // from here on numbers of sectors are marks
	cfbEntry  = 128
	cfbStream = 2
	cfbRoot   = 5
)

func unpackMSI(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &compound{members: members{UnpackOptions: u}, ctx: ctx, c: c}
	err := m.open()
	if err == nil {
		err = m.streams()
	}
	if m.stopped != nil {
		return m.stopped
	}
	return cmp.Or(err, m.account(c))
}

// compound is a compound file being read.
type compound struct {
	members
	ctx         context.Context
	c           biopsy.Content
	sector      int64
	fat         []uint32 // for each sector, the one that follows it
	small       []uint32 // the same for the small sectors of 64 bytes, which are parts of the root's stream
	root        *runs.Content
	directory   uint32 // first sectors of the directory,
	smallFirst  uint32 // and of the table of small sectors
	cutoff      int64  // streams of fewer bytes are in small sectors
	smallSector int64
}

// open reads the header and the table of sectors.
func (m *compound) open() error {
	var h [cfbHead]byte
	if n, err := m.c.ReadAt(h[:], 0); n < cfbHead {
		return damage(int64(n), err)
	}
	shift, small := le.Uint16(h[30:]), le.Uint16(h[32:])
	if shift != 9 && shift != 12 || small != 6 {
		return damage(30, fmt.Errorf("sectors of 2^%d and 2^%d bytes", shift, small))
	}
	m.sector, m.smallSector, m.cutoff = 1<<shift, 1<<small, int64(le.Uint32(h[56:]))
	m.directory, m.smallFirst = le.Uint32(h[48:]), le.Uint32(h[60:])
	m.is(0, m.sector, biopsy.BytesParsed, "compound file")
	places := h[76:]
	next := le.Uint32(h[68:])
	for seen := int64(0); ; seen++ {
		for len(places) >= 4 {
			if err := m.table(le.Uint32(places)); err != nil {
				return err
			}
			places = places[4:]
		}
		if next >= cfbEnd {
			return nil
		}
		if seen > m.c.Size()/m.sector {
			return errors.New("table of sectors goes in a circle")
		}
		b, err := m.read(next)
		if err != nil {
			return err
		}
		places, next = b[:len(b)-4], le.Uint32(b[len(b)-4:])
	}
}

// table adds one sector of the table of sectors.
func (m *compound) table(at uint32) error {
	if at >= cfbEnd {
		return nil
	}
	if int64(len(m.fat)) > m.c.Size()/m.sector {
		return errors.New("table of sectors is larger than the file")
	}
	b, err := m.read(at)
	if err != nil {
		return err
	}
	for ; len(b) >= 4; b = b[4:] {
		m.fat = append(m.fat, le.Uint32(b))
	}
	return nil
}

// at is where a sector begins; the header takes the place of one.
func (m *compound) at(sector uint32) int64 { return (int64(sector) + 1) * m.sector }

func (m *compound) read(sector uint32) ([]byte, error) {
	b := make([]byte, m.sector)
	if n, err := m.c.ReadAt(b, m.at(sector)); n < len(b) {
		return nil, damage(m.at(sector), err)
	}
	m.is(m.at(sector), m.sector, biopsy.BytesParsed, "compound file")
	return b, nil
}

// chain follows sectors from the first, at most until size bytes are reached; size -1 is up to the end.
func (m *compound) chain(first uint32, size int64, what string) (*runs.Content, error) {
	b := runs.New(m.c, m.c.Size())
	at := int64(0)
	for s := first; s < cfbEnd && (size < 0 || at < size); s = m.fat[s] {
		if int64(s) >= int64(len(m.fat)) || at > m.c.Size() {
			return nil, fmt.Errorf("chain of sectors from %d leaves the file or goes in a circle", first)
		}
		n := min(m.sector, max(m.c.Size()-m.at(s), 0))
		if size >= 0 {
			n = min(n, size-at)
		}
		if err := b.Add(at, n, m.at(s)); err != nil {
			return nil, err
		}
		m.is(m.at(s), m.sector, biopsy.BytesParsed, what)
		at += n
		if n < m.sector {
			break
		}
	}
	if size > at {
		return nil, fmt.Errorf("stream of %d bytes: %d are missing", size, size-at)
	}
	return b.Content(at), nil
}

// smallChain does the same in the root's stream.
func (m *compound) smallChain(first uint32, size int64) (*runs.Content, error) {
	b := runs.New(m.root, m.root.Size())
	at := int64(0)
	for s := first; at < size; s = m.small[s] {
		if int64(s) >= int64(len(m.small)) {
			return nil, fmt.Errorf("stream of %d bytes: %d are missing", size, size-at)
		}
		n := min(m.smallSector, size-at)
		if err := b.Add(at, n, int64(s)*m.smallSector); err != nil {
			return nil, err
		}
		at += n
	}
	return b.Content(size), nil
}

// streams yields the streams in the order of the directory.
func (m *compound) streams() error {
	directory, err := m.chain(m.directory, -1, "compound file")
	if err != nil {
		return err
	}
	r := io.NewSectionReader(directory, 0, directory.Size())
	for i := 0; ; i++ {
		var e [cfbEntry]byte
		if _, err := io.ReadFull(r, e[:]); err != nil {
			return nil // the directory's size is that of its sectors
		}
		if err := m.ctx.Err(); err != nil {
			return err
		}
		switch first, size := le.Uint32(e[116:]), int64(le.Uint64(e[120:])); {
		case e[66] == cfbRoot && i == 0:
			err = m.openSmall(first, size)
		case e[66] == cfbStream:
			err = m.stream(msiName(e[:64], int(le.Uint16(e[64:]))), first, size)
		}
		if err != nil {
			return err
		}
	}
}

// openSmall reads the root's stream and the table of its sectors.
func (m *compound) openSmall(first uint32, size int64) (err error) {
	if m.root, err = m.chain(first, max(size, 0), "compound file"); err != nil {
		return err
	}
	table, err := m.chain(m.smallFirst, -1, "compound file")
	if err != nil {
		return err
	}
	b := make([]byte, table.Size())
	if n, err := table.ReadAt(b, 0); n < len(b) {
		return err
	}
	for ; len(b) >= 4; b = b[4:] {
		m.small = append(m.small, le.Uint32(b))
	}
	return nil
}

func (m *compound) stream(name string, first uint32, size int64) error {
	if size < 0 || size > m.c.Size() || m.root == nil {
		m.lost(name, fmt.Sprintf("stream of %d bytes in a file of %d", size, m.c.Size()), 0)
		return nil
	}
	var c *runs.Content
	var err error
	if size < m.cutoff {
		c, err = m.smallChain(first, size)
	} else {
		c, err = m.chain(first, size, "streams")
	}
	if err != nil {
		m.lost(name, err.Error(), size)
		return nil
	}
	var head [cabHead]byte
	if n, _ := c.ReadAt(head[:], 0); path.Ext(name) == "" {
		if _, cab := cabHeader(head[:n]); cab {
			name += ".cab" // so that who looks for containers sees one
		}
	}
	return m.file(name, biopsy.File{Size: size, Mode: 0o644, Open: func() (biopsy.Content, error) { return c, nil }})
}

// msiName reads a name in UTF-16, in which installers put two letters into one: 62 letters and digits, "." and "_".
func msiName(b []byte, size int) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	var out []uint16
	for i := 0; i+2 <= min(size-2, len(b)); i += 2 { // without the zero at the end
		switch c := le.Uint16(b[i:]); {
		case c >= 0x3800 && c < 0x4800:
			out = append(out, uint16(letters[c&0x3f]), uint16(letters[(c-0x3800)>>6]))
		case c >= 0x4800 && c < 0x4840:
			out = append(out, uint16(letters[c-0x4800]))
		case c == 0x4840:
			out = append(out, '!') // a table of the installer
		default:
			out = append(out, c)
		}
	}
	return strings.ReplaceAll(string(utf16.Decode(out)), "/", "_")
}
