package biopsy

import (
	"context"
	"io"
	"io/fs"
)

// Artifact is one thing handed to us: a device tree, an image, an archive, an SBOM.
type Artifact struct {
	Ref    string `json:"ref"`              // as the user named it: "dir:rootfs", "docker-archive:pump.tar"
	Name   string `json:"name"`             // last element of the reference, or the name inside the artifact
	Kind   string `json:"kind"`             // "directory", "file", "container-image", "git-repository", "sbom"
	Digest string `json:"digest,omitempty"` // "sha256:..." of a file or image manifest, "tree-sha256:..." of a directory at depth standard, "gitoid:..."; "" when not every byte was read
	Size   int64  `json:"size,omitempty"`   // bytes of the regular files seen; 0 when nothing was read
	Files  int    `json:"files,omitempty"`  // regular files seen, archives' members not counted

	Layers []Layer `json:"layers,omitempty"` // oldest first; empty when the artifact has none
}

// Layer is one layer of a container image.
type Layer struct {
	DiffID    string `json:"diffId"`              // digest of the uncompressed layer tar, "sha256:..."
	CreatedBy string `json:"createdBy,omitempty"` // the image history's command; "" when the history does not say
}

// Tree is an opened artifact: what a source hands to the walk.
type Tree struct {
	Artifact Artifact

	// Walk yields every file in an order that depends on the artifact alone. What cannot be read is reported to gap, and the
	// walk goes on. It returns an error only when it cannot go on at all, or what yield returned.
	Walk func(ctx context.Context, yield func(File) error, gap func(Gap)) error

	// Inventory is what an SBOM says by itself; nil for everything that has bytes to look into.
	Inventory *Inventory

	// Subject is what an SBOM says it describes; nil for everything that has bytes to look into.
	Subject *Subject

	Close func() error // never nil
}

// File is one regular file inside an artifact. Links, devices and pipes are never yielded.
type File struct {
	Path     string      // slash path inside its tree, no leading slash, cleaned: "usr/sbin/pumpd"
	In       string      // the descents that lead to its tree: "update.bin!rootfs.squashfs"; "" in the artifact itself
	Size     int64       // bytes; -1 when it is only known after reading
	Mode     fs.FileMode // permission and type bits as the container states them
	Layer    string      // DiffID of the layer that brought the file; "" outside images
	Shadowed bool        // true when a newer layer replaces or deletes the file: it is history, not content

	// Transient is true when Open works only until the yield that delivered the file returns (a stream cannot seek back).
	Transient bool
	Open      func() (Content, error)
}

// Place returns where the file is, without line or offset.
func (f File) Place() Place { return Place{Path: Join(f.In, f.Path), Layer: f.Layer} }

// Content is the opened bytes of a file. Reads at any offset may run at the same time.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Sparse is implemented by a Content that knows its holes: bytes that read as zeros and that nobody stored.
type Sparse interface {
	// Data returns the offset of the first byte at or behind off that may be stored; the content's size when there is none.
	Data(off int64) int64
}

// LocalPath is implemented by a Content that is also a file of the operating system, for libraries that insist on a path.
type LocalPath interface {
	LocalPath() string
}
