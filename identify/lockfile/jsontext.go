package lockfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// maxNesting bounds brackets inside brackets.
const maxNesting = 512

// jsonText is a JSON file. The first error stays and ends all walking.
type jsonText struct {
	d    *doc
	err  error
	open []int       // offsets of open brackets, for skipNested alone
	ends map[int]int // by offset of a large object or array, the offset behind it
}

// close tells what went wrong, if anything did. root is walked over whole, so that a cut-off file is never taken for a short one.
func (j *jsonText) close(root value) error {
	end := j.skip(root.off)
	if j.err == nil && !root.isObject() {
		j.fail(root.off, "object expected")
	}
	if j.err == nil && end >= 0 && j.space(end) < len(j.d.text) {
		j.fail(end, "more text behind the value")
	}
	return j.err
}

func (j *jsonText) fail(off int, reason string) int {
	if j.err == nil {
		j.err = fmt.Errorf("offset %d: json: %s", off, reason)
	}
	return -1
}

// space returns the offset of the next byte that is neither white space nor comment.
func (j *jsonText) space(off int) int {
	text := j.d.text
	for off < len(text) {
		switch c := text[off]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			off++
		case c == '/' && off+1 < len(text) && text[off+1] == '/':
			n := bytes.IndexByte(text[off:], '\n')
			if n < 0 {
				return len(text)
			}
			off += n
		case c == '/' && off+1 < len(text) && text[off+1] == '*':
			n := bytes.Index(text[off+2:], []byte("*/"))
			if n < 0 {
				return len(text)
			}
			off += n + 4
		default:
			return off
		}
	}
	return off
}

// skipString returns the offset behind the string that starts at off, or -1.
func (j *jsonText) skipString(off int) int {
	text := j.d.text
	for i := off + 1; ; {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return j.fail(off, "string without end")
		}
		piece := text[i : i+n]
		if line := bytes.IndexByte(piece, '\n'); line >= 0 {
			return j.fail(i+line, "line end in a string")
		}
		i += n + 1
		if slashes := len(piece) - len(bytes.TrimRight(piece, "\\")); slashes%2 == 0 {
			return i
		}
	}
}

// remembered is the size in bytes from which a skipped value's end is kept, so that nested walks stay linear.
const remembered = 4096

// skip returns the offset behind the value at off, or -1.
func (j *jsonText) skip(off int) int {
	text := j.d.text
	switch {
	case j.err != nil:
		return -1
	case off >= len(text):
		return j.fail(off, "text ends inside a value")
	case text[off] == '"':
		return j.skipString(off)
	case text[off] == '{' || text[off] == '[':
		return j.skipNested(off)
	}
	end := literal(text, off)
	if end == off {
		return j.fail(off, "value expected")
	}
	return end
}

// skipNested returns the offset behind the object or array at off, or -1.
func (j *jsonText) skipNested(off int) int {
	open, text := j.open[:0], j.d.text
	for off < len(text) {
		switch c := text[off]; c {
		case '"':
			if off = j.skipString(off); off < 0 {
				return -1
			}
		case '{', '[':
			if end, known := j.ends[off]; known {
				off = end
				break
			}
			if len(open) == maxNesting {
				return j.fail(off, "nested too deep")
			}
			open = append(open, off)
			off++
		case '}', ']':
			start := open[len(open)-1]
			if text[start]+2 != c {
				return j.fail(off, "bracket that was not opened")
			}
			open = open[:len(open)-1]
			off++
			if off-start >= remembered {
				j.ends[start] = off
			}
		case ',', ':':
			off++
		default:
			end := literal(text, off)
			if end == off {
				return j.fail(off, "value expected")
			}
			off = end
		}
		if len(open) == 0 {
			j.open = open
			return off
		}
		off = j.space(off)
	}
	return j.fail(off, "text ends inside a value")
}

// literal returns the end of a number or word.
func literal(text []byte, off int) int {
	for off < len(text) {
		switch c := text[off]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '+', c == '.':
			off++
		default:
			return off
		}
	}
	return off
}

// key finds a member's name and returns it with where its value starts, or -1.
func (j *jsonText) key(off int) ([]byte, int) {
	if j.d.text[off] != '"' {
		return nil, j.fail(off, "member name expected")
	}
	end := j.skipString(off)
	if end < 0 {
		return nil, -1
	}
	key := j.d.text[off:end]
	if end = j.space(end); end >= len(j.d.text) || j.d.text[end] != ':' {
		return nil, j.fail(end, "colon expected")
	}
	return key, j.space(end + 1)
}

// name is a member's name without quotes.
func (j *jsonText) name(key []byte) string {
	if len(key) == 0 {
		return ""
	}
	return j.unquote(key)
}

// unquote returns the string of a piece of the text, quotes and all. Escapes that mean nothing fail the text.
func (j *jsonText) unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		j.fail(0, "string "+strconv.QuoteToASCII(string(raw))+": "+err.Error())
	}
	return s
}

// isName compares without making a string of the common kind of name.
func (j *jsonText) isName(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		return j.unquote(key) == name
	}
	return string(key[1:len(key)-1]) == name
}
