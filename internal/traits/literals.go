package traits

import "strconv"

// Literals returns the string literals of C or C++ source text as the compiler would store them: escapes resolved, adjacent ones joined.
// Comments and character constants are passed over; a literal that does not end on its line ends there.
func Literals(src []byte) []string {
	var out []string
	var cur []byte
	open := false // a literal was read, and nothing but space since
	flush := func() {
		if open && len(cur) >= MinText {
			out = append(out, string(cur))
		}
		cur, open = cur[:0], false
	}
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '/' && i+1 < len(src) && src[i+1] == '/':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == '/' && i+1 < len(src) && src[i+1] == '*':
			for i += 2; i+1 < len(src) && (src[i] != '*' || src[i+1] != '/'); i++ {
			}
			i += 2
		case c == '\'':
			for i++; i < len(src) && src[i] != '\'' && src[i] != '\n'; i++ {
				if src[i] == '\\' {
					i++
				}
			}
			i++
		case c == '"':
			cur, i = literal(src, i+1, cur)
			open = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\\':
			i++
		default:
			flush()
			i++
		}
	}
	flush()
	return out
}

// literal appends the bytes of a literal whose text begins at i, and returns where it ends.
func literal(src []byte, i int, cur []byte) ([]byte, int) {
	for i < len(src) && src[i] != '"' && src[i] != '\n' {
		if src[i] != '\\' || i+1 >= len(src) {
			cur = append(cur, src[i])
			i++
			continue
		}
		n := 2
		switch c := src[i+1]; {
		case c == '\n':
		case c >= '0' && c <= '7':
			for n < 4 && i+n < len(src) && src[i+n] >= '0' && src[i+n] <= '7' {
				n++
			}
			v, err := strconv.ParseUint(string(src[i+1:i+n]), 8, 16)
			if err == nil {
				cur = append(cur, byte(v))
			}
		case c == 'x':
			for n < 4 && i+n < len(src) && hexDigit(src[i+n]) {
				n++
			}
			v, err := strconv.ParseUint(string(src[i+2:i+n]), 16, 16)
			if err == nil {
				cur = append(cur, byte(v))
			}
		default:
			cur = append(cur, escapes[c])
		}
		i += n
	}
	return cur, i + 1
}

var escapes = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for k, v := range map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11, 'e': 27} {
		t[k] = v
	}
	return t
}()

func hexDigit(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func digit(c byte) bool    { return c >= '0' && c <= '9' }
func letter(c byte) bool   { return c|0x20 >= 'a' && c|0x20 <= 'z' }
