package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// seenName is the file in a folder of feeds that says what the last update read there.
const seenName = "imported.json"

// maxSeen bounds that file; ten thousand files of feeds take 2 MB.
const maxSeen = 64 << 20

// seen is what of the files is in a book already, so that only those are read that have changed.
type seen struct {
	Book  string              `json:"book"` // digest of the book that the files went into
	Files map[string]seenFile `json:"files"`
}

type seenFile struct {
	Size    int64     `json:"size"`
	Time    time.Time `json:"time"` // of last change
	Sources []string  `json:"sources"`
}

// readSeen returns what of dir is in the book of that digest; nothing when the book is another one, or nobody wrote it down.
func readSeen(dir, book string) (seen, error) {
	none := seen{Files: map[string]seenFile{}}
	if book == "" {
		return none, nil
	}
	path := filepath.Join(dir, seenName)
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	if st.Size() > maxSeen {
		return none, fmt.Errorf("%s: %d bytes, more than it may have", path, st.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return none, err
	}
	var s seen
	if err := json.Unmarshal(text, &s); err != nil || s.Book != book || s.Files == nil { // a broken one costs only time
		return none, nil
	}
	return s, nil
}

// Remember writes down in the folder of feeds that what the report read and skipped as known is in the book of that digest.
func (r *Report) Remember(dir, book string) error {
	text, err := json.MarshalIndent(seen{Book: book, Files: r.seen}, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, seenName)
	if err := os.WriteFile(path+".part", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// noteReads tells the builder when each source was as it was read.
func (im *importer) noteReads() {
	for _, source := range slices.Sorted(maps.Keys(im.read)) {
		im.builder.Read(source, im.read[source])
	}
}

// sourcesOf are the parts of the book that a file filled.
type sourcesOf map[string]bool

// note keeps what a file filled, and how old that is: as the file, or as the fetch that found it current.
func (im *importer) note(path string, st fs.FileInfo, sources []string) {
	im.report.seen[path] = seenFile{Size: st.Size(), Time: st.ModTime().UTC(), Sources: sources}
	at := st.ModTime()
	if !im.now.IsZero() && im.isCurrent(path) {
		at = im.now
	}
	for _, s := range sources {
		if at.After(im.read[s]) {
			im.read[s] = at
		}
	}
}

// replace tells the builder which parts were read whole: all their files are what the server has now, none was left unread because the
// book has it, and none failed. What such a part says no more is forgotten.
func (im *importer) replace() {
	if len(im.report.Failed) > 0 {
		return
	}
	unread := map[string]bool{}
	for _, path := range im.report.Known {
		unread[path] = true
	}
	whole := map[string]bool{}
	for path, f := range im.report.seen {
		for _, s := range f.Sources {
			was, had := whole[s]
			whole[s] = (was || !had) && !unread[path] && im.isCurrent(path)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(whole)) {
		if whole[s] {
			im.builder.Replace(s)
		}
	}
}

// isCurrent tells whether a file lies in a folder that was fetched just now.
func (im *importer) isCurrent(path string) bool {
	return slices.ContainsFunc(im.current, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator)) })
}

// known tells whether the book has the file's records already.
func (im *importer) known(path string, st fs.FileInfo) (seenFile, bool) {
	s, ok := im.old.Files[path]
	return s, ok && s.Size == st.Size() && s.Time.Equal(st.ModTime().UTC())
}
