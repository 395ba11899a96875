package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/identify"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/unpack"
)

// headSize is how many first bytes decide what a file is. ISO 9660 and tar magics lie within it but for ISO's at 32 KiB, which a
// file system's own unpacker looks for.
const headSize = 4096

// smallFile is read whole with one call and shown to all readers from memory.
const smallFile = 64 << 10

// walk shows every file of one tree to the readers that want it. Idle workers take files over; when none is idle, whoever found the
// file looks at it itself, so nothing queues and nothing can wait in a circle.
type walk struct {
	depth   biopsy.Depth
	readers *identify.Readers
	limits  biopsy.Limits
	budget  *unpack.Budget
	spool   biopsy.Spool
	tell    func(biopsy.Progress)
	single  bool // the artifact is one file

	stop  context.CancelCauseFunc
	hand  chan func()
	files atomic.Int64
	size  atomic.Int64
	image atomic.Bool // something was opened that devices are flashed with

	mu       sync.Mutex
	evidence []biopsy.Evidence
	gaps     gaps
	ledgers  []biopsy.Ledger
	sum      *treeSum // nil when the tree needs no digest
}

// run walks the tree with the given number of workers, the caller's goroutine included.
func (w *walk) run(ctx context.Context, tree *biopsy.Tree, jobs int) error {
	ctx, w.stop = context.WithCancelCause(ctx)
	defer w.stop(nil)
	w.hand = make(chan func())
	var workers, open sync.WaitGroup
	for range jobs - 1 {
		workers.Go(func() {
			for f := range w.hand {
				f()
			}
		})
	}
	seq, top := 0, layouts{walk: w, open: &open}
	err := tree.Walk(ctx, func(f biopsy.File) error {
		if w.count(f); w.limits.Files > 0 && seq >= w.limits.Files {
			w.gap(biopsy.Gap{Place: f.Place(), Reason: fmt.Sprintf("not looked at, with all that follows: more than %d files", w.limits.Files)})
			return errEnough
		}
		top.at.seq = seq
		top.file(ctx, f)
		seq++
		return ctx.Err()
	}, w.gap)
	top.end(ctx)
	open.Wait()
	close(w.hand)
	workers.Wait()
	if errors.Is(err, errEnough) {
		err = nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// errEnough ends a walk at the limit of files; the gap has said so.
var errEnough = errors.New("enough files")

// place is where in the walk a file stands: its number among the artifact's own files, and how many descents led to it.
type place struct {
	seq, descents int
	shut          bool // a blob of an image layout, which is opened with the image and not by itself
}

func (w *walk) count(f biopsy.File) {
	if f.Shadowed {
		return
	}
	n := w.files.Add(1)
	if w.tell != nil && n%512 == 0 {
		w.tell(biopsy.Progress{Stage: "scan", Item: f.Path, Done: n})
	}
}

func (w *walk) gap(g biopsy.Gap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gaps.add(g)
}

// full ends the walk when the disk for temporary files is full: that is no fault of the input, and a scan with more room would see more.
func (w *walk) full(err error) {
	if errors.Is(err, syscall.ENOSPC) {
		w.stop(hint.Add(fmt.Errorf("temporary files: %w", err), "TMPDIR names the folder for them"))
	}
}

// file opens a file if anyone wants it, and has it looked at by a worker or here.
func (w *walk) file(ctx context.Context, f biopsy.File, at place, open *sync.WaitGroup) {
	readers := w.readers.ByName(f.Path, nil)
	if !w.wanted(f, readers) {
		w.skip(at)
		return
	}
	if !f.Transient {
		w.give(open, func() {
			c, err := f.Open()
			w.look(ctx, f, c, err, readers, at)
		})
		return
	}
	c, err := f.Open()
	w.give(open, func() { w.look(ctx, f, c, err, readers, at) })
}

// give hands work to an idle worker, or does it.
func (w *walk) give(open *sync.WaitGroup, work func()) {
	open.Add(1)
	done := func() { defer open.Done(); work() }
	select {
	case w.hand <- done:
	default:
		done()
	}
}

// wanted tells whether a file is worth opening at this depth.
func (w *walk) wanted(f biopsy.File, readers []*biopsy.Extractor) bool {
	if f.Shadowed {
		for _, x := range readers {
			if x.History {
				return true
			}
		}
		return false
	}
	switch {
	case len(readers) > 0, w.depth == biopsy.Deep, w.depth == biopsy.Standard && f.In == "":
		return true
	case w.depth == biopsy.Standard:
		return mayBeProgram(f) || mayBeContainer(f.Path) || onlyOne(f)
	}
	return mayBeProgram(f) || packageArchive(f.Path) || w.single && (f.In == "" || mayBeContainer(f.Path))
}

// onlyOne tells a file that was packed alone, and whose name and mode say nothing: "pumpd" of pumpd.gz, "rootfs" of rootfs.xz. Pages of
// manuals and change logs, which are packed so by the thousand, are known by their folder.
func onlyOne(f biopsy.File) bool {
	return f.Transient && f.Size < 0 && !strings.Contains("/"+f.In, "/usr/share/")
}

// skip keeps the tree's digest in step when a file was not read.
func (w *walk) skip(at place) {
	if w.sum != nil && at.descents == 0 {
		w.sum.add(at.seq, "", "")
	}
}

// look reads an opened file: head, readers, container, digest. It closes c.
func (w *walk) look(ctx context.Context, f biopsy.File, c biopsy.Content, err error, readers []*biopsy.Extractor, at place) {
	if err != nil {
		w.full(err)
		w.skip(at)
		w.gap(biopsy.Gap{Place: f.Place(), Reason: reason(err), Size: max(f.Size, 0)})
		return
	}
	defer c.Close()
	if at.descents == 0 && !f.Shadowed {
		w.size.Add(c.Size())
	}
	c, head, free := front(ctx, c, len(readers) == 0 && w.depth == biopsy.Quick)
	defer free()

	l := looking{walk: w, file: f, content: c}
	if !f.Shadowed && len(head) >= 4 {
		readers = l.addByHead(readers, head)
	}
	for _, x := range readers {
		if !f.Shadowed || x.History {
			l.read(ctx, x, head)
		}
	}
	if !f.Shadowed && !at.shut && (w.depth != biopsy.Quick || packageArchive(f.Path) || w.single) {
		if l.descend(ctx, head, at) {
			l.evidence = slices.DeleteFunc(l.evidence, loose)
		}
	}
	digest := ""
	if w.depth != biopsy.Quick && !f.Shadowed {
		digest = l.digest(ctx)
	}
	w.keep(l.evidence, digest)
	if w.sum != nil && at.descents == 0 {
		w.sum.add(at.seq, f.Path, digest)
	}
}

func (w *walk) keep(evidence []biopsy.Evidence, digest string) {
	if len(evidence) == 0 {
		return
	}
	for i := range evidence {
		evidence[i].Digest = digest
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.evidence = append(w.evidence, evidence...)
}

// looking is one file under the eyes of its readers.
type looking struct {
	*walk
	file     biopsy.File
	content  biopsy.Content
	evidence []biopsy.Evidence
}

// addByHead adds the readers of programs whose first bytes fit.
func (l *looking) addByHead(readers []*biopsy.Extractor, head []byte) []*biopsy.Extractor {
	for _, x := range l.readers.ByHead() {
		if x.Head(head) {
			readers = append(readers, x)
		}
	}
	return readers
}

// read lets one reader speak. What it said before an error is kept, and the error is a gap.
func (l *looking) read(ctx context.Context, x *biopsy.Extractor, head []byte) {
	if len(x.Names) > 0 && x.Head != nil && !x.Head(head) {
		return
	}
	in := biopsy.Input{File: l.file, Content: l.content, Spool: l.spool, Gap: func(g biopsy.Gap) {
		g.Reader = x.Name
		if g.Place.Path == "" {
			g.Place = l.file.Place()
		}
		l.gap(g)
	}}
	emit := func(e biopsy.Evidence) {
		e.Reader, e.Shadowed = x.Name, l.file.Shadowed
		if e.Basis == "" {
			e.Basis = x.Basis
		}
		if e.Place.Path == "" {
			e.Place = l.file.Place()
		}
		e.Place.Layer = l.file.Layer
		l.evidence = append(l.evidence, e)
	}
	err := survive(func() error { return x.Extract(ctx, in, emit) })
	if l.full(err); err != nil && ctx.Err() == nil {
		l.gap(biopsy.Gap{Place: l.file.Place(), Reader: x.Name, Reason: reason(err)})
	}
}

// loose tells a library that was named by bytes somewhere in an image whose parts are shown one by one: the part says it by itself, or the
// package that brought the part does.
func loose(e biopsy.Evidence) bool {
	return e.Basis == biopsy.Binary && e.Claim.Kind == biopsy.Library && e.Place.Offset > 0
}

// descend opens a container and walks its members; false when there are none.
func (l *looking) descend(ctx context.Context, head []byte, at place) bool {
	find := unpack.For
	if l.single && at.descents == 0 {
		find = unpack.ForArtifact
	}
	u := find(l.file, head, l.content)
	if u == nil {
		return false
	}
	if saved := l.saved(u); saved != nil {
		defer l.close(saved)
		u = saved.Unpacker()
	}
	return l.enter(ctx, u, at, l.content.Size())
}

// enter walks the members of a container of that many bytes; it returns when all have been looked at, and false when there are none.
func (l *looking) enter(ctx context.Context, u *biopsy.Unpacker, at place, packed int64) (some bool) {
	here := l.file.In
	if l.file.Path != "" {
		here = biopsy.Join(l.file.In, l.file.Path)
	}
	if at.descents >= l.limits.Depth {
		l.gap(biopsy.Gap{Place: l.file.Place(), Reader: u.Name, Reason: fmt.Sprintf("not opened: more than %d containers inside each other", l.limits.Depth), Size: packed})
		return false
	}
	var open sync.WaitGroup
	members := layouts{walk: l.walk, at: place{seq: at.seq, descents: at.descents + 1}, open: &open}
	options := l.budget.Guard(biopsy.UnpackOptions{
		Spool: l.spool,
		Yield: func(m biopsy.File) error {
			if m.In == "" {
				m.In = here
			} else {
				m.In = biopsy.Join(here, m.In)
			}
			m.Layer = cmp.Or(m.Layer, l.file.Layer)
			some = true
			members.file(ctx, m)
			return ctx.Err()
		},
		Gap: func(g biopsy.Gap) {
			g.Reader, g.Place.Layer = u.Name, cmp.Or(g.Place.Layer, l.file.Layer)
			if g.Place.Path == "" {
				g.Place.Path = here
			} else {
				g.Place.Path = biopsy.Join(here, g.Place.Path)
			}
			l.gap(g)
		},
		Ledger: func(spans []biopsy.Span) {
			archive := unpack.Archive(u)
			if archive && !(l.single && at.descents == 0) && understood(spans) {
				return // of a device's thousand packed pages, each is what it is
			}
			if !archive {
				l.image.Store(true)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.ledgers = append(l.ledgers, biopsy.Ledger{Place: l.file.Place(), Spans: spans})
		},
	}, packed)
	err := survive(func() error { return u.Unpack(ctx, l.file, l.content, options) })
	members.end(ctx)
	open.Wait()
	if l.full(err); err != nil && ctx.Err() == nil {
		l.gap(biopsy.Gap{Place: l.file.Place(), Reader: u.Name, Reason: reason(err)})
	}
	return some
}

// understood tells whether every byte of a container is one that we read, or padding.
func understood(spans []biopsy.Span) bool {
	for _, s := range spans {
		if s.Status != biopsy.BytesParsed && s.Status != biopsy.BytesPadding {
			return false
		}
	}
	return true
}

// digest hashes the content; an unreadable file is a gap and has none.
func (l *looking) digest(ctx context.Context) string {
	sum, err := digest(ctx, l.content)
	if err != nil {
		l.gap(biopsy.Gap{Place: l.file.Place(), Reason: reason(err), Size: l.content.Size()})
	}
	return sum
}

// programEndings are those of files that run or are linked; what has no ending counts by its mode.
var programEndings = map[string]bool{".so": true, ".dll": true, ".exe": true, ".ko": true, ".elf": true, ".o": true, ".a": true, ".dylib": true, ".node": true, ".sys": true, ".efi": true, ".pyd": true, ".axf": true, ".out": true}

func mayBeProgram(f biopsy.File) bool {
	if f.Mode&0o111 != 0 {
		return true
	}
	return programEndings[path.Ext(f.Path)] || strings.Contains(f.Path, ".so.")
}

// containerEndings are those of files that hold other files.
var containerEndings = map[string]bool{".tar": true, ".tgz": true, ".gz": true, ".bz2": true, ".xz": true, ".zst": true, ".lzma": true, ".tbz2": true, ".txz": true, ".zip": true, ".deb": true, ".ipk": true, ".rpm": true, ".apk": true, ".cpio": true, ".ar": true, ".lz": true, ".lzo": true, ".Z": true, ".msi": true, ".iso": true, ".udf": true, ".img": true, ".bin": true, ".squashfs": true}

func mayBeContainer(p string) bool {
	return containerEndings[path.Ext(p)] || packageArchive(p) || unpack.Named(p)
}

// packageEndings are those of archives that are themselves a package of some language.
var packageEndings = map[string]bool{".jar": true, ".war": true, ".ear": true, ".aar": true, ".par": true, ".sar": true, ".kar": true, ".jpi": true, ".hpi": true, ".whl": true, ".egg": true, ".nupkg": true}

func packageArchive(p string) bool { return packageEndings[path.Ext(p)] }

// reason is an error without the operating system's path prefix: the gap names the place already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
