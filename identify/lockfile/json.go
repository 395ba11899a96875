package lockfile

// value is one JSON value (RFC 8259), found but not parsed; comments and trailing commas are let through, as bun.lock has them.
// The zero value is absent: it has no members and its string is "".
type value struct {
	j   *jsonText
	off int // of the first byte of the value
}

// json starts at the outermost value.
func (d *doc) json() (*jsonText, value) {
	j := &jsonText{d: d, ends: map[int]int{}}
	return j, value{j, j.space(0)}
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
func (v value) line() int {
	if v.j == nil {
		return 0
	}
	return v.j.d.lines.at(v.off)
}
