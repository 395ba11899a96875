package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf16"
)

// Properties of the header, by their numbers in 7zFormat.txt.
const (
	szEnd       = 0x00
	szIsHeader  = 0x01
	szArchive   = 0x02
	szMore      = 0x03
	szMain      = 0x04
	szFiles     = 0x05
	szPackInfo  = 0x06
	szUnpack    = 0x07
	szSubStream = 0x08
	szSize      = 0x09
	szCRC       = 0x0a
	szFolders   = 0x0b
	szSizes     = 0x0c
	szNumbers   = 0x0d
	szEmpty     = 0x0e
	szEmptyFile = 0x0f
	szNames     = 0x11
	szAttribs   = 0x15
	szIsEncoded = 0x17
)

// szStreams are the packed bytes of an archive, and what comes out of them.
type szStreams struct {
	start   int64   // offset of the first packed byte
	packed  []int64 // sizes
	ends    []int64 // where each ends, counted from start
	folders []szFolder
	parts   []szPart // files of all folders
}

// offset is where a packed stream begins in the archive.
func (s szStreams) offset(i int) int64 { return s.start + s.ends[i] - s.packed[i] }

// szPart is a file's run of bytes in its folder.
type szPart struct {
	folder       int
	alone        bool // there is no other in the folder
	offset, size int64
	sum          uint32
	summed       bool
}

// szHeader is what the archive says.
type szHeader struct {
	streams szStreams
	files   []szFile
}

// szFile is one entry of the list of files.
type szFile struct {
	name     string
	mode     fs.FileMode // 0 when none is stated
	dir      bool
	hasBytes bool
}

// szBytes reads a header. Behind its first error it reads zeros.
type szBytes struct {
	b   []byte
	err error
}

var errSz = errors.New("header is damaged")

func (s *szBytes) fail() {
	if s.err == nil {
		s.err = fmt.Errorf("%w, %d bytes before its end", errSz, len(s.b))
	}
	s.b = nil
}

// take returns the next n bytes; nil when there are fewer.
func (s *szBytes) take(n uint64) []byte {
	if n > uint64(len(s.b)) {
		s.fail()
		return nil
	}
	b := s.b[:n:n]
	s.b = s.b[n:]
	return b
}

func (s *szBytes) byte() byte {
	if b := s.take(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads 1 to 9 bytes: leading ones of the first tell how many follow, lowest first; the rest of the first is the highest part.
func (s *szBytes) number() uint64 {
	first, n := s.byte(), uint64(0)
	mask := byte(0x80)
	for i := range 8 {
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(s.byte()) << (8 * i)
		mask >>= 1
	}
	return n
}

// count reads how many things follow that take at least one byte, or a bit, each.
func (s *szBytes) count() int {
	n := s.number()
	if n > uint64(len(s.b))*8 {
		s.fail()
		return 0
	}
	return int(n)
}

// size reads a number of bytes.
func (s *szBytes) size() int64 {
	n := s.number()
	if n > 1<<62 {
		s.fail()
		return 0
	}
	return int64(n)
}

func (s *szBytes) uint32() uint32 {
	if b := s.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

// bits reads n bits, highest first.
func (s *szBytes) bits(n int) []bool {
	b := s.take(uint64(n+7) / 8)
	if b == nil {
		return make([]bool, 0)
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = b[i/8]>>(7-i%8)&1 != 0
	}
	return out
}

// some reads which of n things a property speaks of: all, or those whose bit is set.
func (s *szBytes) some(n int) []bool {
	if s.byte() == 0 {
		return s.bits(n)
	}
	if n > len(s.b)*8 {
		s.fail()
		return nil
	}
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

func readSzHeader(in *szBytes) (h szHeader) {
	for in.err == nil {
		switch in.number() {
		case szEnd:
			return h
		case szArchive:
			for in.err == nil && in.number() != szEnd {
				in.take(in.number())
			}
		case szMore:
			readSzStreams(in)
		case szMain:
			h.streams = readSzStreams(in)
		case szFiles:
			h.files = readSzFiles(in)
		default:
			in.fail()
		}
	}
	return h
}

// readSzStreams reads where packed bytes are, how they are packed, and what comes out of them.
func readSzStreams(in *szBytes) (s szStreams) {
	split := false
	for in.err == nil {
		switch in.number() {
		case szEnd:
			if !split && in.err == nil {
				s.split(in, nil, false)
			}
			return s
		case szPackInfo:
			s.readPacked(in)
		case szUnpack:
			s.readFolders(in)
		case szSubStream:
			s.readParts(in)
			split = true
		default:
			in.fail()
		}
	}
	return s
}

func (s *szStreams) readPacked(in *szBytes) {
	s.start = szHead + in.size()
	n := in.count()
	for in.err == nil {
		switch in.number() {
		case szEnd:
			if len(s.packed) != n {
				in.fail()
			}
			return
		case szSize:
			end := int64(0)
			for range n {
				size := in.size()
				if end += size; in.err != nil || end < 0 || s.start+end < 0 {
					in.fail()
					return
				}
				s.packed, s.ends = append(s.packed, size), append(s.ends, end)
			}
		case szCRC:
			readSzSums(in, n)
		default:
			in.fail()
		}
	}
}

// readSzSums reads check sums of n things; those without have none.
func readSzSums(in *szBytes, n int) (sums []uint32, there []bool) {
	there = in.some(n)
	sums = make([]uint32, len(there))
	for i, has := range there {
		if has {
			sums[i] = in.uint32()
		}
	}
	return sums, there
}

func (s *szStreams) readFolders(in *szBytes) {
	if in.number() != szFolders {
		in.fail()
	}
	n := in.count()
	if in.byte() != 0 { // they stand elsewhere, which no program writes
		in.fail()
	}
	first := 0
	for i := 0; i < n && in.err == nil; i++ {
		f := readSzFolder(in)
		f.first = first
		if first += len(f.packed); first > len(s.packed) {
			in.fail()
		}
		s.folders = append(s.folders, f)
	}
	if in.number() != szSizes {
		in.fail()
	}
	for i := range s.folders {
		for range s.folders[i].coders {
			s.folders[i].sizes = append(s.folders[i].sizes, in.size())
		}
	}
	for in.err == nil {
		switch in.number() {
		case szEnd:
			return
		case szCRC:
			sums, there := readSzSums(in, len(s.folders))
			for i := range sums {
				s.folders[i].sum, s.folders[i].summed = sums[i], there[i]
			}
		default:
			in.fail()
		}
	}
}

// readParts reads how folders are split into files.
func (s *szStreams) readParts(in *szBytes) {
	var numbers []int
	for in.err == nil {
		kind := in.number()
		if kind == szNumbers {
			for range s.folders {
				numbers = append(numbers, in.count())
			}
			continue
		}
		if s.split(in, numbers, kind == szSize); kind == szSize {
			kind = in.number()
		}
		for ; in.err == nil && kind != szEnd; kind = in.number() {
			if kind != szCRC {
				in.fail()
				return
			}
			s.readPartSums(in)
		}
		return
	}
}

// split makes files of folders: numbers[i] of folder i, one of each where numbers is nil. Where sizes stand, all but the last of each
// folder are read.
func (s *szStreams) split(in *szBytes, numbers []int, sizes bool) {
	for i := range s.folders {
		f, n := &s.folders[i], 1
		if numbers != nil {
			n = numbers[i]
		}
		offset, whole := int64(0), f.size()
		for k := range n {
			size := whole - offset
			if k < n-1 {
				if !sizes {
					in.fail()
				}
				size = in.size()
			}
			if in.err != nil || size < 0 || size > whole-offset {
				in.fail()
				return
			}
			p := szPart{folder: i, alone: n == 1, offset: offset, size: size}
			if n == 1 {
				p.sum, p.summed = f.sum, f.summed
			}
			s.parts = append(s.parts, p)
			offset += size
		}
	}
}

// readPartSums reads the check sums of files whose folder has none that says it all.
func (s *szStreams) readPartSums(in *szBytes) {
	var missing []*szPart
	for i := range s.parts {
		if p := &s.parts[i]; !p.summed {
			missing = append(missing, p)
		}
	}
	sums, there := readSzSums(in, len(missing))
	for i := range sums {
		missing[i].sum, missing[i].summed = sums[i], there[i]
	}
}

// readSzFiles reads names and attributes.
func readSzFiles(in *szBytes) []szFile {
	n := in.count()
	if n > len(in.b) { // a name takes two bytes at least
		in.fail()
		return nil
	}
	files := make([]szFile, n)
	for i := range files {
		files[i].hasBytes = true
	}
	var without []*szFile
	for in.err == nil {
		kind := in.number()
		if kind == szEnd {
			break
		}
		p := szBytes{b: in.take(in.number())}
		switch kind {
		case szEmpty:
			for i, empty := range p.bits(n) {
				if empty {
					files[i].hasBytes, files[i].dir = false, true
					without = append(without, &files[i])
				}
			}
		case szEmptyFile:
			for i, file := range p.bits(len(without)) {
				without[i].dir = !file
			}
		case szNames:
			p.names(files)
		case szAttribs:
			p.attributes(files)
		}
		if p.err != nil && in.err == nil {
			in.err = p.err
		}
	}
	return files
}

// names reads names in UTF-16, each with a zero behind it.
func (s *szBytes) names(files []szFile) {
	if s.byte() != 0 {
		s.fail()
	}
	var u []uint16
	for i := range files {
		u = u[:0]
		for {
			b := s.take(2)
			if b == nil {
				return
			}
			c := le.Uint16(b)
			if c == 0 {
				break
			}
			u = append(u, c)
		}
		files[i].name = string(utf16.Decode(u))
	}
}

// attributes are those of Windows, and with bit 15 set the mode of Unix in the upper half.
func (s *szBytes) attributes(files []szFile) {
	there := s.some(len(files))
	if s.byte() != 0 {
		s.fail()
	}
	for i := range there {
		if !there[i] {
			continue
		}
		a := s.uint32()
		f := &files[i]
		if a&0x8000 != 0 {
			f.mode = unixMode(a >> 16)
		} else if a&0x400 != 0 { // a reparse point: a link
			f.mode |= fs.ModeSymlink
		}
	}
}

// unixMode is a mode as Unix stores it; what is neither file nor folder is a link or a device.
func unixMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch m >> 12 & 0xf {
	case 0, 0o10:
	case 0o4:
		mode |= fs.ModeDir
	case 0o12:
		mode |= fs.ModeSymlink
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}
