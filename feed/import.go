package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

// Report is what an import read.
type Report struct {
	Files      []File       // read, in the order of reading
	Skipped    []string     // files that no feed knows, sorted
	Known      []string     // files whose records the book has already, in the order of reading
	Failed     []error      // files of feeds that could not be read to their end
	Advisories int          // records taken, doubles counted
	Exploits   int          // entries of KEV and EPSS taken
	Names      int          // synonyms taken
	Lifecycles int          // products taken whose support is known
	Bad        []biopsy.Gap // records that could not be read or kept, the first maxBad of them; the rest of their file was
	BadCount   int          // all of them

	seen map[string]seenFile // by path
}

// Taken is how many records of all kinds were taken.
func (r *Report) Taken() int { return r.Advisories + r.Exploits + r.Names + r.Lifecycles }

// maxBad bounds the list of bad records: a hostile zip has millions.
const maxBad = 10_000

// File is one file that a feed read.
type File struct {
	Path    string
	Feed    string
	Records int
}

// Import reads files, and folders with all below them, into the builder. A bad record and a file of no feed are in the report and
// no error. A file of a feed that cannot be read to its end does not spoil the others: the error then wraps ErrPartly, unless nothing
// at all was read. Names of skipped files that begin with a dot are not reported.
func Import(ctx context.Context, b *refdb.Builder, paths []string, progress func(biopsy.Progress)) (*Report, error) {
	return newImporter(b, progress).run(ctx, paths)
}

func newImporter(b *refdb.Builder, progress func(biopsy.Progress)) *importer {
	return &importer{builder: b, progress: progress, report: &Report{seen: map[string]seenFile{}}, read: map[string]time.Time{}}
}

func (im *importer) run(ctx context.Context, paths []string) (*Report, error) {
	for _, p := range paths {
		if err := im.collect(p); err != nil {
			return im.report, err
		}
	}
	for i, p := range im.files {
		im.tell(p, int64(i))
		if err := im.file(ctx, p); err != nil {
			return im.report, err
		}
	}
	im.tell("", int64(len(im.files)))
	im.noteReads()
	slices.Sort(im.report.Skipped)
	if failed := errors.Join(im.report.Failed...); failed != nil {
		if len(im.report.Files) == 0 {
			return im.report, failed
		}
		return im.report, fmt.Errorf("%w: %w", ErrPartly, failed)
	}
	return im.report, nil
}

type importer struct {
	builder  *refdb.Builder
	progress func(biopsy.Progress)
	report   *Report
	files    []string

	old   seen                 // what need not be read
	read  map[string]time.Time // by source: when it was as read
	from  sourcesOf            // of the file at hand
	fatal error                // of the builder: nothing more can be kept

	now     time.Time // of an update; zero in an import
	current []string  // folders that hold what their server has now
}

func (im *importer) tell(item string, done int64) {
	if im.progress != nil {
		im.progress(biopsy.Progress{Stage: "import", Item: item, Done: done, Total: int64(len(im.files))})
	}
}

// collect lists the regular files at and below path, in order of name.
func (im *importer) collect(path string) error {
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case (strings.HasPrefix(d.Name(), ".") || d.Name() == seenName) && p != path:
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			if st, err := os.Stat(p); err != nil || !st.Mode().IsRegular() {
				return err
			}
		case !d.Type().IsRegular():
			return nil
		}
		im.files = append(im.files, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", path, err)
	}
	return nil
}

// headSize is how much of a file the feeds are shown.
const headSize = 4 << 10

func (im *importer) file(ctx context.Context, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if was, ok := im.known(path, st); ok {
		im.report.Known = append(im.report.Known, path)
		im.note(path, st, was.Sources)
		return nil
	}
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("import: %w", err)
	}
	slash := filepath.ToSlash(path)
	i := slices.IndexFunc(All, func(feed biopsy.Feed) bool { return feed.Match(slash, head[:n]) })
	if i < 0 {
		im.report.Skipped = append(im.report.Skipped, path)
		return nil
	}
	before := im.report.Taken()
	im.from = sourcesOf{}
	if err := All[i].Parse(ctx, slash, f, st.Size(), im.sink(slash, All[i].Name)); err != nil {
		err = fmt.Errorf("import %s: %w", All[i].Name, err)
		if cause := cmp.Or(im.fatal, ctx.Err()); cause != nil {
			return err
		}
		im.report.Failed = append(im.report.Failed, err)
		return nil
	}
	im.note(path, st, slices.Sorted(maps.Keys(im.from)))
	im.report.Files = append(im.report.Files, File{path, All[i].Name, im.report.Taken() - before})
	return nil
}

// sink hands records to the builder; what the builder refuses is a bad record like any other.
func (im *importer) sink(path, feed string) biopsy.Sink {
	bad := func(g biopsy.Gap) {
		if im.report.BadCount++; im.report.BadCount <= maxBad {
			im.report.Bad = append(im.report.Bad, g)
		}
	}
	keep := func(err error, count *int, source string) error {
		if errors.Is(err, refdb.ErrRecord) {
			bad(biopsy.Gap{Place: biopsy.Place{Path: path}, Reader: feed, Reason: err.Error()})
			return nil
		}
		if err == nil {
			*count++
			if !im.from[source] {
				im.from[strings.Clone(source)] = true
			}
		} else {
			im.fatal = err
		}
		return err
	}
	return biopsy.Sink{
		Advisory: func(a biopsy.Advisory) error { return keep(im.builder.Advisory(a), &im.report.Advisories, a.Source) },
		Exploit: func(cve string, e biopsy.Exploit) error {
			return keep(im.builder.Exploit(cve, e), &im.report.Exploits, feed)
		},
		Synonym:   func(s biopsy.Synonym) error { return keep(im.builder.Synonym(s), &im.report.Names, s.Source) },
		Lifecycle: func(l biopsy.Lifecycle) error { return keep(im.builder.Lifecycle(l), &im.report.Lifecycles, l.Source) },
		Bad:       bad,
	}
}
