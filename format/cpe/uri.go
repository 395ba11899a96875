package cpe

import (
	"fmt"
	"strings"
)

// parse22 reads a CPE 2.2 URI (NISTIR 7695, 6.1.3): seven parts, the sixth of which may pack five attributes
// ("~edition~sw_edition~target_sw~target_hw~other").
func parse22(whole, rest string) (Name, error) {
	n := blank()
	parts := strings.Split(rest, ":")
	if len(parts) > 7 {
		return Name{}, fmt.Errorf("CPE name %q has more than 7 parts", whole)
	}
	to := [7]*Attr{&n.Part, &n.Vendor, &n.Product, &n.Version, &n.Update, &n.Edition, &n.Language}
	for i, p := range parts {
		if i == 5 && strings.HasPrefix(p, "~") {
			if err := n.unpack(p); err != nil {
				return Name{}, fmt.Errorf("CPE name %q: %w", whole, err)
			}
			continue
		}
		a, err := decode(p)
		if err != nil {
			return Name{}, fmt.Errorf("CPE name %q: %w", whole, err)
		}
		*to[i] = a
	}
	return n, n.check(whole)
}

func (n *Name) unpack(p string) error {
	parts := strings.Split(p[1:], "~")
	if len(parts) > 5 {
		return fmt.Errorf("%q packs more than 5 attributes", p)
	}
	to := [5]*Attr{&n.Edition, &n.SWEd, &n.TargetSW, &n.TargetHW, &n.Other}
	for i, s := range parts {
		a, err := decode(s)
		if err != nil {
			return err
		}
		*to[i] = a
	}
	return nil
}

// decode reads one attribute of a URI: percent-encoded, "%01" being "?" and "%02" being "*".
func decode(s string) (Attr, error) {
	switch s {
	case "":
		return Any, nil
	case "-":
		return NA, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("%q ends in an escape", s)
		}
		c, ok := hex(s[i+1], s[i+2])
		switch {
		case !ok || c == 0 || c > 2 && c < ' ' || c == 0x7f:
			return "", fmt.Errorf("%q: %%%s is no character of a name", s, s[i+1:i+3])
		case c == 2:
			c = 0
		}
		out = append(out, c)
		i += 2
	}
	return Attr(strings.ToLower(string(out))), control(s)
}

func hex(a, b byte) (byte, bool) {
	x, okA := nibble(a)
	y, okB := nibble(b)
	return x<<4 | y, okA && okB
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
