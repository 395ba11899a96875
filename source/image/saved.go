package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// maxImages bounds the images of one store that lies in another tree.
const maxImages = 1000

// Saved is an image, or several, that lie in another tree: a saved archive, or a layout among other files. All of them are read, for
// nobody chooses there.
type Saved struct {
	store  local
	images []*image
	missed []error // of images that could not be read
	trees  []*biopsy.Tree
}

// ErrNone says that what looked like a store of images holds none: an archive with a manifest.json of its own.
var ErrNone = errors.New("no image in it")

// IsSaved tells whether a tar archive, also a compressed one, is a saved image. name is the file's.
func IsSaved(name string, c biopsy.Content) bool {
	format := codec.Detect(head(c))
	if format == "" {
		return looksLikeImage(func(each func(tarscan.Entry) error) error { return tarscan.Archive(c, c.Size(), each) })
	}
	if !strings.Contains(path.Base(name), ".t") { // .tar.gz, .tgz; not a page of a manual, packed alone
		return false
	}
	r, err := codec.NewReader(format, io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		return false
	}
	defer r.Close()
	return looksLikeImage(func(each func(tarscan.Entry) error) error { return tarscan.Stream(io.LimitReader(r, maxDetect), each) })
}

// OpenSaved opens a saved archive. The content stays its owner's, and must stay open until Saved is closed.
func OpenSaved(c biopsy.Content, o biopsy.OpenOptions) (*Saved, error) {
	s, err := bundleOf(section{io.NewSectionReader(c, 0, c.Size()), nil}, o)
	if err != nil {
		return nil, err
	}
	return openStore(s)
}

// OpenFiles opens a layout whose files somebody else finds by their names; open returns fs.ErrNotExist for those that are not there.
func OpenFiles(open func(name string) (biopsy.Content, error)) (*Saved, error) {
	return openStore(files{named(open)})
}

// named makes a store's opener out of a function.
type named func(name string) (biopsy.Content, error)

func (n named) open(name string) (biopsy.Content, error) { return n(name) }
func (n named) Close() error                             { return nil }

func openStore(s local) (*Saved, error) {
	out := &Saved{store: s}
	err := out.all()
	switch {
	case err != nil || len(out.images) > 0:
	case len(out.missed) == 0:
		err = ErrNone
	default:
		err = out.missed[0]
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return out, nil
}

// all finds every image of the store, of every platform; attestations are none.
func (s *Saved) all() error {
	index, err := s.store.file("index.json")
	if err == nil {
		return s.index(index)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	b, err := s.store.file("manifest.json")
	if errors.Is(err, os.ErrNotExist) {
		return ErrNone
	}
	if err != nil {
		return err
	}
	var docker []dockerImage
	if json.Unmarshal(b, &docker) != nil {
		return ErrNone
	}
	for _, d := range docker {
		if d.Config == "" {
			continue
		}
		if len(s.images) == maxImages {
			return s.tooMany()
		}
		img, err := dockerLayers(s.store, d)
		s.add(img, err)
	}
	return nil
}

func (s *Saved) index(b []byte) error {
	var m manifest
	if json.Unmarshal(b, &m) != nil {
		return ErrNone
	}
	seen := map[string]bool{}
	for _, d := range m.Manifests {
		if err := s.descend(d, d.Annotations["io.containerd.image.name"], seen, 0); err != nil {
			return err
		}
	}
	return nil
}

// descend takes the images below a manifest or an index, each once. Indexes lead down no more than four times.
func (s *Saved) descend(d descriptor, name string, seen map[string]bool, depth int) error {
	switch {
	case d.Annotations["vnd.docker.reference.type"] != "", d.Platform != nil && d.Platform.OS == "unknown", seen[d.Digest]:
		return nil
	case len(s.images) == maxImages || len(seen) > 4*maxImages:
		return s.tooMany()
	case depth == 4:
		s.add(nil, errors.New("indexes lead to indexes without end"))
		return nil
	}
	seen[d.Digest] = true
	b, err := s.store.manifest(d)
	if err != nil {
		s.add(nil, fmt.Errorf("manifest %s: %w", d.Digest, err))
		return nil
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		s.add(nil, fmt.Errorf("manifest %s: %w", d.Digest, err))
		return nil
	}
	for _, below := range m.Manifests {
		if err := s.descend(below, name, seen, depth+1); err != nil {
			return err
		}
	}
	if len(m.Manifests) > 0 {
		return nil
	}
	img, err := fromManifest(s.store, d.Digest, m)
	if img != nil {
		img.name = name
	}
	s.add(img, err)
	return nil
}

func (s *Saved) add(img *image, err error) {
	if err != nil {
		s.missed = append(s.missed, err)
		return
	}
	s.images = append(s.images, img)
}

func (s *Saved) tooMany() error { return fmt.Errorf("more than %d images", maxImages) }

// Unpacker yields the files of all images by layers: the newest first, and what a newer layer hides as Shadowed. Of several images each
// is a descent of its own, In, by its name where that is the only one of that name, else by its digest.
func (s *Saved) Unpacker() *biopsy.Unpacker {
	return &biopsy.Unpacker{Name: "image", Unpack: s.unpack}
}

func (s *Saved) unpack(ctx context.Context, _ biopsy.File, _ biopsy.Content, u biopsy.UnpackOptions) error {
	for _, err := range s.missed {
		u.Gap(biopsy.Gap{Reason: "image not read: " + err.Error()})
	}
	taken := map[string]bool{"": true}
	for _, img := range s.images {
		in := ""
		if len(s.images) > 1 {
			if in = treepath.Escape(img.name); taken[in] {
				in = treepath.Escape(img.digest)
			}
			taken[in] = true
		}
		tree, err := img.tree("", nothingToClose{}, biopsy.OpenOptions{Spool: u.Spool, Limits: u.Limits})
		if err != nil {
			return err
		}
		s.trees = append(s.trees, tree)
		err = tree.Walk(ctx, func(f biopsy.File) error {
			f.In = in
			return u.Yield(f)
		}, func(g biopsy.Gap) {
			if in != "" {
				g.Place.Path = biopsy.Join(in, g.Place.Path)
			}
			u.Gap(g)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nothingToClose stands for a store that lives as long as Saved.
type nothingToClose struct{}

func (nothingToClose) Close() error { return nil }

// Close ends all reading of what was yielded.
func (s *Saved) Close() error {
	var errs []error
	for _, t := range s.trees {
		errs = append(errs, t.Close())
	}
	return errors.Join(append(errs, s.store.Close())...)
}
