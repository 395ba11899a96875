// Package installed reads what installed software says about itself, outside the package databases.
//
// What comes in: one file at a time: a jar, a dist-info folder's METADATA, a node_modules package.json, a program with build
// information. What goes out: evidence of the component the file is, and of those it carries inside. It never follows a link to
// another file, never unpacks a nested archive (the walk does), and never runs what it reads.
package installed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// All are the readers of this room, in the order in which a file is shown to them.
var All = []biopsy.Extractor{
	JavaArchive,
	JavaRuntime,
	PythonMetadata,
	PythonFolder,
	NodeModule,
	Bower,
	BrowserScript,
	ElectronArchive,
	GoBinary,
	BusyBox,
	RustBinary,
	RustCrates,
	DotnetDeps,
	DotnetAssembly,
	DotnetBundle,
	Nuspec,
	RubyGem,
	ComposerInstalled,
	RPackage,
	CondaMeta,
	LuaRock,
	ErlangApp,
	WordPressPlugin,
}

// maxText bounds a metadata file that is read whole. The largest seen in the wild is a conda record of 9 MiB.
const maxText = 32 << 20

// errTooLarge says that a file is larger than any honest one of its kind.
var errTooLarge = errors.New("larger than any honest file of its kind")

// whole returns the content of a small file, without a byte order mark.
func whole(in biopsy.Input, limit int64) ([]byte, error) {
	if in.Size() > limit {
		return nil, fmt.Errorf("%d bytes: %w", in.Size(), errTooLarge)
	}
	b := make([]byte, in.Size())
	if n, err := in.ReadAt(b, 0); err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return nil, fmt.Errorf("read: %w", err)
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), nil
}

// several collects errors that cost one part of a file each: the first few in full, the rest by number.
type several struct {
	errs []error
	more int
}

func (s *several) add(err error) {
	switch {
	case err == nil:
	case len(s.errs) < 8:
		s.errs = append(s.errs, err)
	default:
		s.more++
	}
}

func (s *several) err() error {
	if s.more > 0 {
		return fmt.Errorf("%w; and %d more", errors.Join(s.errs...), s.more)
	}
	return errors.Join(s.errs...)
}

// sheet is what every piece of evidence of one reading has in common.
type sheet struct {
	in     biopsy.Input
	reader string
	basis  biopsy.Basis
	emit   func(biopsy.Evidence)
}

// say emits one claim about a component of the tree, completing its purl when it has none.
func (s sheet) say(c biopsy.Claim, confidence float64) {
	if c.Kind == "" {
		c.Kind = biopsy.Library
	}
	if c.Purl == "" && c.Eco != "" && !c.About {
		c.Purl = eco.Purl(c.Eco, c.Namespace, c.Name, c.Version)
	}
	s.emit(biopsy.Evidence{Claim: c, Place: s.in.Place(), Reader: s.reader, Basis: s.basis, Confidence: confidence})
}

// field trims s and drops what packagers write when they mean nothing.
func field(s string) string {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "unknown", "none", "null", "n/a", "undefined":
		return ""
	}
	return s
}
