// Package identify lists the readers of files and finds those that want a given file.
//
// What comes in: a path, the first bytes. What goes out: extractors. It will never open a file; the walk does, once, for all
// readers together.
package identify

import (
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/identify/binary"
	"github.com/biopsy-sca/biopsy/identify/boot"
	"github.com/biopsy-sca/biopsy/identify/distro"
	"github.com/biopsy-sca/biopsy/identify/installed"
	"github.com/biopsy-sca/biopsy/identify/lockfile"
	"github.com/biopsy-sca/biopsy/identify/software"
	"github.com/biopsy-sca/biopsy/kb"
)

// All are the readers, in the order in which they are shown a file.
var All = slices.Concat(distro.All, installed.All, lockfile.All, binary.All, boot.All)

// With are all readers, those too that name files from books of software.
func With(books []*kb.Book) []biopsy.Extractor { return slices.Concat(All, software.Readers(books)) }
