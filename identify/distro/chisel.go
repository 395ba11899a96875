package distro

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// Chisel reads the manifest of images cut from Ubuntu packages (chisel manifest schema 1.0: JSON values, one a line, in zstd). What is there
// are slices of packages; the claim is the package.
var Chisel = biopsy.Extractor{
	Name:    "chisel",
	Basis:   biopsy.Manifest,
	Names:   []string{"chisel/manifest.wall"},
	History: true,
	Extract: chiselManifest,
}

// maxWall bounds a manifest, unpacked. A whole Ubuntu server lists 40 MB of files.
const maxWall = 256 << 20

// wallEntry is one line of a manifest: a package, a slice or a path.
type wallEntry struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Digest  string   `json:"sha256"`
	Arch    string   `json:"arch"`
	Path    string   `json:"path"`
	Slices  []string `json:"slices"` // "PACKAGE_SLICE"
}

// chiselPackage is one package with what the manifest says of it in several lines.
type chiselPackage struct {
	entry  wallEntry
	line   int
	files  owned
	slices []string
}

func chiselManifest(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	plain, err := unpacked(in)
	if err != nil {
		return err
	}
	defer plain.Close()
	root := rootOf(in.Path, "var/lib/chisel/")
	packages, err := readWall(ctx, codec.Bound(plain, in.Size(), biopsy.Limits{TotalSize: maxWall}), root)
	for _, p := range packages {
		c := biopsy.Claim{Eco: "deb", Name: p.entry.Name, Version: p.entry.Version, Arch: p.entry.Arch, State: biopsy.Installed, Owns: p.files.paths}
		if p.entry.Digest != "" {
			c.Hashes = []biopsy.Hash{{Alg: "SHA-256", Value: p.entry.Digest}}
		}
		setExtra(&c, "chisel:slices", strings.Join(p.slices, ","))
		setRoot(&c, root)
		emit(evidence(in, "chisel", p.line, c))
	}
	return err
}

// unpacked returns the manifest's plain bytes.
func unpacked(in biopsy.Input) (io.ReadCloser, error) {
	head := make([]byte, min(in.Size(), 18))
	if _, err := in.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if f := codec.Detect(head); f != "" {
		return codec.NewReader(f, in.Reader())
	}
	return io.NopCloser(in.Reader()), nil
}

// readWall reads all lines. Files come before or after their packages; those of unknown packages are passed over. What was read
// before an error is returned with it.
func readWall(ctx context.Context, r io.Reader, root string) (packages []*chiselPackage, err error) {
	byName := map[string]*chiselPackage{}
	of := func(name string) *chiselPackage {
		if byName[name] == nil {
			byName[name] = &chiselPackage{files: owned{root: root}}
		}
		return byName[name]
	}
	l := lines{r: bufio.NewReaderSize(r, 32<<10)}
	for err == nil && ctx.Err() == nil && len(byName) <= maxPackages {
		var b []byte
		if b, err = l.next(); err != nil {
			break
		}
		var e wallEntry
		if err = json.Unmarshal(b, &e); err != nil {
			err = fmt.Errorf("line %d: %w", l.n, err)
			break
		}
		switch e.Kind {
		case "package":
			p := of(e.Name)
			p.entry, p.line = e, l.n
		case "slice":
			name, slice, _ := strings.Cut(e.Name, "_")
			p := of(name)
			p.slices = append(p.slices, slice)
		case "path":
			for _, s := range e.Slices {
				name, _, _ := strings.Cut(s, "_")
				if !strings.HasSuffix(e.Path, "/") {
					of(name).files.add([]byte(e.Path))
				}
			}
		}
	}
	for _, p := range byName {
		if p.entry.Name != "" {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, func(a, b *chiselPackage) int { return a.line - b.line })
	switch {
	case len(byName) > maxPackages:
		return packages, errMany
	case errors.Is(err, io.EOF):
		return packages, ctx.Err()
	}
	return packages, err
}
