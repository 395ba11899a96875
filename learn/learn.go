// Package learn reads software of known name and version into the book of software.
//
// What comes in: a Debian binary package, or any tree, archive or file that a source can open, with the name and version of what is in
// it. What goes out: traits of its files, in a kb.Builder. It never guesses a name, and never learns what it could not read whole.
package learn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
	"github.com/biopsy-sca/biopsy/source"
	"github.com/biopsy-sca/biopsy/unpack"
)

// Learner learns into one builder, from any number of goroutines.
type Learner struct {
	Spool  biopsy.Spool
	Limits biopsy.Limits
	Gap    func(biopsy.Gap) // told what could not be read; never nil

	mu    sync.Mutex
	book  *kb.Builder
	files int
}

// New returns a learner that fills b.
func New(b *kb.Builder, sp biopsy.Spool, gap func(biopsy.Gap)) *Learner {
	return &Learner{Spool: sp, Limits: biopsy.DefaultLimits, Gap: gap, book: b}
}

// Files tells how many files were learned.
func (l *Learner) Files() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files
}

// maxFile is the largest file that is learned: it is held in memory.
const maxFile = 512 << 20

// Path learns everything below a reference: a folder, an archive, a package, a file.
func (l *Learner) Path(ctx context.Context, e kb.Entry, ref string) error {
	tree, err := source.Open(ctx, ref, biopsy.OpenOptions{Spool: l.Spool, Limits: l.Limits, Offline: true})
	if err != nil {
		return err
	}
	if tree.Inventory != nil {
		return errors.Join(fmt.Errorf("%s: an SBOM has no bytes to learn from", ref), tree.Close())
	}
	w := &walk{Learner: l, entry: e, budget: unpack.NewBudget(l.Limits)}
	return errors.Join(tree.Walk(ctx, func(f biopsy.File) error { return w.file(ctx, f, 0) }, l.Gap), tree.Close())
}

// walk is one reference on its way into the book.
type walk struct {
	*Learner
	entry  kb.Entry
	budget *unpack.Budget
}

// file learns a file, or what is in it.
func (w *walk) file(ctx context.Context, f biopsy.File, depth int) error {
	if err := ctx.Err(); err != nil || f.Shadowed {
		return err
	}
	c, err := f.Open()
	if err != nil {
		w.Gap(biopsy.Gap{Place: f.Place(), Reason: err.Error()})
		return nil
	}
	defer c.Close()
	head := make([]byte, min(c.Size(), 4096))
	if n, err := c.ReadAt(head, 0); n < len(head) {
		w.Gap(biopsy.Gap{Place: f.Place(), Reason: err.Error()})
		return nil
	}
	name := biopsy.Join(f.In, f.Path)
	if wanted(name, head) {
		b := make([]byte, min(c.Size(), maxFile))
		if n, err := c.ReadAt(b, 0); n < len(b) {
			w.Gap(biopsy.Gap{Place: f.Place(), Reason: err.Error()})
			return nil
		}
		return w.bytes(w.entry, name, b)
	}
	u := unpack.For(f, head, c)
	if u == nil || depth >= w.Limits.Depth {
		return nil
	}
	err = u.Unpack(ctx, f, c, w.budget.Guard(biopsy.UnpackOptions{Spool: w.Spool, Gap: w.Gap, Ledger: func([]biopsy.Span) {},
		Yield: func(m biopsy.File) error { m.In = name; return w.file(ctx, m, depth+1) }}, c.Size()))
	if err != nil && ctx.Err() == nil {
		w.Gap(biopsy.Gap{Place: f.Place(), Reader: u.Name, Reason: err.Error()})
		return nil
	}
	return err
}

// wanted tells files that are learned as they are.
func wanted(name string, head []byte) bool {
	switch {
	case bytes.HasPrefix(head, []byte(elf.Magic)), bytes.HasPrefix(head, []byte("!<arch>\n")) && strings.HasSuffix(name, ".a"):
		return true
	case strings.HasSuffix(name, ".jar"):
		return bytes.HasPrefix(head, []byte("PK\x03\x04"))
	}
	return sourceFile(name)
}

// bytes learns one file.
func (l *Learner) bytes(e kb.Entry, name string, b []byte) error {
	u := kb.Unit{Path: name, Size: int64(len(b)), SHA256: sha256.Sum256(b)}
	var learned kb.Learned
	var err error
	switch {
	case strings.HasSuffix(name, ".jar"):
		u.Kind = kb.Jar
		learned, err = jar(b)
	case sourceFile(name):
		u.Kind = kb.Source
		learned = cTraits(b)
	default:
		learned, err = compiled(&u, b)
	}
	if err != nil {
		l.Gap(biopsy.Gap{Place: biopsy.Place{Path: name}, Reason: err.Error()})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files++
	return l.book.Learn(e, u, learned)
}

// compiled reads the traits of an ELF file or static archive.
func compiled(u *kb.Unit, b []byte) (kb.Learned, error) {
	f, err := traits.Read(bytes.NewReader(b), int64(len(b)))
	var out kb.Learned
	if f == nil {
		return out, err
	}
	u.Kind, u.Static = kb.Program, f.Static
	switch {
	case bytes.HasPrefix(b, []byte("!<arch>\n")):
		u.Kind = kb.Archive
	case f.Library:
		u.Kind = kb.Library
	}
	for _, t := range f.Traits {
		x := kb.Traits
		if t.Kind == traits.Table {
			x = kb.Tables
		}
		out.Hashes[x] = append(out.Hashes[x], t.Hash)
	}
	for _, v := range f.Versioned {
		out.Texts = append(out.Texts, v.Text)
	}
	return out, err
}

// jar reads the traits of a Java archive.
func jar(b []byte) (kb.Learned, error) {
	var out kb.Learned
	j, err := traits.ReadJar(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return out, err
	}
	for _, c := range j.Classes {
		out.Hashes[kb.Classes] = append(out.Hashes[kb.Classes], c.Hash)
	}
	out.Hashes[kb.Archives] = []uint64{j.Sum}
	return out, nil
}

func sourceFile(name string) bool {
	switch path.Ext(name) {
	case ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".hh", ".inc":
		return true
	}
	return false
}

// maxSource is the largest source file whose texts are learned.
const maxSource = 16 << 20

// cTraits reads the texts of a C or C++ source file as a compiler would put them into data.
func cTraits(b []byte) kb.Learned {
	var out kb.Learned
	if len(b) > maxSource {
		return out
	}
	for _, text := range traits.Literals(b) {
		f, err := traits.Read(strings.NewReader(text+"\x00"), int64(len(text)+1))
		if err != nil {
			continue // a text that is not long enough
		}
		for _, t := range f.Traits {
			if t.Kind == traits.Text {
				out.Hashes[kb.Traits] = append(out.Hashes[kb.Traits], t.Hash)
			}
		}
		for _, v := range f.Versioned {
			out.Texts = append(out.Texts, v.Text)
		}
	}
	return out
}
