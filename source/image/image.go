// Package image is the way in for container images.
//
// What comes in: a "docker save" archive (tar, also compressed), an OCI image layout of the OCI image specification 1.1.1
// (2025; a directory or a tar of one), or the name of an image in a registry (OCI distribution specification 1.1.1). What goes
// out: the regular files of all layers, the newest layer first, each layer read once. A file that a newer layer replaces or
// deletes is yielded as Shadowed. It never runs anything and never writes but to the spool.
//
// A hard link is not yielded: its bytes are those of its target in the same layer. Only where the target is shadowed and the
// link is not, the target's bytes come under the link's name.
//
// Digests: manifest and configuration must have the digest they are named by, and so must layers: those of a layout or registry as they
// are stored, those of "docker save" unpacked. A local layer that has not is read all the same, and is a gap.
//
// An image that lies in another tree is opened by Saved. Of one that was handed to us by itself, one image is read. Where there are several, a name behind a second colon chooses ("oci:layout:4.2",
// "docker-archive:all.tar:acme/gateway:4.2"); among the platforms of one image "?platform=linux/arm64" does, and without it
// linux/amd64 or the only one.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

// OCI is the way in for image layouts.
var OCI = biopsy.Opener{Name: "oci", Detect: isLayout, Open: openLayout}

// DockerArchive is the way in for archives of "docker save".
var DockerArchive = biopsy.Opener{Name: "docker-archive", Detect: isArchive, Open: openArchive}

// Registry is the way in for images that are still in a registry.
var Registry = biopsy.Opener{Name: "registry", Open: openRegistry}

func openLayout(_ context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	path, want, err := parseRef(ref)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openTar("oci:"+ref, path, want, o)
	}
	s, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	return tree("oci:"+ref, path, s, want, o)
}

func openArchive(_ context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	path, want, err := parseRef(ref)
	if err != nil {
		return nil, err
	}
	return openTar("docker-archive:"+ref, path, want, o)
}

func openTar(ref, path string, want choice, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	s, err := openBundle(path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tree(ref, path, s, want, o)
}

// tree chooses the image in a store and closes the store when there is none.
func tree(ref, path string, s local, want choice, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	img, err := choose(s, want)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), s.Close())
	}
	if img.name == "" {
		img.name = filepath.Base(path)
	}
	return img.tree(ref, s, o)
}

// local is a store on this machine.
type local interface {
	store
	io.Closer
	// file returns a whole small file of the layout or archive; fs.ErrNotExist says there is none.
	file(name string) ([]byte, error)
	// open returns a file of the layout or archive.
	open(name string) (biopsy.Content, error)
}

// choose finds the wanted image: by the layout's index where there is one, for only that knows manifests, else by the archive's.
func choose(s local, want choice) (*image, error) {
	index, err := s.file("index.json")
	if err == nil {
		return fromIndex(s, index, want)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	manifest, err := s.file("manifest.json")
	if errors.Is(err, os.ErrNotExist) {
		return nil, hint.Add(errors.New("neither index.json nor manifest.json in it"), "an image comes from docker save, skopeo copy or a similar tool")
	}
	if err != nil {
		return nil, err
	}
	return fromDocker(s, manifest, want)
}

// choice is what a reference says about the image behind the path.
type choice struct {
	name     string   // tag, name or digest; "" is the only one
	platform platform // zero: linux/amd64 or the only one
}

// parseRef parts PATH[:NAME][?platform=OS/ARCH[/VARIANT]]. The longest start of it that exists is the path.
func parseRef(ref string) (path string, want choice, err error) {
	path, want, err = cutPlatform(ref)
	for rest := path; err == nil; {
		if _, statErr := os.Stat(rest); statErr == nil {
			want.name = strings.TrimPrefix(path[len(rest):], ":")
			return rest, want, nil
		}
		i := strings.LastIndexByte(rest, ':')
		if i <= 0 {
			break
		}
		rest = rest[:i]
	}
	return path, want, err
}

func cutPlatform(ref string) (rest string, want choice, err error) {
	rest, p, ok := strings.Cut(ref, "?platform=")
	if !ok {
		return ref, want, nil
	}
	e := strings.Split(p, "/")
	if len(e) < 2 || len(e) > 3 || e[0] == "" || e[1] == "" {
		return rest, want, hint.Add(fmt.Errorf("platform %q is not OS/ARCHITECTURE[/VARIANT]", p), "for example ?platform=linux/arm64")
	}
	want.platform = platform{OS: e[0], Architecture: e[1]}
	if len(e) == 3 {
		want.platform.Variant = e[2]
	}
	return rest, want, nil
}
