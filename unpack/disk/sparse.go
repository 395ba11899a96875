package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/runs"
)

// sparseMagic begins an Android sparse image of major version 1.
var sparseMagic = []byte("\x3a\xff\x26\xed\x01\x00")

// Sparse opens an Android sparse image.
var Sparse = biopsy.Unpacker{
	Name:   "android-sparse",
	Match:  func(_ biopsy.File, head []byte) bool { return len(head) >= 28 && bytes.HasPrefix(head, sparseMagic) },
	Magics: []biopsy.Magic{{Bytes: sparseMagic}},
	Extent: func(c io.ReaderAt, off, max int64) (int64, bool) {
		_, size, err := openSparse(c, off, max)
		return size, err == nil
	},
	Unpack: func(ctx context.Context, f biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		d, size, err := openSparse(c, 0, c.Size())
		if err != nil {
			return err
		}
		if u.Ledger != nil {
			s := []biopsy.Span{{Size: size, Status: biopsy.BytesParsed, What: "android-sparse"}}
			if rest := c.Size() - size; rest > 0 {
				s = append(s, biopsy.Span{Offset: size, Size: rest})
			}
			u.Ledger(s)
		}
		return virtual(ctx, f, d, u)
	},
}

// openSparse reads the headers of all chunks. size is what they take of the image.
func openSparse(c io.ReaderAt, off, end int64) (d *runs.Content, size int64, err error) {
	var h [28]byte
	if err := readAt(c, h[:], off); err != nil {
		return nil, 0, fmt.Errorf("read header: %w", err)
	}
	head, chunkHead, block := int64(le.Uint16(h[8:])), int64(le.Uint16(h[10:])), int64(le.Uint32(h[12:]))
	if !bytes.HasPrefix(h[:], sparseMagic) || head < 28 || chunkHead < 12 || block == 0 || block%4 != 0 || block > 64<<20 {
		return nil, 0, fmt.Errorf("header: %d and %d bytes of headers, blocks of %d", head, chunkHead, block)
	}
	b := runs.New(c, off+end)
	at, to, blocks := off+head, int64(0), int64(le.Uint32(h[16:]))
	for range le.Uint32(h[20:]) {
		var k [12]byte
		if err := readAt(c, k[:], at); err != nil {
			return nil, 0, fmt.Errorf("chunk: %w", err)
		}
		kind, n, total := le.Uint16(k[:]), int64(le.Uint32(k[4:])), int64(le.Uint32(k[8:]))
		if total < chunkHead || total > off+end-at || n > blocks-to {
			return nil, 0, fmt.Errorf("chunk at offset %d: %d bytes for %d blocks", at-off, total, n)
		}
		if err := chunk(b, c, kind, [...]int64{to * block, n * block, at + chunkHead, total - chunkHead}); err != nil {
			return nil, 0, fmt.Errorf("chunk at offset %d: %w", at-off, err)
		}
		if kind != 0xcac4 {
			to += n
		}
		at += total
	}
	if to != blocks {
		return nil, 0, fmt.Errorf("chunks hold %d of %d blocks", to, blocks)
	}
	return b.Content(blocks * block), at - off, nil
}

// chunk adds what one chunk says. where is its offset and size on the disk, then in the image.
func chunk(b *runs.Builder, c io.ReaderAt, kind uint16, where [4]int64) error {
	at, size, from, stored := where[0], where[1], where[2], where[3]
	switch {
	case kind == 0xcac1 && stored == size:
		return b.Add(at, size, from)
	case kind == 0xcac2 && stored == 4:
		var p [4]byte
		if err := readAt(c, p[:], from); err != nil {
			return err
		}
		return b.Fill(at, size, p)
	case kind == 0xcac3 && stored == 0, kind == 0xcac4 && stored == 4:
		return nil // never written; a checksum
	}
	return errors.New("kind and size do not fit")
}
