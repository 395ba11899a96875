// Package cpe reads names of products and holds them against each other.
//
// What comes in: CPE 2.3 formatted strings and CPE 2.2 URIs (NISTIR 7695, 2011). What goes out: their eleven attributes, and how two
// names stand to each other (NISTIR 7696, 2011). It will never look a name up in a dictionary or compare versions by age.
package cpe

import (
	"fmt"
	"strings"
)

// Attr is one attribute: Any, NA, or text in lower case without escapes, in which the bytes 0 and 1 are the wildcards "*" and "?".
type Attr string

// The two logical values.
const (
	Any Attr = "\x00" // "*": every value, or not known
	NA  Attr = "\x02" // "-": none applies
)

// Literal says whether an attribute is text without wildcards.
func (a Attr) Literal() bool { return a != NA && !a.wild() }

func (a Attr) wild() bool {
	return strings.IndexByte(string(a), 0) >= 0 || strings.IndexByte(string(a), 1) >= 0
}

func (a Attr) String() string {
	switch a {
	case NA:
		return "-"
	case "":
		return "*"
	}
	return strings.NewReplacer("\x00", "*", "\x01", "?").Replace(string(a))
}

// Name is a CPE name taken apart. Attributes that were not written are Any.
type Name struct {
	Part     Attr // "a" application, "o" operating system, "h" hardware
	Vendor   Attr
	Product  Attr
	Version  Attr
	Update   Attr
	Edition  Attr // deprecated by NISTIR 7695; kept, since old names have it
	Language Attr
	SWEd     Attr // sw_edition
	TargetSW Attr
	TargetHW Attr
	Other    Attr
}

// Key is how the book of advisories names a product in ecosystem "CPE": "vendor:product" in lower case without escapes.
func (n *Name) Key() string { return string(n.Vendor) + ":" + string(n.Product) }

// Product23 is the name up to the product, as a CPE 2.3 formatted string: "cpe:2.3:a:openssl:openssl".
func (n *Name) Product23() string {
	return "cpe:2.3:" + bind(n.Part) + ":" + bind(n.Vendor) + ":" + bind(n.Product)
}

// maxName bounds a name; the longest of NVD's dictionary has some 250 bytes.
const maxName = 2048

// Parse reads a formatted string ("cpe:2.3:a:vendor:product:...") or a URI ("cpe:/a:vendor:product:..."), of any case. Attributes
// missing at the end are Any. The error says what is wrong.
func Parse(s string) (Name, error) {
	if len(s) > maxName {
		return Name{}, fmt.Errorf("CPE name of %d bytes", len(s))
	}
	lower := strings.ToLower(s)
	if rest, ok := strings.CutPrefix(lower, "cpe:2.3:"); ok {
		return parse23(s, rest)
	}
	if rest, ok := strings.CutPrefix(lower, "cpe:/"); ok {
		return parse22(s, rest)
	}
	return Name{}, fmt.Errorf("%q is no CPE name", s)
}

func parse23(whole, rest string) (Name, error) {
	n := blank()
	fields := n.fields()
	at := 0
	for {
		end := colon(rest)
		if at == len(fields) {
			return Name{}, fmt.Errorf("CPE name %q has more than %d attributes", whole, len(fields))
		}
		a, err := unbind(rest[:end])
		if err != nil {
			return Name{}, fmt.Errorf("CPE name %q: %w", whole, err)
		}
		*fields[at] = a
		at++
		if end == len(rest) {
			break
		}
		rest = rest[end+1:]
	}
	return n, n.check(whole)
}

// colon returns where the first colon without escape is, the length of s when there is none.
func colon(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			return i
		}
	}
	return len(s)
}

// unbind reads one attribute of a formatted string (NISTIR 7695, 6.2.3.1).
func unbind(s string) (Attr, error) {
	switch s {
	case "*", "":
		return Any, nil
	case "-":
		return NA, nil
	}
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '*') < 0 && strings.IndexByte(s, '?') < 0 {
		return Attr(s), control(s)
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 == len(s):
			return "", fmt.Errorf("%q ends in an escape", s)
		case c == '\\':
			i++
			out = append(out, s[i])
		case c == '*':
			out = append(out, 0)
		case c == '?':
			out = append(out, 1)
		default:
			out = append(out, c)
		}
	}
	return Attr(out), control(s)
}

// control refuses what no name has and what our wildcards are written with.
func control(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return fmt.Errorf("%q has a control character", s)
		}
	}
	return nil
}

func blank() Name { return Name{Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any} }

func (n *Name) fields() [11]*Attr {
	return [11]*Attr{&n.Part, &n.Vendor, &n.Product, &n.Version, &n.Update, &n.Edition, &n.Language, &n.SWEd, &n.TargetSW, &n.TargetHW, &n.Other}
}

func (n *Name) check(whole string) error {
	switch n.Part {
	case "a", "o", "h", Any, NA:
		return nil
	}
	return fmt.Errorf("CPE name %q: part %q is not a, o or h", whole, n.Part)
}

// bind writes one attribute of a formatted string: marks but "_", "-" and "." are escaped, and a lone "-".
func bind(a Attr) string {
	switch a {
	case Any, "":
		return "*"
	case NA:
		return "-"
	case "-":
		return `\-`
	}
	var b strings.Builder
	for i := 0; i < len(a); i++ {
		switch c := a[i]; {
		case c == 0:
			b.WriteByte('*')
		case c == 1:
			b.WriteByte('?')
		case c == '_' || c == '-' || c == '.' || c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

// String writes the whole name as a CPE 2.3 formatted string.
func (n *Name) String() string {
	var b strings.Builder
	b.WriteString("cpe:2.3")
	for _, f := range n.fields() {
		b.WriteByte(':')
		b.WriteString(bind(*f))
	}
	return b.String()
}
