// Package scalibr turns a plugin of google/osv-scalibr into an Extractor.
//
// What comes in: one filesystem plugin and one file at a time. What goes out: evidence in our words. The plugin sees a tree that
// holds nothing but that file, and it will never reach the network, the disk or the log. Written for osv-scalibr v0.5.3.
package scalibr

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/simplefileapi"
	"github.com/google/osv-scalibr/log"

	"github.com/biopsy-sca/biopsy"
)

// maxSize bounds the files a plugin is shown: most plugins read them whole, and hold several times their size while parsing.
const maxSize = 256 << 20

// Extractor wraps one plugin. Its files are those that names and the plugin's own FileRequired both want; the plugin is asked
// about a regular executable file of size 0, so size and mode limits of the plugin do not count.
func Extractor(name string, basis biopsy.Basis, names []string, p filesystem.Extractor, state biopsy.State) biopsy.Extractor {
	silence()
	return biopsy.Extractor{
		Name:  name,
		Basis: basis,
		Names: names,
		Wants: func(path string) bool { return p.FileRequired(simplefileapi.New(path, info{path: path})) },
		Extract: func(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
			found, err := run(ctx, p, in)
			for _, c := range found {
				emit(biopsy.Evidence{Claim: claim(c, state), Place: place(in, c), Reader: name, Basis: basis, Confidence: confidence(state)})
			}
			return err
		},
	}
}

// silence keeps the plugins from writing to the standard logger.
var silence = sync.OnceFunc(func() { log.SetLogger(quiet{}) })

// confidence is how far the claims of plugins on one kind of file are believed until truth/ has measured them.
func confidence(state biopsy.State) float64 {
	if state == biopsy.Declared {
		return 0.7
	}
	return 0.95
}

// run calls the plugin and returns what it found, sorted by line, name and version; what it found before an error is kept.
//
// This is the one place where a panic is recovered: the code is foreign, its input is hostile, and a panic of it says that the
// file could not be read, not that we have a bug.
func run(ctx context.Context, p filesystem.Extractor, in biopsy.Input) (found []*extractor.Package, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if in.Size() > maxSize {
		return nil, fmt.Errorf("%s: %d bytes, more than the %d that %s may read", in.Place(), in.Size(), maxSize, p.Name())
	}
	defer func() {
		if r := recover(); r != nil {
			found, err = nil, fmt.Errorf("%s: %s panicked: %v", in.Place(), p.Name(), r)
		}
	}()
	one := tree{path: in.Path, content: in.Content, mode: in.Mode}
	inv, err := p.Extract(ctx, &filesystem.ScanInput{FS: one, Path: in.Path, Info: one.info(), Reader: in.Reader()})
	if err != nil {
		err = fmt.Errorf("%s: %s: %w", in.Place(), p.Name(), err)
	}
	found = slices.DeleteFunc(inv.Packages, func(c *extractor.Package) bool { return c == nil || c.Name == "" })
	slices.SortStableFunc(found, func(a, b *extractor.Package) int {
		return cmp.Or(cmp.Compare(line(a), line(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return found, err
}

func place(in biopsy.Input, c *extractor.Package) biopsy.Place { return in.At(line(c)) }

// line is 0 when the plugin does not know it.
func line(c *extractor.Package) int {
	if d := c.Location.Descriptor; d != nil && d.File != nil && d.File.LineNumber > 0 {
		return d.File.LineNumber
	}
	return 0
}

// quiet drops everything: what matters comes back as errors.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Error(...any)          {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Warn(...any)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Info(...any)           {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Debug(...any)          {}
