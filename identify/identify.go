// Package identify lists the readers of files and finds those that want a given file.
//
// What comes in: a path, the first bytes. What goes out: extractors. It will never open a file; the walk does, once, for all
// readers together.
package identify

import (
	"github.com/biopsy-sca/biopsy"
)

// All are the readers, in the order in which they are shown a file.
var All = []biopsy.Extractor{}
