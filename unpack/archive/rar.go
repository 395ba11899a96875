package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/treepath"
	"github.com/nwaples/rardecode/v2"
)

// RAR opens archives of RAR 1.5 to 4 and 5 (technotes of RAR 4.20 and 7.00). Our own reader of blocks goes through the archive first: it
// bounds what the library is told, and knows what every byte is.
var RAR = biopsy.Unpacker{
	Name: "rar",
	Match: func(_ biopsy.File, head []byte) bool {
		return bytes.HasPrefix(head, []byte(rar4Magic)) || bytes.HasPrefix(head, []byte(rar5Magic))
	},
	Unpack: unpackRAR,
}

const (
	rar4Magic = "Rar!\x1a\x07\x00"
	rar5Magic = "Rar!\x1a\x07\x01\x00"
	// A dictionary, which the library takes at once, may be as large as this, or a multiple of the archive's own size.
	leastRARDictionary = 64 << 20
	mostRARDictionary  = 256 << 20
)

func unpackRAR(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &rar{members: members{UnpackOptions: u}, ctx: ctx}
	b, err := m.blocks(c)
	switch {
	case b.encrypted:
		err = errEncrypted
	case b.end > 0:
		if read := m.open(c, b); err == nil || m.stopped != nil {
			err = read // where blocks break off, the library can but say it again
		}
	}
	if m.stopped != nil {
		return m.stopped
	}
	return cmp.Or(err, m.account(c))
}

func (m *rar) open(c biopsy.Content, b rarBlocks) error {
	if b.later {
		return errors.New("a later volume of an archive, which cannot be read without those before it")
	}
	dict := min(max(leastRARDictionary, c.Size()*64), mostRARDictionary)
	err := guard(func() (err error) {
		m.r, err = rardecode.NewReader(io.NewSectionReader(c, 0, b.end), rardecode.MaxDictionarySize(dict))
		return err
	})
	if err != nil {
		return rarError(err)
	}
	m.solid = b.solid
	return m.walk()
}

// rar is an archive being read.
type rar struct {
	members
	ctx   context.Context
	r     *rardecode.Reader
	solid bool // each file needs those before it
}

// walk yields the files.
func (m *rar) walk() error {
	for {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		var h *rardecode.FileHeader
		err := guard(func() (err error) { h, err = m.r.Next(); return err })
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return rarError(err)
		}
		if err := m.entry(h); err != nil {
			return err
		}
		if m.solid && !h.Encrypted {
			if _, err := io.Copy(io.Discard, m.bytes()); errors.Is(err, errVolume) {
				return err
			} else if err != nil {
				return fmt.Errorf("file %q, which those behind it need: %w", h.Name, err)
			}
		}
	}
}

// bytes are those of the file at hand.
func (m *rar) bytes() io.Reader {
	return &cancelled{m.ctx, &spending{r: guarded{m.r}, budget: m.Budget}}
}

// entry yields a file. What was linked comes under the name of its first.
func (m *rar) entry(h *rardecode.FileHeader) error {
	name := treepath.DOS(h.Name)
	if h.IsDir || h.LinkType != 0 || h.Mode()&fs.ModeType != 0 {
		return nil
	}
	if h.Encrypted {
		m.lost(name, "encrypted", max(h.UnPackedSize, 0))
		return nil
	}
	f := biopsy.File{Size: h.UnPackedSize, Mode: h.Mode().Perm(), Transient: true}
	if h.HostOS != rardecode.HostOSUnix && h.HostOS != rardecode.HostOSMacOS {
		f.Mode = unstated(name)
	}
	if h.UnKnownSize || f.Size < 0 {
		f.Size = -1
	}
	f.Open = func() (biopsy.Content, error) {
		c, err := m.Spool.Keep(m.bytes(), m.Limits.FileSize)
		if err == nil && f.Size >= 0 && c.Size() != f.Size {
			return nil, errors.Join(fmt.Errorf("%d bytes came out, the header says %d", c.Size(), f.Size), c.Close())
		}
		return c, err
	}
	return m.file(name, f)
}

var errVolume = errors.New("the archive goes on in another volume")

// rarError words what the library says for the gap of the container.
func rarError(err error) error {
	if errors.Is(err, rardecode.ErrMultiVolume) {
		return errVolume
	}
	return errors.New(strings.TrimPrefix(err.Error(), "rardecode: "))
}

// guarded turns a panic of a foreign decoder into an error: its bytes are not ours to vouch for.
type guarded struct{ r io.Reader }

func (g guarded) Read(p []byte) (n int, err error) {
	err = guard(func() (err error) { n, err = g.r.Read(p); return err })
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = rarError(err)
	}
	return min(max(n, 0), len(p)), err
}

func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder failed: %v", p)
		}
	}()
	return f()
}
