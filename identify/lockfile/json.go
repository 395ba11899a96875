package lockfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// maxNesting bounds brackets inside brackets.
const maxNesting = 512

// value is one JSON value (RFC 8259), found but not parsed; comments and trailing commas are let through, as bun.lock has them.
// The zero value is absent: it has no members and its string is "".
type value struct {
	j   *jsonText
	off int // of the first byte of the value
}

// jsonText is a JSON file. The first error stays and ends all walking.
type jsonText struct {
	d    *doc
	err  error
	open []int       // offsets of open brackets, for skipNested alone
	ends map[int]int // by offset of a large object or array, the offset behind it
}

// json starts at the outermost value.
func (d *doc) json() (*jsonText, value) {
	j := &jsonText{d: d, ends: map[int]int{}}
	return j, value{j, j.space(0)}
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

func (v value) is(c byte) bool {
	return v.j != nil && v.j.err == nil && v.off < len(v.j.d.text) && v.j.d.text[v.off] == c
}

func (v value) isObject() bool { return v.is('{') }
func (v value) isArray() bool  { return v.is('[') }
func (v value) isString() bool { return v.is('"') }

// each calls f with the members of an object, or, with empty keys, the elements of an array, in the order of the text. Of other
// values it calls nothing.
func (v value) each(f func(key string, m value)) {
	v.members(func(key []byte, m value) { f(v.j.name(key), m) })
}

// members is each with the names as they stand in the text, quotes and all; nil for elements.
func (v value) members(f func(key []byte, m value)) {
	if !v.isObject() && !v.isArray() {
		return
	}
	if err := v.j.d.ctx.Err(); err != nil {
		v.j.err = err
		return
	}
	j, text, object := v.j, v.j.d.text, v.isObject()
	for off := j.space(v.off + 1); off < len(text); {
		switch text[off] {
		case '}', ']':
			return
		case ',':
			off = j.space(off + 1)
			continue
		}
		var key []byte
		if object {
			if key, off = j.key(off); off < 0 {
				return
			}
		}
		f(key, value{j, off})
		if off = j.skip(off); off < 0 {
			return
		}
		off = j.space(off)
	}
	j.fail(len(text), "text ends inside a value")
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

// get follows member names; the zero value where one is missing.
func (v value) get(path ...string) value {
	for _, name := range path {
		v = v.pick(name)[0]
	}
	return v
}

// pick returns the members of the names, in one walk; zero values for those missing.
func (v value) pick(names ...string) []value {
	found := make([]value, len(names))
	if !v.isObject() {
		return found
	}
	v.members(func(key []byte, m value) {
		for i, name := range names {
			if v.j.isName(key, name) {
				found[i] = m
			}
		}
	})
	return found
}

// isName compares without making a string of the common kind of name.
func (j *jsonText) isName(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		return j.unquote(key) == name
	}
	return string(key[1:len(key)-1]) == name
}

// str is the string, or "" of anything else.
func (v value) str() string {
	if !v.isString() {
		return ""
	}
	end := v.j.skipString(v.off)
	if end < 0 {
		return ""
	}
	return v.j.unquote(v.j.d.text[v.off:end])
}

// word is a number, true, false or null as written; "" of anything else.
func (v value) word() string {
	if v.j == nil || v.j.err != nil {
		return ""
	}
	return string(v.j.d.text[v.off:literal(v.j.d.text, v.off)])
}

// isTrue makes no string.
func (v value) isTrue() bool {
	return v.is('t') && string(v.j.d.text[v.off:literal(v.j.d.text, v.off)]) == "true"
}

// strs are the strings of an array; a lone string counts as one.
func (v value) strs() []string {
	if v.isString() {
		return []string{v.str()}
	}
	var all []string
	if v.isArray() {
		v.each(func(_ string, m value) {
			if m.isString() {
				all = append(all, m.str())
			}
		})
	}
	return all
}

// keys are the member names of an object, in the order of the text.
func (v value) keys() []string {
	var all []string
	if v.isObject() {
		v.members(func(key []byte, _ value) { all = append(all, v.j.name(key)) })
	}
	return all
}

// line is where the value starts, from 1.
func (v value) line() int { return v.j.d.lines.at(v.off) }
