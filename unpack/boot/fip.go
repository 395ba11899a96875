package boot

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Tables of contents of boot flash.
var (
	// FIP opens the firmware image packages of Trusted Firmware-A (its firmware design document of 2024).
	FIP = biopsy.Unpacker{
		Name:   "fip",
		Match:  func(_ biopsy.File, head []byte) bool { _, ok := fipParts(head); return ok },
		Magics: []biopsy.Magic{{Bytes: []byte("\x01\x00\x64\xaa\x78\x56\x34\x12")}},
		Extent: extentOf(fipParts),
		Unpack: openParts("TF-A firmware image package", fipParts),
	}
	// ESPPartitions knows the partition table of Espressif's chips (ESP-IDF 5.2, 2024), which ends with its MD5. What it lists has magics of its own.
	ESPPartitions = known("esp-partitions", "ESP partition table", []biopsy.Magic{{Bytes: []byte{0xaa, 0x50, 1}}, {Bytes: []byte{0xaa, 0x50, 0}}}, espTable)
)

// fipNames are the images that every board has, by UUID.
var fipNames = map[string]string{
	"5ff9ec0b4d223e4da544c39d81c73f0a": "bl2", "47d4086d4cfe98469b952950cbbd5a00": "bl31", "05d0e18953dc13478d2b500a4b7a3e38": "bl32", "d6d0eea7fcead54b97829934f234b6e4": "bl33",
}

func fipParts(h []byte) ([]piece, bool) {
	const first, entry = 16, 40
	if len(h) < first+entry || !bytes.HasPrefix(h, []byte("\x01\x00\x64\xaa\x78\x56\x34\x12")) {
		return nil, false
	}
	var list []piece
	for at := first; at+entry <= len(h); at += entry {
		e := h[at : at+entry]
		off, size := le.Uint64(e[16:]), le.Uint64(e[24:])
		if bytes.Equal(e[:16], make([]byte, 16)) {
			return append([]piece{{"", 0, int64(at + entry)}}, list...), len(list) > 0
		}
		if off < first+entry || off > 1<<40 || size > 1<<40 {
			return nil, false
		}
		name := fmt.Sprintf("%x", e[:16])
		if known := fipNames[name]; known != "" {
			name = known
		}
		list = append(list, piece{name, int64(off), int64(size)})
	}
	return nil, false
}

const espTableSize = 0xc00

// espTable wants the digest behind the entries to be right.
func espTable(r io.ReaderAt, off, max int64) (int64, bool) {
	b := header(r, off, max, espTableSize)
	for at := 0; at+32 <= len(b); at += 32 {
		if b[at] == 0xaa && b[at+1] == 0x50 {
			continue
		}
		sum := md5.Sum(b[:at])
		end := bytes.HasPrefix(b[at:], []byte("\xeb\xeb"+strings.Repeat("\xff", 14))) && bytes.Equal(sum[:], b[at+16:at+32])
		return int64(len(b)), end && at > 0
	}
	return 0, false
}
