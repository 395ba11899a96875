package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/source/image"
)

// tars are the openers behind which a saved image may be: those of tar archives and of what they are packed by.
var tars = map[string]bool{"tar": true, "gzip": true, "zstd": true, "xz": true, "bzip2": true, "lz4": true}

// saved opens a file that is a saved image, of which a newer layer hides what an older one has. nil when it is none, or when it cannot be
// read as one: then it is an archive like others, and a gap says so.
func (l *looking) saved(u *biopsy.Unpacker) *image.Saved {
	if !tars[u.Name] || !image.IsSaved(l.file.Path, l.content) {
		return nil
	}
	s, err := image.OpenSaved(l.content, biopsy.OpenOptions{Spool: l.spool, Limits: l.limits})
	if errors.Is(err, image.ErrNone) {
		return nil
	}
	if err != nil {
		l.full(err)
		l.gap(biopsy.Gap{Place: l.file.Place(), Reader: "image", Reason: "opened as an archive, its layers one beside the other: " + reason(err)})
		return nil
	}
	return s
}

func (l *looking) close(c io.Closer) {
	if err := c.Close(); err != nil {
		l.gap(biopsy.Gap{Place: l.file.Place(), Reason: reason(err)})
	}
}

// maxHeld bounds the blobs that wait until it is known whether they are those of an image layout.
const maxHeld = 100_000

// blobName is the end of the path of a blob in an image layout (OCI image layout 1.1.1).
var blobName = regexp.MustCompile(`(^|/)(blobs/sha256/[0-9a-f]{64})$`)

// layouts finds image layouts among the files of one tree as they come: blobs are kept back until the files behind them tell. It is
// used by one goroutine.
type layouts struct {
	walk *walk
	at   place
	open *sync.WaitGroup

	held   []heldFile
	prefix string // of the layout that may be one: "" or "images/"; meaningless when nothing is kept
	begun  bool
	marked bool                   // it has the file oci-layout
	byName map[string]biopsy.File // its files
}

// heldFile is a blob, and where in the walk it stands.
type heldFile struct {
	file biopsy.File
	at   place
}

// file takes the next file of the tree.
func (s *layouts) file(ctx context.Context, f biopsy.File) {
	if s.begun && !strings.HasPrefix(f.Path, s.prefix) {
		s.end(ctx)
	}
	m := blobName.FindStringSubmatchIndex(f.Path)
	base := path.Base(f.Path)
	switch {
	case f.Transient, f.Shadowed, s.walk.depth == biopsy.Quick:
	case m != nil:
		if s.begin(f.Path[:m[4]]); f.Path[:m[4]] == s.prefix && len(s.held) < maxHeld {
			s.byName[f.Path[m[4]:]] = f
			s.held = append(s.held, heldFile{f, s.at})
			return
		}
	case base == "oci-layout":
		if s.begin(strings.TrimSuffix(f.Path, base)); f.Path == s.prefix+base {
			s.marked = true
		}
	case base == "index.json" && s.begun && f.Path == s.prefix+base:
		s.byName[base] = f
	}
	s.walk.file(ctx, f, s.at, s.open)
}

func (s *layouts) begin(prefix string) {
	if !s.begun {
		s.begun, s.prefix, s.byName = true, prefix, map[string]biopsy.File{}
	}
}

// end looks at what is kept back: as images when the layout is whole, else as the files that they are.
func (s *layouts) end(ctx context.Context) {
	_, indexed := s.byName["index.json"]
	is := s.marked && indexed && len(s.held) > 0 && s.images(ctx)
	for _, h := range s.held {
		h.at.shut = is
		s.walk.file(ctx, h.file, h.at, s.open)
	}
	s.held, s.byName, s.begun, s.marked = nil, nil, false, false
}

// images walks the images of the layout; false when there is none to be read.
func (s *layouts) images(ctx context.Context) bool {
	byName := s.byName
	saved, err := image.OpenFiles(func(name string) (biopsy.Content, error) {
		f, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return f.Open()
	})
	folder := biopsy.File{Path: strings.TrimSuffix(s.prefix, "/"), In: s.held[0].file.In, Layer: s.held[0].file.Layer}
	if errors.Is(err, image.ErrNone) {
		return false
	}
	if err != nil {
		s.walk.gap(biopsy.Gap{Place: folder.Place(), Reader: "image", Reason: "its layers were opened one beside the other: " + reason(err)})
		return false
	}
	l := looking{walk: s.walk, file: folder}
	defer l.close(saved)
	size := int64(0)
	for _, h := range s.held {
		size += max(h.file.Size, 0)
	}
	l.enter(ctx, saved.Unpacker(), s.at, size)
	return true
}
