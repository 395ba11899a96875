package csaf

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// state is what was fetched of one provider: a hidden file of lines "FILE TIME", the time being that of the provider's list. Lines are
// added as documents come, so that a cut fetch goes on.
type state struct {
	at   map[string]time.Time
	file *os.File
}

func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, ".documents")
	s := &state{at: map[string]time.Time{}}
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		file, at, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if t, err := time.Parse(time.RFC3339Nano, at); err == nil { // a line that was cut is a document to fetch again
			s.at[file] = t
		}
	}
	s.file, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return s, err
}

func (s *state) close() error { return s.file.Close() }

func (s *state) empty() bool { return len(s.at) == 0 }

func (s *state) has(e entry) bool {
	_, ok := s.at[e.file]
	return ok
}

// missing returns what is not there, or has changed since. A list without times tells nothing of changes: its documents are asked for
// again, conditionally.
func (s *state) missing(listed []entry) []entry {
	var out []entry
	for _, e := range listed {
		if at, ok := s.at[e.file]; !ok || e.updated.IsZero() || e.updated.After(at) {
			out = append(out, e)
		}
	}
	return out
}

func (s *state) done(e entry) error {
	s.at[e.file] = e.updated
	_, err := fmt.Fprintf(s.file, "%s %s\n", e.file, e.updated.Format(time.RFC3339Nano))
	return err
}

// contains notes that an archive of a day has these documents as far as they are not newer; a zero day has all.
func (s *state) contains(listed []entry, day time.Time) error {
	w := bufio.NewWriter(s.file)
	for _, e := range listed {
		if !day.IsZero() && !e.updated.Before(day) {
			continue
		}
		s.at[e.file] = e.updated
		if _, err := fmt.Fprintf(w, "%s %s\n", e.file, e.updated.Format(time.RFC3339Nano)); err != nil {
			return err
		}
	}
	return w.Flush()
}
