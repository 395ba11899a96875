// Package binary reads the headers of programs, libraries and kernel modules.
//
// What comes in: one ELF, PE or Mach-O file. What goes out: evidence that such a file is there, what it says its name and needs
// are, and what package notes and version resources claim. It never looks at code or at strings in data: that is other rooms'
// work; and it never says that a file is safe.
package binary

import "github.com/biopsy-sca/biopsy"

// All are the readers of this room.
var All = []biopsy.Extractor{
	ELF,
	PE,
	MachO,
}

// sheet is what every piece of evidence of one reading has in common.
type sheet struct {
	in     biopsy.Input
	reader string
	emit   func(biopsy.Evidence)
}

func (s sheet) say(c biopsy.Claim, confidence float64) {
	s.emit(biopsy.Evidence{Claim: c, Place: s.in.Place(), Reader: s.reader, Basis: biopsy.Binary, Confidence: confidence})
}
