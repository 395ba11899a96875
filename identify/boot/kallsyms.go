package boot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// The kernel keeps the names of its symbols packed (scripts/kallsyms.c of Linux 5.10 to 7.1): a table of 256 tokens, the index of their
// offsets, and in front of them each symbol as a length and so many tokens, the first letter its type. The digits' tokens are found as
// text, for no shorter form of them exists.
const digitTokens = "0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00"

// Bounds of the table: Debian's kernels, the largest known, have 200,000 symbols in 3 MiB.
const (
	fewestSymbols = 500
	mostSymbols   = 2 << 20
	namesReach    = 16 << 20 // how far in front of the tokens the names may begin
	tokensReach   = 16 << 10
	mostTables    = 32
	mostWork      = 8 << 20 // names that are stepped over: a real table takes little more than it has
)

// kallsyms notes where the digits' tokens may be, or other tables of characters; they are read when the file is known to be a kernel.
func kallsyms(f finding) {
	if k := &f.s.kernel; len(k.tokens) < mostTables {
		k.tokens = append(k.tokens, f.s.offset+int64(f.at))
	}
}

// functions returns the names of the functions that the kernel's table has; nil when there is none, or it cannot be followed.
func (s *search) functions() (*nameset.Set, error) {
	for _, at := range s.kernel.tokens {
		head := make([]byte, min(s.in.Size()-at, tokensReach))
		if n, err := s.in.ReadAt(head, at); n < len(head) && err != io.EOF {
			return nil, fmt.Errorf("symbols of the kernel: %w", err)
		}
		if !likeTokens(head) {
			continue
		}
		from := max(0, at-namesReach) &^ 3
		b := make([]byte, min(s.in.Size(), at+tokensReach)-from)
		if n, err := s.in.ReadAt(b, from); n < len(b) && err != io.EOF {
			return nil, fmt.Errorf("symbols of the kernel: %w", err)
		}
		if t, ok := readTokens(b, int(at-from)); ok {
			if set := t.names(b); set != nil {
				return set, nil
			}
		}
	}
	return nil, nil
}

// likeTokens tells a table of tokens, most of which have several letters, from other tables of characters.
func likeTokens(b []byte) bool {
	long := 0
	for range 256 - '0' {
		n := bytes.IndexByte(b, 0)
		if n < 0 || n > 64 {
			return false
		}
		if n > 1 {
			long++
		}
		b = b[n+1:]
	}
	return long > 64
}

// tokens is the table of one kernel.
type tokens struct {
	order binary.ByteOrder
	text  [256][]byte
	start int // of the table in the buffer
	work  int // names stepped over
}

// readTokens follows the table from its digits on, and holds it against the index behind it.
func readTokens(b []byte, digits int) (*tokens, bool) {
	t := &tokens{}
	at := digits
	for i := '0'; i < 256; i++ {
		n := bytes.IndexByte(b[at:], 0)
		if n < 0 || n > 64 {
			return nil, false
		}
		t.text[i] = b[at : at+n]
		at += n + 1
	}
	for pad := 0; pad < 16; pad++ {
		if pad > 0 && (at+pad > len(b) || b[at+pad-1] != 0) {
			return nil, false
		}
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if t.index(b, digits, at+pad, order) {
				return t, true
			}
		}
	}
	return nil, false
}

// index reads 256 offsets of tokens and says whether they are those of the table.
func (t *tokens) index(b []byte, digits, at int, order binary.ByteOrder) bool {
	if at+512 > len(b) || order.Uint16(b[at:]) != 0 {
		return false
	}
	start := digits - int(order.Uint16(b[at+2*'0':]))
	if start < 0 {
		return false
	}
	for i := range 256 {
		from := start + int(order.Uint16(b[at+2*i:]))
		n := bytes.IndexByte(b[from:], 0)
		if n < 0 || n > 64 || i+1 < 256 && start+int(order.Uint16(b[at+2*i+2:])) != from+n+1 {
			return false
		}
		t.text[i] = b[from : from+n]
	}
	t.order, t.start = order, start
	return true
}

// names looks for the count of symbols in front of the tokens: the one from which so many names can be read. The buffer begins at a
// multiple of four bytes of the file, or where the file does.
func (t *tokens) names(b []byte) *nameset.Set {
	for at := (t.start - 16) &^ 3; at >= 0 && t.work < mostWork; at -= 4 { // they end close to the tokens
		n := t.order.Uint32(b[at:])
		if n < fewestSymbols || n > mostSymbols {
			continue
		}
		for _, gap := range []int{4, 8} { // names are aligned as addresses are
			if set := t.follow(b[:t.start], at+gap, int(n)); set != nil {
				return set
			}
		}
	}
	return nil
}

// follow reads n names; nil when they are none, or when what follows does not begin with the markers of every 256th name. Names are
// stepped over before they are spelled: from many places in the middle of the table one can go on for long.
func (t *tokens) follow(b []byte, first, n int) *nameset.Set {
	at, marker := first, -1
	for i := range n {
		if i == 256 {
			marker = at - first
		}
		size, width := symbolSize(b, at)
		if t.work++; size == 0 || at+width+size > len(b) || t.work > mostWork {
			return nil
		}
		if kind := t.text[b[at+width]]; len(kind) == 0 || !symbolType(kind[0]) {
			return nil
		}
		at += width + size
	}
	for pad := 0; pad < 16 && at+pad+16 <= len(b); pad++ {
		m := b[at+pad:]
		if t.order.Uint32(m) == 0 && (t.order.Uint32(m[4:]) == uint32(marker) || t.order.Uint64(m) == 0 && t.order.Uint64(m[8:]) == uint64(marker)) {
			return t.spell(b, first, n)
		}
	}
	return nil
}

// spell gathers the functions among n names.
func (t *tokens) spell(b []byte, at, n int) *nameset.Set {
	set := &nameset.Set{}
	var name []byte
	for range n {
		size, width := symbolSize(b, at)
		name = name[:0]
		for _, c := range b[at+width : at+width+size] {
			name = append(name, t.text[c]...)
		}
		switch name[0] {
		case 't', 'T', 'w', 'W':
			set.Add(string(name[1:]))
		}
		at += width + size
	}
	return set
}

// symbolSize reads a length: one byte, since Linux 6.1 two where the first has its top bit set.
func symbolSize(b []byte, at int) (size, width int) {
	if at+2 > len(b) {
		return 0, 0
	}
	if b[at] < 0x80 {
		return int(b[at]), 1
	}
	return int(b[at]&0x7f) | int(b[at+1])<<7, 2
}

func symbolType(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '?' || c == '-'
}
