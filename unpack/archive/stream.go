package archive

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
)

// The openers of single packed files. What is inside bears the file's name without the ending of the format. A tar or cpio
// archive inside is opened at once, as it streams out of the decoder.
var (
	Gzip  = stream(codec.Gzip)
	Bzip2 = stream(codec.Bzip2)
	XZ    = stream(codec.XZ)
	Zstd  = stream(codec.Zstd)
	LZMA  = stream(codec.LZMA)
	LZ4   = stream(codec.LZ4)

	Lzip     = stream(codec.Lzip)
	Lzop     = stream(codec.Lzop)
	Compress = stream(codec.Compress)
)

func stream(format codec.Format) biopsy.Unpacker {
	return biopsy.Unpacker{
		Name:  string(format),
		Match: func(_ biopsy.File, head []byte) bool { return codec.Detect(head) == format },
		Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
			packed := io.NewSectionReader(c, 0, c.Size())
			r, err := codec.NewReader(format, packed)
			if err != nil {
				return err
			}
			defer r.Close()
			stopped, err := unpackStream(ctx, inner(f.Path), &spending{r: r, budget: u.Budget}, u)
			if stopped {
				return err
			}
			m := members{UnpackOptions: u}
			if told := m.stream(packed, format, err); told != nil {
				return cmp.Or(err, told)
			}
			return cmp.Or(err, m.account(c))
		},
	}
}

// stream tells the ledger how far a stream goes whose unpacking ended with err. Decoders read some bytes ahead; those of most formats go on
// up to the end of the file.
func (m *members) stream(packed *io.SectionReader, format codec.Format, err error) error {
	end := packed.Size()
	if err != nil || format == codec.LZMA || format == codec.Lzop {
		var seek error
		if end, seek = packed.Seek(0, io.SeekCurrent); seek != nil {
			return seek
		}
	}
	m.is(0, end, biopsy.BytesParsed, string(format))
	return nil
}

// unpackStream yields what comes out of a decoder. stopped says that the walk has ended it.
func unpackStream(ctx context.Context, name string, r *spending, u biopsy.UnpackOptions) (stopped bool, err error) {
	plain := bufio.NewReaderSize(r, 32<<10)
	head, err := plain.Peek(512)
	if err != nil && err != io.EOF && len(head) == 0 {
		return false, err
	}
	switch {
	case isTar(head):
		m := &tarMembers{members: members{UnpackOptions: u}, ctx: ctx}
		err := m.end(tarscan.Stream(plain, m.entry))
		return m.stopped != nil, err
	case isCpio(head):
		return streamCpio(ctx, plain, u)
	}
	m := members{UnpackOptions: u}
	torn := &torn{r: plain, limit: r}
	if err := m.file(name, biopsy.File{Size: -1, Mode: 0o644, Transient: true, Open: m.transient(torn)}); err != nil {
		return true, err
	}
	if torn.err != nil {
		return false, fmt.Errorf("only the first %d bytes could be unpacked: %w", torn.n, torn.err)
	}
	return false, nil
}

// torn ends a stream where it breaks off, so that what came before is kept, and remembers why. Limits stay errors.
type torn struct {
	r     io.Reader
	limit *spending
	n     int64
	err   error
}

func (t *torn) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, io.EOF
	}
	n, err := t.r.Read(p)
	t.n += int64(n)
	if err != nil && err != io.EOF && t.limit.broke == nil {
		t.err, err = err, io.EOF
	}
	return n, err
}

// inner is the name of what a packed file holds.
func inner(p string) string {
	name := path.Base(p)
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" {
		return name
	}
	switch strings.ToLower(ext) {
	case ".gz", ".z", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".bz", ".lz4", ".lz", ".lzo":
		return stem
	case ".tgz", ".tbz", ".tbz2", ".txz", ".tlz", ".tzst", ".taz", ".tzo":
		return stem + ".tar"
	case ".svgz":
		return stem + ".svg"
	}
	return name
}
