// Package treepath turns names as containers and file systems hold them into paths of a tree.
//
// What comes in: any bytes. What goes out: a clean slash path without leading slash that prints on one line, is valid UTF-8
// and holds no "!" (which parts a place's descents). Two different names never become one path by escaping. It never looks
// at a file system.
//
// Escaping: bytes that are no UTF-8, control characters and "!" are written %XX, and so is a "%" that stands before two hex
// digits. A ".." that would leave the container is written %2E%2E, so that its file is still seen, and seen as what it is.
package treepath

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// maxName is the longest name taken: PATH_MAX of Linux.
const maxName = 4096

// Clean returns the path for a member's name. It fails for names that name nothing ("", "/", ".") or are too long.
func Clean(name string) (string, error) {
	if len(name) > maxName {
		return "", errors.New("name is longer than 4096 bytes")
	}
	name = strings.TrimPrefix(name, "./")
	climbs := 0
	if !clean(name) {
		name, climbs = rebase(name)
	}
	if name == "" || name == "." {
		return "", errors.New("name is empty")
	}
	return strings.Repeat("%2E%2E/", climbs) + escape(name), nil
}

// DOS turns a name of a container made under DOS or Windows into a slash name without its drive letter.
func DOS(name string) string {
	if !strings.ContainsAny(name, `\:`) {
		return name
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if len(name) > 1 && name[1] == ':' && (name[0]|0x20) >= 'a' && (name[0]|0x20) <= 'z' {
		name = name[2:]
	}
	return name
}

// Escape escapes one name of a directory, in which "%2E%2E" needs no place.
func Escape(name string) string { return escape(name) }

// clean tells whether a slash name needs no rebase: no empty, "." or ".." element.
func clean(name string) bool {
	for i := 0; i < len(name); {
		end := strings.IndexByte(name[i:], '/')
		if end < 0 {
			end = len(name) - i
		} else if i+end+1 == len(name) {
			return false
		}
		switch name[i : i+end] {
		case "", ".", "..":
			return false
		}
		i += end + 1
	}
	return true
}

// rebase cleans a name and counts those of its ".." that climb out of the container.
func rebase(name string) (string, int) {
	name = path.Clean(strings.TrimLeft(name, "/"))
	climbs := 0
	for name == ".." || strings.HasPrefix(name, "../") {
		climbs++
		name = strings.TrimPrefix(name[2:], "/")
	}
	return name, climbs
}

func escape(name string) string {
	if plain(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if must(name, i, r, n) {
			b.WriteByte('%')
			b.WriteByte(hexDigits[name[i]>>4])
			b.WriteByte(hexDigits[name[i]&15])
			i++
			continue
		}
		b.WriteString(name[i : i+n])
		i += n
	}
	return b.String()
}

const hexDigits = "0123456789ABCDEF"

func plain(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c == '!' || c == '%' || c >= 0x7f {
			return plainUnicode(name)
		}
	}
	return true
}

func plainUnicode(name string) bool {
	for i, r := range name {
		n := utf8.RuneLen(r)
		if r == utf8.RuneError && !strings.HasPrefix(name[i:], "\uFFFD") {
			return false
		}
		if must(name, i, r, n) {
			return false
		}
	}
	return true
}

// must tells whether the rune of n bytes at name[i:] is escaped.
func must(name string, i int, r rune, n int) bool {
	switch {
	case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f, r == '!':
		return true
	case r >= 0x80 && r < 0xa0, r == 0x2028, r == 0x2029: // control characters and line breaks of Unicode
		return true
	case r == '%':
		return i+2 < len(name) && isHex(name[i+1]) && isHex(name[i+2])
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || (c|0x20) >= 'a' && (c|0x20) <= 'f'
}

// Child returns the path of an entry in a directory of a file system image: dir is a path already, "" the root. It fails for what
// no file can be called ("", ".", "..", a name with "/" or NUL) and for paths that are too long.
func Child(dir, name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("%q is no name of a file", name)
	}
	if len(dir)+1+len(name) > maxName {
		return "", errors.New("path is longer than 4096 bytes")
	}
	if dir == "" {
		return escape(name), nil
	}
	return dir + "/" + escape(name), nil
}
