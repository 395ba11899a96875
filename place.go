package biopsy

import (
	"cmp"
	"strconv"
	"strings"
)

// Place is where some bytes were seen. It prints as "update.bin!rootfs.squashfs!usr/sbin/pumpd:12".
type Place struct {
	Path   string `json:"path"`             // "!" is a descent into a container
	Line   int    `json:"line,omitempty"`   // from 1; 0 when lines mean nothing there
	Offset int64  `json:"offset,omitempty"` // byte offset, used when Line is 0; 0 is also "the whole file"
	Layer  string `json:"layer,omitempty"`  // DiffID of the image layer; "" outside images

	Artifact int `json:"artifact,omitempty"` // index in Inventory.Artifacts; 0 is also the only one
}

func (p Place) String() string {
	switch {
	case p.Line > 0:
		return p.Path + ":" + strconv.Itoa(p.Line)
	case p.Offset > 0:
		return p.Path + ":0x" + strconv.FormatInt(p.Offset, 16)
	}
	return p.Path
}

// Compare orders places by artifact, path, line, offset and layer.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Artifact, q.Artifact), cmp.Compare(p.Path, q.Path), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Offset, q.Offset), cmp.Compare(p.Layer, q.Layer))
}

// Join puts a path behind the descents that lead to its tree.
func Join(in, path string) string {
	if in == "" {
		return path
	}
	return in + "!" + path
}

// Split parts a place's path into the descents and the path inside the innermost tree.
func Split(path string) (in, inner string) {
	if i := strings.LastIndexByte(path, '!'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}
