package lockfile

import (
	"bytes"
	"strings"
)

// iniEntry is one "key = value" of a file with "[sections]".
type iniEntry struct {
	line         int
	section, key string
	value        string // continuation lines are joined by "\n"
}

// iniEntries reads the dialect that Python, Meson, git and PlatformIO share: "#" and ";" start comment lines, indented lines continue
// a value unless they hold "=" in a file that indents its keys, as git does.
func iniEntries(text []byte) []iniEntry {
	var all []iniEntry
	var more []byte // continuation lines of the last entry
	flush := func() {
		if len(all) > 0 {
			all[len(all)-1].value += string(more)
		}
		more = more[:0]
	}
	section, line := "", 0
	git := bytes.Contains(text, []byte("[submodule "))
	for raw := range bytes.Lines(text) {
		line++
		s := strings.TrimRight(string(raw), "\r\n \t")
		body := strings.TrimLeft(s, " \t")
		switch {
		case body == "" || body[0] == '#' || body[0] == ';':
		case body[0] == '[' && strings.HasSuffix(body, "]"):
			section = body[1 : len(body)-1]
		case len(body) < len(s) && !git && len(all) > 0 && all[len(all)-1].section == section:
			more = append(append(more, '\n'), body...)
		default:
			i := strings.IndexAny(body, "=:")
			if i < 0 {
				continue
			}
			flush()
			all = append(all, iniEntry{line, section, strings.TrimSpace(body[:i]), strings.TrimSpace(body[i+1:])})
		}
	}
	flush()
	return all
}
