package lockfile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxTOML bounds TOML text in bytes, maxBrackets what is open at once (the parser calls itself for each), and maxDots the dots of
// one line outside quotes (the parser keeps every prefix of a dotted key).
const (
	maxTOML     = 32 << 20
	maxBrackets = 10_000
	maxDots     = 2_000
)

// toml decodes the file (TOML 1.0) into a struct.
func (d *doc) toml(into any) error {
	if len(d.text) > maxTOML {
		return fmt.Errorf("toml: %d bytes, more than the %d that are read", len(d.text), maxTOML)
	}
	if at := nestedTOML(d.text); at >= 0 {
		return fmt.Errorf("offset %d: toml: nested too deep", at)
	}
	if _, err := toml.Decode(string(d.text), into); err != nil {
		return fmt.Errorf("toml: %w", err)
	}
	return nil
}

// nestedTOML returns the offset at which nesting gets too deep, or -1. Quotes in comments make it count too little for the rest of a
// line at most.
func nestedTOML(text []byte) int {
	open, dots, quote := 0, 0, byte(0)
	for i, c := range text {
		switch {
		case c == '\n':
			dots, quote = 0, 0
		case c == '"' || c == '\'':
			if quote == 0 {
				quote = c
			} else if quote == c {
				quote = 0
			}
		case c == '[' || c == '{':
			open++
		case c == ']' || c == '}':
			open = max(0, open-1)
		case c == '.' && quote == 0:
			dots++
		}
		if open > maxBrackets || dots > maxDots {
			return i
		}
	}
	return -1
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

// keyLines are the lines in which keys and headers first stand: "alias" of `alias = ...`, "[[deps.JSON]]".
func (d *doc) keyLines() map[string]int {
	lines, line := map[string]int{}, 0
	for l := range bytes.Lines(d.text) {
		line++
		key, _, _ := strings.Cut(strings.TrimSpace(string(l)), "=")
		key = strings.Trim(strings.TrimSpace(key), `"`)
		if _, known := lines[key]; !known && key != "" {
			lines[key] = line
		}
	}
	return lines
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
