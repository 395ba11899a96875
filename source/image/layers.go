package image

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// image is the chosen image: what its manifest and its configuration say.
type image struct {
	name   string
	digest string
	layers []layer // oldest first
}

// layer is one layer, not yet opened.
type layer struct {
	biopsy.Layer
	blob      string // digest or name of what is stored
	unchecked bool   // nobody has held its bytes against blob, a digest
	unpacked  bool   // nobody has held its unpacked bytes against DiffID
	encrypted bool
	open      func() (biopsy.Content, error)
}

func (img *image) tree(ref string, s io.Closer, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	exclude, err := treepath.ParseGlobs(o.Exclude)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("exclude: %w", err), s.Close())
	}
	art := biopsy.Artifact{Ref: ref, Name: img.name, Kind: "container-image", Digest: img.digest}
	for _, l := range img.layers {
		art.Layers = append(art.Layers, l.Layer)
	}
	w := &walker{image: img, options: o, exclude: exclude}
	return &biopsy.Tree{Artifact: art, Walk: w.walk, Close: func() error { return errors.Join(w.closeOpen(), s.Close()) }}, nil
}

// walker goes through the layers of an image.
type walker struct {
	image   *image
	options biopsy.OpenOptions
	exclude treepath.Globs
	opened  []io.Closer // layers whose files may be opened until the tree is closed
}

func (w *walker) closeOpen() error {
	var errs []error
	for _, c := range w.opened {
		errs = append(errs, c.Close())
	}
	w.opened = nil
	return errors.Join(errs...)
}

func (w *walker) walk(ctx context.Context, yield func(biopsy.File) error, gap func(biopsy.Gap)) error {
	shadows := newShadows()
	entries := 0
	for i := len(w.image.layers) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := reading{layer: w.image.layers[i], options: w.options, exclude: w.exclude, shadows: shadows, entries: &entries, yield: yield, gap: gap}
		if err := w.layer(&r); err != nil {
			return err
		}
		shadows.next()
	}
	return nil
}

// layer reads one layer. What is wrong with it is a gap; an error is one of yield.
func (w *walker) layer(r *reading) error {
	if r.layer.encrypted {
		r.lost("the layer is encrypted", 0)
		return nil
	}
	c, err := r.layer.open()
	if err != nil {
		r.lost("layer not opened: "+err.Error(), 0)
		return nil
	}
	if r.layer.unchecked {
		if err := checkStream(io.NewSectionReader(c, 0, c.Size()), r.layer.blob); err != nil {
			r.lost("the layer is not what the manifest names, and was read all the same: "+err.Error(), 0)
		}
	}
	format := codec.Detect(head(c))
	if r.layer.unpacked {
		if err := checkUnpacked(c, format, r.layer.DiffID, r.options.Limits); err != nil {
			r.lost("the layer is not what the configuration names, and was read all the same: "+err.Error(), 0)
		}
	}
	if format == "" {
		w.opened = append(w.opened, c)
	} else {
		defer c.Close() // what a stream yields lives in the spool
	}
	if err := r.read(c, format); err != nil {
		r.lost("layer not read to its end: "+err.Error(), 0)
	}
	return r.stop
}

// checkUnpacked holds the unpacked bytes of a layer against a digest.
func checkUnpacked(c biopsy.Content, format codec.Format, digest string, l biopsy.Limits) error {
	packed := io.NewSectionReader(c, 0, c.Size())
	if format == "" {
		return checkStream(packed, digest)
	}
	r, err := codec.NewReader(format, packed)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", format, err)
	}
	defer r.Close()
	return checkStream(codec.Bound(r, c.Size(), l), digest)
}

// reading is one layer being read.
type reading struct {
	layer   layer
	options biopsy.OpenOptions
	exclude treepath.Globs
	shadows *shadows
	entries *int // of all layers
	yield   func(biopsy.File) error
	gap     func(biopsy.Gap)

	hidden map[string]bool     // shadowed files of this layer
	links  map[string]string   // visible hard link -> target, both clean
	rescue map[string][]string // shadowed target -> visible links to it, in the second reading
	stop   error               // what yield returned
}

// lost reports that the layer as a whole, or the rest of it, stays unseen.
func (r *reading) lost(reason string, size int64) {
	r.gap(biopsy.Gap{Place: biopsy.Place{Path: r.layer.blob, Layer: r.layer.DiffID}, Reason: reason, Size: size})
}

// errStop ends the scan of a layer; the reason is in reading.stop.
var errStop = errors.New("stopped")

// read goes through the layer's archive, and a second time when a shadowed file lives on under the name of a link.
func (r *reading) read(c biopsy.Content, format codec.Format) error {
	r.hidden, r.links = map[string]bool{}, map[string]string{}
	if err := scanLayer(c, format, r.options.Limits, r.entry); err != nil {
		return r.unlessStopped(err)
	}
	if r.findRescues(); len(r.rescue) == 0 {
		return nil
	}
	return r.unlessStopped(scanLayer(c, format, r.options.Limits, r.rescued))
}

func (r *reading) unlessStopped(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func scanLayer(c biopsy.Content, format codec.Format, l biopsy.Limits, each func(tarscan.Entry) error) error {
	if format == "" {
		return tarscan.Archive(c, c.Size(), each)
	}
	plain, err := codec.NewReader(format, io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		return fmt.Errorf("unpack %s: %w", format, err)
	}
	defer plain.Close()
	return tarscan.Stream(codec.Bound(plain, c.Size(), l), each)
}

func (r *reading) entry(e tarscan.Entry) error {
	if *r.entries++; r.options.Limits.Files > 0 && *r.entries > r.options.Limits.Files {
		return fmt.Errorf("the image has more than %d entries: the limit is reached", r.options.Limits.Files)
	}
	path, err := treepath.Clean(e.Name)
	if err != nil {
		if e.Kind == tarscan.File {
			r.gap(biopsy.Gap{Place: biopsy.Place{Path: r.layer.blob, Layer: r.layer.DiffID}, Reason: err.Error(), Size: e.Size})
		}
		return nil
	}
	if r.shadows.whiteout(path) {
		return nil
	}
	hidden := r.shadows.hide(path)
	r.shadows.add(path, e.Kind == tarscan.Dir)
	switch {
	case e.Kind == tarscan.File:
		if hidden {
			r.hidden[path] = true
		}
		return r.file(path, e, hidden)
	case e.Kind == tarscan.Link && !hidden:
		target, err := treepath.Clean(e.Link)
		if err != nil {
			r.gap(biopsy.Gap{Place: biopsy.Place{Path: path, Layer: r.layer.DiffID}, Reason: "hard link: target's " + err.Error()})
			return nil
		}
		r.links[path] = target
	}
	return nil
}

func (r *reading) file(path string, e tarscan.Entry, shadowed bool) error {
	if r.exclude.Fit(path) {
		return nil
	}
	f := biopsy.File{Path: path, Size: e.Size, Mode: e.Mode, Layer: r.layer.DiffID, Shadowed: shadowed}
	if e.Bytes != nil {
		f.Open = func() (biopsy.Content, error) { return section{io.NewSectionReader(e.Bytes, 0, e.Size), nil}, nil }
	} else {
		f.Transient = true
		f.Open = func() (biopsy.Content, error) { return r.options.Spool.Keep(e.Stream, r.options.Limits.FileSize) }
	}
	if r.stop = r.yield(f); r.stop != nil {
		return errStop
	}
	return nil
}

// rescued yields the files of the second reading.
func (r *reading) rescued(e tarscan.Entry) error {
	path, err := treepath.Clean(e.Name)
	if err != nil || e.Kind != tarscan.File {
		return nil // the first reading has told
	}
	if links := r.rescue[path]; len(links) > 0 {
		delete(r.rescue, path) // of two files of one name the links mean the first
		return r.file(links[0], e, false)
	}
	return nil
}

// findRescues matches links with their targets: a target that only lives on under its links must be read under one of them. A
// target that is not in the layer at all is a gap.
func (r *reading) findRescues() {
	paths := make([]string, 0, len(r.links))
	for p := range r.links {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	r.rescue = map[string][]string{}
	here := map[uint64]bool{}
	if len(paths) > 0 {
		for _, m := range r.shadows.now {
			here[m.path] = true
		}
	}
	for _, p := range paths {
		target := r.links[p]
		switch {
		case r.hidden[target]:
			r.rescue[target] = append(r.rescue[target], p)
		case !here[maphash.String(r.shadows.seed, target)]:
			r.gap(biopsy.Gap{Place: biopsy.Place{Path: p, Layer: r.layer.DiffID}, Reason: "hard link to " + target + ", which is not in its layer"})
		}
	}
}
