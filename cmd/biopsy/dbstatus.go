package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/units"
	"github.com/biopsy-sca/biopsy/refdb"
)

// stale is the age of a feed's part behind which status warns: the feeds of exploited holes move every day.
const stale = 7 * 24 * time.Hour

// bookStatus is what status says of one book.
type bookStatus struct {
	biopsy.Book
	Path  string       `json:"path,omitempty"` // "" of the built-in one
	Size  int64        `json:"size,omitempty"` // bytes
	Feeds []feedStatus `json:"feeds"`
}

// feedStatus is one feed's part.
type feedStatus struct {
	biopsy.Snap
	Read  string `json:"read,omitempty"` // RFC 3339: when the part was what the feed said; "" unknown
	Days  *int   `json:"days,omitempty"` // since then, or since the newest record where nobody noted it
	Stale bool   `json:"stale,omitempty"`
}

func dbStatus(s *streams, db *string) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "status",
		Short: "Say what the books hold and how old each part is",
		Long: `status lists the books, their feeds, how many records each brought, and when it was last read. Parts older than 7 days are marked. Old
books that are kept are listed last; --db sha256:DIGEST reads one of them.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := textOrJSON(format); err != nil {
				return err
			}
			b, err := openBooks(*db)
			if err != nil {
				return err
			}
			defer b.Close()
			return s.status(b, *db, format)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "`FORMAT`: text or json")
	return c
}

func textOrJSON(format string) error {
	if format != "text" && format != "json" {
		return usagef("-o %s: text or json", format)
	}
	return nil
}

func (s *streams) status(b *books, db, format string) error {
	path, err := bookPath(db)
	if err != nil {
		return err
	}
	var all []bookStatus
	for _, book := range b.all {
		st := statusOf(book, book == b.user, time.Now())
		if book == b.user {
			if info, err := os.Stat(path); err == nil {
				st.Path, st.Size = path, info.Size()
			}
		}
		all = append(all, st)
	}
	old, err := oldStatus(path)
	if err != nil {
		return err
	}
	if format == "json" {
		return writeJSON(s.out, map[string]any{"books": all, "old": old})
	}
	for i := range all {
		printStatus(s.out, &all[i])
	}
	if len(old) > 0 {
		fmt.Fprintln(s.out, "kept:")
	}
	for _, o := range old {
		fmt.Fprintf(s.out, "  %s  %s  %d records, %s\n", o.Built, o.Digest[:len("sha256:")+16], o.Records, units.Bytes(o.Size))
	}
	if b.user == nil {
		s.say("no book at %s; biopsy db update or biopsy db import makes one", path)
		return nil
	}
	s.warnStale(&all[len(all)-1])
	return nil
}

// warnStale names the parts of the book in use that nobody has read for long.
func (s *streams) warnStale(b *bookStatus) {
	var names []string
	for _, f := range b.Feeds {
		if f.Stale {
			names = append(names, f.Feed)
		}
	}
	if len(names) > 0 {
		s.say("read more than 7 days ago: %s; biopsy db update brings them up to date", strings.Join(names, ", "))
	}
}

// statusOf says how old each part is. Of the built-in book nothing is stale: it is as old as the program.
func statusOf(book *refdb.Book, moves bool, now time.Time) bookStatus {
	st := bookStatus{Book: book.Snapshot()}
	reads := map[string]time.Time{}
	for _, r := range book.Reads() {
		reads[r.Feed] = r.At
	}
	for _, snap := range st.Book.Feeds {
		f := feedStatus{Snap: snap}
		at, ok := reads[strings.TrimPrefix(snap.Feed, refdb.NamesPart)]
		if ok {
			f.Read = at.UTC().Format(time.RFC3339)
		} else {
			var err error
			at, err = time.Parse(time.RFC3339, snap.Newest)
			ok = err == nil
		}
		if ok && snap.Feed != refdb.NamesPart+refdb.Learned {
			days := max(0, int(now.Sub(at)/(24*time.Hour)))
			f.Days, f.Stale = &days, moves && now.Sub(at) > stale
		}
		st.Feeds = append(st.Feeds, f)
	}
	return st
}

// printBook says what a book holds, without how old its parts are.
func printBook(w io.Writer, b biopsy.Book) {
	st := bookStatus{Book: b}
	for _, snap := range b.Feeds {
		st.Feeds = append(st.Feeds, feedStatus{Snap: snap})
	}
	printStatus(w, &st)
}

func printStatus(w io.Writer, b *bookStatus) {
	fmt.Fprintf(w, "%s: %d records, %s", b.Name, b.Records, b.Digest)
	if b.Built != "" {
		fmt.Fprintf(w, ", built %s", b.Built)
	}
	if b.Size > 0 {
		fmt.Fprintf(w, ", %s", units.Bytes(b.Size))
	}
	fmt.Fprintln(w)
	for _, f := range b.Feeds {
		line := fmt.Sprintf("  %-28s %8d", f.Feed, f.Records)
		if f.Newest != "" {
			line += "  newest " + f.Newest
		}
		if f.Read != "" {
			line += "  read " + f.Read
		}
		if f.Stale {
			line += fmt.Sprintf("  (%d days old)", *f.Days)
		}
		fmt.Fprintln(w, line)
	}
}

// oldStatus lists the kept books, the newest first.
func oldStatus(path string) ([]bookStatus, error) {
	old, err := oldBooks(path)
	if err != nil {
		return nil, err
	}
	var out []bookStatus
	for _, p := range old {
		snap, err := snapshotOf(p)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		out = append(out, bookStatus{Book: snap, Path: p, Size: info.Size()})
	}
	return out, nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
