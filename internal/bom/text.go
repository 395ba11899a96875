package bom

import (
	"bufio"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean returns s with everything that XML 1.0 cannot hold (control characters, invalid UTF-8) replaced by U+FFFD.
func Clean(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c >= utf8.RuneSelf {
			return clean(s)
		}
	}
	return s
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return r
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			return utf8.RuneError
		}
		return r
	}, s)
}

// Line is Clean without line breaks, for formats that are read by lines.
func Line(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' }), " ")
	}
	return strings.TrimSpace(Clean(s))
}

// URI tells whether s can stand where a schema wants a URI: some scheme or path, printable ASCII, nothing that must be escaped.
func URI(s string) bool {
	if s == "" || len(s) > 8192 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return false
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			return false
		case (c == '[' || c == ']'):
			return false
		}
	}
	scheme, rest, ok := strings.Cut(s, ":")
	return ok && rest != "" && schemeOK(scheme) && strings.Count(s, "#") < 2 && !badPort(rest)
}

// badPort catches "https://host:port" with a port that is none, which XML Schema processors refuse.
func badPort(rest string) bool {
	host, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return false
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	_, port, ok := strings.Cut(host, ":")
	return ok && (len(port) > 5 || strings.Trim(port, "0123456789") != "")
}

func schemeOK(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != ""
}

// HexDigest tells whether v is a hexadecimal digest of a size that hash algorithms have.
func HexDigest(v string) bool {
	switch len(v) {
	case 32, 40, 64, 96, 128:
	default:
		return false
	}
	for i := range len(v) {
		if !isHex(v[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// The parts of a CPE 2.3 formatted string (NISTIR 7695, figure 6-3).
const (
	cpeValue    = "(?:(?:\\?*|\\*?)(?:[a-zA-Z0-9._-]|\\\\[\\\\*?!\"#$%&'()+,/:;<=>@\\[\\]^`{|}~])+(?:\\?*|\\*?)|[*-])"
	cpeLanguage = "(?:[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?|[*-])"
)

var cpe23 = regexp.MustCompile("^cpe:2\\.3:[aho*-](?::" + cpeValue + "){5}:" + cpeLanguage + "(?::" + cpeValue + "){4}$")

// CPE23 tells whether s is a CPE 2.3 formatted string, as strictly as the schemas want it.
func CPE23(s string) bool { return len(s) < 1024 && cpe23.MatchString(s) }

// CPE22 tells whether s is a CPE 2.2 URI: "cpe:/", a part, and up to six more behind colons.
func CPE22(s string) bool {
	rest, ok := strings.CutPrefix(s, "cpe:/")
	if !ok || rest == "" || strings.IndexByte("aho:", rest[0]|0x20) < 0 && rest[0] != ':' || strings.Count(rest, ":") > 6 {
		return false
	}
	if rest[0] != ':' && len(rest) > 1 && rest[1] != ':' {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("._-~%:", c) >= 0) {
			return false
		}
	}
	return true
}

// UTF8 returns r as UTF-8 without a byte order mark: PowerShell writes what is redirected into a file as UTF-16.
func UTF8(r io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(3) // a shorter file is no error here; whoever reads on meets its end
	switch {
	case len(head) >= 3 && head[0] == 0xEF && head[1] == 0xBB && head[2] == 0xBF:
		b.Discard(3)
	case len(head) >= 2 && (head[0] == 0xFF && head[1] == 0xFE || head[0] == 0xFE && head[1] == 0xFF):
		b.Discard(2)
		return bufio.NewReaderSize(&wide{r: b, big: head[0] == 0xFE}, 64<<10)
	}
	return b
}

// wide turns UTF-16 into UTF-8.
type wide struct {
	r    *bufio.Reader
	big  bool
	rest []byte
}

func (w *wide) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		u, err := w.unit()
		if err != nil {
			return 0, err
		}
		r := rune(u)
		if utf16.IsSurrogate(r) {
			low, err := w.unit()
			if err != nil {
				return 0, err
			}
			r = utf16.DecodeRune(r, rune(low))
		}
		w.rest = utf8.AppendRune(w.rest[:0], r)
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *wide) unit() (uint16, error) {
	a, err := w.r.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := w.r.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if w.big {
		a, b = b, a
	}
	return uint16(a) | uint16(b)<<8, nil
}
