package boot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// What is known and cannot be opened: its bytes are accounted for, and what they hide is a gap.
var (
	// SHRS is D-Link's encrypted firmware.
	SHRS = closed("shrs", "encrypted: D-Link SHRS image", []biopsy.Magic{{Bytes: []byte("SHRS")}}, shrsSize)
	// LUKS is a volume of cryptsetup, versions 1 (1.2.3 of 2018) and 2 (1.1.3 of 2023). Its size stands nowhere.
	LUKS = closed("luks", "encrypted: LUKS volume", []biopsy.Magic{{Bytes: []byte("LUKS\xba\xbe\x00\x01")}, {Bytes: []byte("LUKS\xba\xbe\x00\x02")}}, luksSize)
	// Salted is what "openssl enc" writes.
	Salted = closed("salted", "encrypted: OpenSSL enc", []biopsy.Magic{{Bytes: []byte("Salted__")}}, saltedSize)
	// QNX is the boot image of QNX Neutrino (sys/startup.h of QNX SDP 6.6, 2014): its file system is not opened.
	QNX = unopened("qnx-ifs", "QNX image file system", []biopsy.Magic{{Bytes: []byte("\xeb\x7e\xff\x00\x01\x00")}}, qnxSize)
	// Verity is the superblock and the hash tree of dm-verity (cryptsetup's format 1 of 2012).
	Verity = known("verity", "dm-verity hash tree", []biopsy.Magic{{Bytes: []byte("verity\x00\x00")}}, veritySize)
	// PKCS7 is a signature (RFC 5652, signedData) as it stands behind update bundles.
	PKCS7 = known("pkcs7", "signature: CMS/PKCS#7", []biopsy.Magic{{Bytes: []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), At: 4}}, pkcs7Size)
)

// known makes an unpacker of something that holds no files.
func known(name, what string, magics []biopsy.Magic, extent func(io.ReaderAt, int64, int64) (int64, bool)) biopsy.Unpacker {
	marked := func(r io.ReaderAt, off, max int64) (int64, bool) {
		for _, m := range magics {
			if max >= m.At && bytes.Equal(header(r, off+m.At, max-m.At, len(m.Bytes)), m.Bytes) {
				return extent(r, off, max)
			}
		}
		return 0, false
	}
	return biopsy.Unpacker{
		Name: name, Magics: magics, Extent: marked,
		Match: func(_ biopsy.File, head []byte) bool {
			for _, m := range magics {
				if int64(len(head)) > m.At && bytes.HasPrefix(head[m.At:], m.Bytes) {
					_, ok := marked(bytes.NewReader(head), 0, 1<<50)
					return ok
				}
			}
			return false
		},
		Unpack: func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
			m := &image{UnpackOptions: u, c: c}
			n, ok := marked(c, 0, c.Size())
			if !ok {
				return errors.New(what + ": damaged")
			}
			m.is(0, n, biopsy.BytesParsed, what)
			return m.end()
		},
	}
}

// closed makes an unpacker of something encrypted.
func closed(name, what string, magics []biopsy.Magic, extent func(io.ReaderAt, int64, int64) (int64, bool)) biopsy.Unpacker {
	u := known(name, what, magics, extent)
	u.Unpack = func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		if u.Ledger != nil && c.Size() > 0 {
			u.Ledger([]biopsy.Span{{Size: c.Size(), Status: biopsy.BytesEncrypted, What: what}})
		}
		return fmt.Errorf("not opened: %s", what)
	}
	return u
}

// unopened makes an unpacker of something that we know by its header only.
func unopened(name, what string, magics []biopsy.Magic, extent func(io.ReaderAt, int64, int64) (int64, bool)) biopsy.Unpacker {
	u := known(name, what, magics, extent)
	u.Unpack = func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		if u.Ledger != nil && c.Size() > 0 {
			u.Ledger([]biopsy.Span{{Size: c.Size(), What: what}})
		}
		return fmt.Errorf("not opened: %s", what)
	}
	return u
}

// qnxSize is stored_size of the startup header.
func qnxSize(r io.ReaderAt, off, max int64) (int64, bool) {
	h := header(r, off, max, 256)
	if len(h) < 256 || le.Uint16(h[8:]) != 256 {
		return 0, false
	}
	startup, stored := int64(le.Uint32(h[32:])), int64(le.Uint32(h[36:]))
	return stored, startup >= 256 && startup <= stored && stored <= max
}

func shrsSize(r io.ReaderAt, off, max int64) (int64, bool) {
	const start = 0x6dc
	h := header(r, off, max, 12)
	if len(h) < 12 {
		return 0, false
	}
	open, packed := int64(be.Uint32(h[4:])), int64(be.Uint32(h[8:]))
	return start + packed, open > 0 && open <= packed && packed-open < 4096 && packed%16 == 0 && start+packed <= max
}

func luksSize(r io.ReaderAt, off, max int64) (int64, bool) {
	h := header(r, off, max, 40)
	if len(h) < 40 {
		return 0, false
	}
	if h[7] == 2 {
		n := be.Uint64(h[8:])
		return 0, n >= 16<<10 && n <= 4<<20 && n&(n-1) == 0
	}
	return 0, word(h[8:40]) != ""
}

func saltedSize(r io.ReaderAt, off, max int64) (int64, bool) {
	b := header(r, off, max, 1024)
	var seen [256]bool
	kinds := 0
	for _, x := range b {
		if !seen[x] {
			seen[x] = true
			kinds++
		}
	}
	return 0, len(b) == 1024 && kinds > 220 // of random bytes, 251 are expected
}

// veritySize counts the blocks of the tree, level by level.
func veritySize(r io.ReaderAt, off, max int64) (int64, bool) {
	h := header(r, off, max, 512)
	if len(h) < 512 || le.Uint32(h[8:]) != 1 || le.Uint32(h[12:]) > 1 {
		return 0, false
	}
	digests := map[string]int64{"sha1": 20, "sha256": 32, "sha512": 64, "sha384": 64, "sha224": 32}
	digest, block := digests[word(h[32:64])], int64(le.Uint32(h[68:]))
	blocks := le.Uint64(h[72:])
	if digest == 0 || block < 512 || block > 1<<20 || block&(block-1) != 0 || blocks == 0 || blocks > 1<<40 {
		return 0, false
	}
	if digest == 20 && le.Uint32(h[12:]) == 1 {
		digest = 32 // padded to a power of two
	}
	per := block / digest
	size := block
	for n := int64(blocks); n > 1; {
		n = (n + per - 1) / per
		size += n * block
	}
	return size, size <= max
}

// pkcs7Size includes the eight bytes behind the signature that tell its size, as RAUC writes them.
func pkcs7Size(r io.ReaderAt, off, max int64) (int64, bool) {
	h := header(r, off, max, 17)
	if len(h) < 17 || h[0] != 0x30 || h[1] != 0x82 || h[15] != 0xa0 {
		return 0, false
	}
	n := 4 + int64(be.Uint16(h[2:]))
	if n > max {
		return 0, false
	}
	if t := header(r, off+n, max-n, 8); len(t) == 8 && int64(be.Uint64(t)) == n {
		n += 8
	}
	return n, true
}
