// Package lockfile reads the manifests and lock files of package managers.
//
// What comes in: one file that a package manager wrote or reads. What goes out: claims about the packages it names, with their
// edges, hashes and scopes as far as the file says. It will never follow a file into another, resolve a version range or ask a
// registry. Each file of the package names the format it reads and where that is described.
package lockfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"context"

	"github.com/biopsy-sca/biopsy"
)

// maxText bounds the files that are read, in bytes; the largest lock file we know of has 12 MB. JSON may be larger, for it is walked
// without being taken apart first.
const (
	maxText = 64 << 20
	maxJSON = 512 << 20
)

// doc is one file at hand: its text, and where its claims go.
type doc struct {
	biopsy.Input
	ctx   context.Context
	text  []byte // whole file as UTF-8, without byte order mark
	name  string // of the reader
	state biopsy.State
	emit  func(biopsy.Evidence)
	lines lineCounter
}

// reader makes an Extractor of a parse function, which gets the whole text.
func reader(name string, state biopsy.State, parse func(*doc) error, names ...string) biopsy.Extractor {
	return biopsy.Extractor{
		Name:  name,
		Basis: biopsy.Manifest,
		Names: names,
		Wants: func(path string) bool { return !installed(path) && !isFixture(path) },
		Extract: func(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
			text, err := load(ctx, in)
			if err != nil || len(bytes.TrimSpace(text)) == 0 {
				return err
			}
			if line := conflict(text); line > 0 {
				return fmt.Errorf("line %d: an unfinished merge", line)
			}
			d := &doc{Input: in, ctx: ctx, text: text, name: name, state: state, emit: emit, lines: lineCounter{text: text, line: 1}}
			return parse(d)
		},
	}
}

// wanting narrows a reader to the paths that wants lets through.
func wanting(x biopsy.Extractor, wants func(path string) bool) biopsy.Extractor {
	before := x.Wants
	x.Wants = func(path string) bool { return before(path) && wants(path) }
	return x
}

// foreignTrees are folders that package managers fill. A lock file in there was written by the maker of a dependency for their own
// tests; nobody installs by it.
var foreignTrees = []string{"node_modules/", "bower_components/", "site-packages/", "dist-packages/", "usr/share/nodejs/", "usr/lib/nodejs/",
	"pkg/mod/", "registry/src/", "vendor/bundle/", "Pods/", "_build/", ".pc/"}

func installed(path string) bool {
	for _, f := range foreignTrees {
		if strings.HasPrefix(path, f) || strings.Contains(path, "/"+f) {
			return true
		}
	}
	return false
}

// isFixture tells that a file is data of tests: nothing installs by it. The go command skips testdata, test runners the others.
func isFixture(path string) bool {
	for _, f := range []string{"testdata/", "fixtures/", "__fixtures__/"} {
		if strings.HasPrefix(path, f) || strings.Contains(path, "/"+f) {
			return true
		}
	}
	return false
}

// conflict returns the line at which Git left two sides of a merge for someone to choose from; 0 when there is none. What either side
// says is not settled, so nothing is read.
func conflict(text []byte) int {
	const open, between, end = "<<<<<<< ", "\n=======", "\n>>>>>>> "
	i := 0
	if !bytes.HasPrefix(text, []byte(open)) {
		if i = bytes.Index(text, []byte("\n"+open)) + 1; i == 0 {
			return 0
		}
	}
	if j := bytes.Index(text[i:], []byte(between)); j < 0 || !bytes.Contains(text[i+j:], []byte(end)) {
		return 0
	}
	return bytes.Count(text[:i], []byte("\n")) + 1
}

// inTests tells that a file lies among the tests of the project: what it names is their tool.
func inTests(path string) bool {
	for elem := range strings.SplitSeq(path[:strings.LastIndexByte(path, '/')+1], "/") {
		switch elem {
		case "test", "tests", "__tests__":
			return true
		}
	}
	return false
}

// load returns the text of the file as UTF-8.
func load(ctx context.Context, in biopsy.Input) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit := int64(maxText)
	if strings.HasSuffix(in.Path, ".json") {
		limit = maxJSON
	}
	if in.Size() > limit {
		return nil, fmt.Errorf("%d bytes, more than the %d that are read", in.Size(), limit)
	}
	text := make([]byte, in.Size())
	if n, err := in.ReadAt(text, 0); n < len(text) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("offset %d: %w", n, err)
	}
	return utf8Text(text), nil
}

// utf8Text drops the byte order mark and turns UTF-16, which PowerShell writes by default, into UTF-8.
func utf8Text(b []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return b
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, order.Uint16(b[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// add emits a claim that stands in the given line; 0 is no line. Claims without a name say nothing and are dropped.
func (d *doc) add(line int, c biopsy.Claim) {
	if c.Name == "" {
		return
	}
	if c.Kind == "" {
		c.Kind = biopsy.Library
	}
	if c.State == "" && !c.About {
		c.State = d.state
	}
	if inTests(d.Path) && !c.About {
		c.Scope = biopsy.Development
	}
	confidence := 0.98
	if c.State == biopsy.Declared {
		confidence = 0.8 // it is asked for; what is built may differ
	}
	d.emit(biopsy.Evidence{Claim: c, Place: d.At(line), Reader: d.name, Basis: biopsy.Manifest, Confidence: confidence})
}

// project emits the program whose source tree the file describes. A source tree inside another that no registry knows is, most
// often, a library that was copied in.
func (d *doc) project(line int, c biopsy.Claim) {
	c.State = biopsy.Declared
	if c.Kind == "" && (c.Eco != "generic" || !strings.Contains(d.Path, "/")) {
		c.Kind = biopsy.Application
	}
	d.add(line, c)
}

// lineCounter turns offsets into lines. It is cheap while offsets grow.
type lineCounter struct {
	text []byte
	off  int
	line int
}

func (l *lineCounter) at(off int) int {
	off = min(off, len(l.text))
	if off >= l.off {
		l.line += bytes.Count(l.text[l.off:off], []byte("\n"))
	} else {
		l.line -= bytes.Count(l.text[off:l.off], []byte("\n"))
	}
	l.off = off
	return l.line
}
