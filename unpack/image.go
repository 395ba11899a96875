package unpack

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/unpack/carve"
	"github.com/biopsy-sca/biopsy/unpack/disk"
)

// Carve opens images that no single format describes.
var Carve = carve.New(All).Unpacker()

// leastImage is the size below which a file is no image of a device.
const leastImage = 4 << 10

// For returns the unpacker of a file of a tree, nil when it is no container that we know. head is its first bytes (up to 4 KiB). A
// container with something behind it, and a file named like an image, are carved.
func For(f biopsy.File, head []byte, c biopsy.Content) *biopsy.Unpacker {
	if u := byHead(f, head); u != nil {
		return whole(u, c)
	}
	if imageEndings[strings.ToLower(path.Ext(f.Path))] && likeImage(head, c.Size()) {
		return &Carve
	}
	return nil
}

// ForArtifact is For a file that was handed to us by itself: whatever is neither text nor a program is an image.
func ForArtifact(f biopsy.File, head []byte, c biopsy.Content) *biopsy.Unpacker {
	if u := byHead(f, head); u != nil {
		return whole(u, c)
	}
	if likeImage(head, c.Size()) {
		return &Carve
	}
	return nil
}

// Named tells whether a path ends in the name of a container, as members of images do that have no name of their own.
func Named(p string) bool {
	ext := strings.TrimPrefix(path.Ext(p), ".")
	return slices.ContainsFunc(All, func(u biopsy.Unpacker) bool { return u.Name == ext }) || ext == "raw" || disk.Kind(ext)
}

// byHead returns the first unpacker that matches.
func byHead(f biopsy.File, head []byte) *biopsy.Unpacker {
	for i := range All {
		if All[i].Match(f, head) {
			return &All[i]
		}
	}
	return nil
}

// whole returns u when the container fills the file, and the carver when more than padding to the next block follows it.
func whole(u *biopsy.Unpacker, c biopsy.Content) *biopsy.Unpacker {
	if u.Extent == nil {
		return u
	}
	n, ok := u.Extent(c, 0, c.Size())
	if !ok || n == 0 || onlyPadding(c, n) {
		return u
	}
	return &Carve
}

// onlyPadding tells whether nothing but equal bytes 0x00 or 0xFF follow off. It reads until something else comes.
func onlyPadding(c biopsy.Content, off int64) bool {
	buf := make([]byte, 64<<10)
	for _, pad := range []string{"\x00", "\xff"} {
		at := off
		for at < c.Size() {
			n, err := c.ReadAt(buf[:min(int64(len(buf)), c.Size()-at)], at)
			if n == 0 && err != nil || len(bytes.Trim(buf[:n], pad)) > 0 {
				break
			}
			at += int64(n)
			if sparse, ok := c.(biopsy.Sparse); ok && pad == "\x00" {
				at = max(at, sparse.Data(at))
			}
		}
		if at >= c.Size() {
			return true
		}
	}
	return false
}

// imageEndings name what is flashed into devices.
var imageEndings = map[string]bool{".bin": true, ".img": true, ".image": true, ".fw": true, ".rom": true, ".trx": true, ".chk": true, ".flash": true,
	".nand": true, ".mtd": true, ".upd": true, ".dump": true, ".ota": true, ".firmware": true, ".iso": true, ".squashfs": true, ".ubi": true, ".ubifs": true, ".jffs2": true}

// likeImage tells what carving may open: no text, and no program, picture or database (that of udev's hardware, hwdb.bin, is the last),
// whose own format says what its bytes are.
func likeImage(head []byte, size int64) bool {
	if size < leastImage || len(head) < 16 {
		return false
	}
	for _, magic := range []string{"\x7fELF", "MZ", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xca\xfe\xba\xbe", "\x89PNG", "\xff\xd8\xff", "GIF8", "%PDF", "SQLite format 3", "KSLPHHRH"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return false
		}
	}
	return bytes.IndexByte(head, 0) >= 0 || bytes.IndexByte(head, 0xff) >= 0 || !printable(head)
}

func printable(head []byte) bool {
	for _, b := range head {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' {
			return false
		}
	}
	return true
}
