package boot

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Blob reads banners in what has no structure: unpacked kernels, boot loaders, images of microcontrollers.
var Blob = biopsy.Extractor{
	Name:  "boot-banner",
	Basis: biopsy.Binary,
	From:  biopsy.Standard,
	Names: []string{"*.raw", "*.bin", "*.rom", "*.fd", "*.fw", "*.img", "*.efi", "*.te", "*.axf", "*.elf", "SPL", "MLO", "u-boot*",
		"Image", "zImage", "uImage", "bzImage", "fitImage", "[Iuzbf]*mage-*", "vmlinu*", "initr*"}, // packed ones too: a name opens what is inside an image
	Wants:   wantsBlob,
	Head:    likeBlob,
	Extract: readBlob,
}

// maxBlob is the largest file that is searched: larger ones are images, whose parts are shown one by one.
const maxBlob = 128 << 20

// wantsBlob leaves out what belongs to programs and their data in a root file system.
func wantsBlob(p string) bool {
	if strings.HasSuffix(p, ".efi") {
		return true
	}
	for _, dir := range programData {
		if strings.HasPrefix(p, dir) {
			return false
		}
	}
	return true
}

var programData = []string{"usr/share/", "usr/lib/udev/", "lib/udev/", "usr/lib/firmware/", "lib/firmware/", "etc/", "var/"}

// likeBlob leaves out texts, and containers that other rooms open: their members will be shown.
func likeBlob(head []byte) bool {
	if len(head) < 64 {
		return false
	}
	for _, magic := range containers {
		if bytes.HasPrefix(head, []byte(magic)) {
			return false
		}
	}
	for _, m := range containersInside {
		if len(head) > m.at && bytes.HasPrefix(head[m.at:], []byte(m.magic)) {
			return false
		}
	}
	return !isText(head)
}

var containers = []string{"hsqs", "sqsh", "UBI#", "\x31\x18\x10\x06", "\x85\x19", "\x19\x85", "\x1f\x8b", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "PK\x03\x04", "070701", "070702",
	"\x04\x22\x4d\x18", "!<arch>", "\x89PNG", "GIF8", "%PDF", "LUKS", "Salted__", "\x27\x05\x19\x56", "\xd0\x0d\xfe\xed", "ANDROID!", "VNDRBOOT", "HDR0"}

// containersInside have their magic behind their start: ext, tar, a packed kernel of arm, of x86, one in an EFI program.
var containersInside = []struct {
	at    int
	magic string
}{{0x438, "\x53\xef"}, {257, "ustar"}, {0x24, "\x18\x28\x6f\x01"}, {0x202, "HdrS"}, {4, "zimg"}}

func isText(head []byte) bool {
	for _, c := range head[:min(len(head), 512)] {
		if c == 0 || c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// Each window shows some bytes before and behind what is searched in it, so that a banner is seen whole.
const (
	window = 256 << 10
	before = 256
	behind = 1 << 10
)

// finding is one anchor found in a window.
type finding struct {
	b  []byte // the window
	at int    // of the anchor in b
	s  *search
}

// rest is what follows the anchor, up to n bytes.
func (f finding) rest(n int) []byte { return f.b[f.at:min(len(f.b), f.at+n)] }

// search is one file being read.
type search struct {
	in     biopsy.Input
	offset int64 // of the window in the file
	said   []said
	marks  map[string]int64 // names that only some system has, and where they were seen first
	kernel kernel
}

// say keeps the first evidence of each component and version.
func (s *search) say(what said, f finding) {
	what.at = s.offset + int64(f.at)
	for _, have := range s.said {
		if have.name == what.name && have.version == what.version {
			return
		}
	}
	if len(s.said) < 64 {
		s.said = append(s.said, what)
	}
}

// mark remembers a name.
func (s *search) mark(f finding, name string) {
	if _, seen := s.marks[name]; !seen {
		s.marks[name] = s.offset + int64(f.at)
	}
}

func readBlob(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if in.Size() > maxBlob {
		return nil
	}
	s := &search{in: in, marks: map[string]int64{}}
	if err := s.run(ctx); err != nil {
		return err
	}
	err := s.conclude()
	for _, what := range s.said {
		emit(what.evidence(in))
	}
	return errors.Join(err, s.vectors(emit))
}

// run shows every anchor in the file to its reader, in one pass.
func (s *search) run(ctx context.Context) error {
	buf := make([]byte, min(int64(before+window+behind), s.in.Size()))
	for at := int64(0); at < s.in.Size(); at += window {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.offset = max(0, at-before)
		n, err := s.in.ReadAt(buf[:min(int64(len(buf)), s.in.Size()-s.offset)], s.offset)
		if err != nil && err != io.EOF {
			return fmt.Errorf("at offset %d: %w", s.offset, err)
		}
		start := int(at - s.offset)
		s.window(buf[:n], start, min(n, start+window))
	}
	return nil
}

func (s *search) window(b []byte, from, to int) {
	for i := from; i+1 < to; i++ {
		pair := binary.LittleEndian.Uint16(b[i:])
		if anchorPairs[pair/64]&(1<<(pair%64)) == 0 {
			continue
		}
		for _, a := range anchorsBy(pair) {
			if bytes.HasPrefix(b[i:], []byte(a.text)) {
				a.read(finding{b, i, s})
			}
		}
	}
}

// anchor is a text, and who reads what is around it.
type anchor struct {
	text string
	read func(finding)
}

// anchorPairs has a bit for the first two bytes of every anchor.
var anchorPairs = func() (bits [1 << 16 / 64]uint64) {
	for _, a := range anchors() {
		pair := binary.LittleEndian.Uint16([]byte(a.text))
		bits[pair/64] |= 1 << (pair % 64)
	}
	return bits
}()

var anchorIndex = func() map[uint16][]anchor {
	index := map[uint16][]anchor{}
	for _, a := range anchors() {
		pair := binary.LittleEndian.Uint16([]byte(a.text))
		index[pair] = append(index[pair], a)
	}
	return index
}()

func anchorsBy(pair uint16) []anchor { return anchorIndex[pair] }

// vectors tells a program of an ARM Cortex-M by its vector table (ARMv7-M Architecture Reference Manual, B1.5): a stack in RAM, then handlers
// with the Thumb bit near each other, and reserved words that are zero.
func (s *search) vectors(emit func(biopsy.Evidence)) error {
	var b [64]byte
	if n, err := s.in.ReadAt(b[:], 0); n < len(b) {
		if err == io.EOF {
			err = nil
		}
		return err
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	stack, reset := word(0), word(1)
	inRAM := stack%4 == 0 && (stack >= 0x20000000 && stack <= 0x20800000 || stack >= 0x10000000 && stack <= 0x10100000)
	if !inRAM || reset&1 == 0 || reset >= 0x20000000 || word(8)|word(9)|word(10) != 0 {
		return nil
	}
	for _, i := range []int{2, 3, 11, 14, 15} { // NMI, HardFault, SVCall, PendSV, SysTick
		if h := word(i); h&1 == 0 || h>>22 != reset>>22 {
			return nil
		}
	}
	p := s.in.Place()
	emit(biopsy.Evidence{Place: p, Basis: biopsy.Binary, Confidence: 0.9, Claim: biopsy.Claim{Kind: biopsy.FileKind, Name: path.Base(s.in.Path), State: biopsy.Installed, Arch: "arm",
		Extra: map[string]string{"firmware:cpu": "ARM Cortex-M", "firmware:reset": fmt.Sprintf("0x%08x", reset), "firmware:stack": fmt.Sprintf("0x%08x", stack)}}})
	return nil
}
