package traits

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// chunk is how much is read at once.
const chunk = 256 << 10

// printable tells the characters a text may have.
var printable = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = true
	}
	t['\t'] = true
	return t
}()

// minVersion is the length of the shortest text that is kept as a version: "2.9".
const minVersion = 3

// run is a text while it is read.
type run struct {
	text    [MaxText]byte
	n       int // characters seen, also beyond MaxText
	letters int // among the first MaxText
	hash    uint64
	dotted  bool // a digit, a dot, a digit
	spaces  int  // between letters
}

// data collects the texts and tables of one range of the file.
func (c *collector) data(s span) error {
	if s.off < 0 || s.size < 0 || s.off > c.size || s.size > c.size-s.off {
		return fmt.Errorf("%d bytes at offset %d reach behind the end (%d bytes)", s.size, s.off, c.size)
	}
	s.size = min(s.size, maxRange)
	if c.buf == nil {
		c.buf = make([]byte, chunk)
	}
	var t run
	t.hash = begin(Text)
	for at, end := s.off, s.off+s.size; at < end; {
		b := c.buf[:min(chunk, end-at)]
		if n, err := c.r.ReadAt(b, at); n < len(b) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read %d bytes at offset %d: %w", len(b), at, err)
		}
		if !c.texts(b, at, &t) {
			return nil
		}
		c.tables(b, at)
		at += int64(len(b))
	}
	c.close(&t, s.off+s.size)
	return nil
}

// texts goes through one chunk; false when there is no room for more.
func (c *collector) texts(b []byte, at int64, t *run) bool {
	for i, ch := range b {
		if printable[ch] {
			if t.n < MaxText {
				t.take(ch)
			}
			t.n++
			continue
		}
		if t.n != 0 {
			if t.n >= minVersion && !c.close(t, at+int64(i)) {
				return false
			}
			t.n, t.letters, t.hash, t.dotted, t.spaces = 0, 0, begin(Text), false, 0
		}
	}
	return true
}

func (t *run) take(ch byte) {
	t.text[t.n] = ch
	t.hash = (t.hash ^ uint64(ch)) * prime
	switch {
	case ch|0x20 >= 'a' && ch|0x20 <= 'z':
		t.letters++
		if t.n > 1 && t.text[t.n-1] == ' ' && letter(t.text[t.n-2]) {
			t.spaces++
		}
	case ch >= '0' && ch <= '9' && t.n >= 2 && t.text[t.n-1] == '.' && t.text[t.n-2] >= '0' && t.text[t.n-2] <= '9':
		t.dotted = true
	}
}

// close keeps a text that ended in front of end. What has hardly a letter is noise, or says nothing.
func (c *collector) close(t *run, end int64) bool {
	n := min(t.n, MaxText)
	off := end - int64(t.n)
	if t.dotted && len(c.file.Versioned) < maxVersioned {
		c.file.Versioned = append(c.file.Versioned, Versioned{string(t.text[:n]), off})
	}
	if n < MinText || t.letters < 3 && !t.dotted {
		return true
	}
	return c.add(Trait{Hash: finish(t.hash) &^ NameBit, Offset: off, Size: int32(n), Kind: Text, Said: t.spaces >= 2})
}

// Tables of constants are looked at in windows of tableWindow bytes that start where a hash of their first bytes says so: the same windows
// are found wherever the linker put the table.
const (
	tableWindow = 32
	tableEvery  = 8 // one window in so many starts, as a power of two
)

// tables collects windows of one chunk. A window that crosses the chunk's end is left out.
func (c *collector) tables(b []byte, at int64) {
	for i := 0; i+tableWindow <= len(b); i += 4 {
		first := uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24
		if first*2654435761>>(32-3) != 0 || !dense(b[i:i+tableWindow]) {
			continue
		}
		h := begin(Table)
		for _, ch := range b[i : i+tableWindow] {
			h = (h ^ uint64(ch)) * prime
		}
		if !c.add(Trait{Hash: finish(h), Offset: at + int64(i), Size: tableWindow, Kind: Table}) {
			return
		}
	}
}

// dense tells bytes that look like constants: many different values, and no text. Addresses and code repeat theirs.
func dense(b []byte) bool {
	if b[4] == b[5] && b[5] == b[6] && b[8] == b[9] && b[9] == b[10] && b[12] == b[13] && b[13] == b[14] && b[16] == b[17] && b[17] == b[18] &&
		b[20] == b[21] && b[21] == b[22] && b[24] == b[25] && b[25] == b[26] && b[28] == b[29] && b[29] == b[30] {
		return false // 14 values at least are met again: runs of zeros and small numbers, which are most of what is looked at
	}
	var seen [4]uint64
	texts := 0
	for _, ch := range b {
		seen[ch>>6] |= 1 << (ch & 63)
		if printable[ch] {
			texts++
		}
	}
	return texts <= tableWindow*5/8 && bits.OnesCount64(seen[0])+bits.OnesCount64(seen[1])+bits.OnesCount64(seen[2])+bits.OnesCount64(seen[3]) >= 20
}
