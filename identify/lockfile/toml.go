package lockfile

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"
)

// maxTOML bounds TOML text in bytes, and maxBrackets what is open at once: the parser calls itself for each.
const (
	maxTOML     = 64 << 20
	maxBrackets = 10_000
)

// toml decodes the file (TOML 1.0) into a struct.
func (d *doc) toml(into any) error {
	if len(d.text) > maxTOML {
		return fmt.Errorf("toml: %d bytes, more than the %d that are read", len(d.text), maxTOML)
	}
	open := 0
	for i, c := range d.text {
		switch c {
		case '[', '{':
			if open++; open > maxBrackets {
				return fmt.Errorf("offset %d: toml: nested too deep", i)
			}
		case ']', '}':
			open = max(0, open-1)
		}
	}
	if _, err := toml.Decode(string(d.text), into); err != nil {
		return fmt.Errorf("toml: %w", err)
	}
	return nil
}

// tables returns the lines of the headers "[[name]]", in order. The n-th entry of the array of tables starts in the n-th line.
func (d *doc) tables(name string) tableLines {
	var all tableLines
	header, line := []byte("[["+name+"]]"), 0
	for l := range bytes.Lines(d.text) {
		line++
		if bytes.HasPrefix(l, header) {
			all = append(all, line)
		}
	}
	return all
}

type tableLines []int

// of is the line of the i-th table; 0 when headers and tables do not match one to one, as with inline arrays.
func (t tableLines) of(i, tables int) int {
	if len(t) != tables {
		return 0
	}
	return t[i]
}

// lineOf is the first line that starts with the text; 0 when none does.
func (d *doc) lineOf(start string) int {
	line := 0
	for l := range bytes.Lines(d.text) {
		line++
		if bytes.HasPrefix(bytes.TrimSpace(l), []byte(start)) {
			return line
		}
	}
	return 0
}
