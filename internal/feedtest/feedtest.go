// Package feedtest holds feeds against files with the wanted answer beside them, and against servers of a test's own.
//
// In: a feed, cases below testdata. Out: failures of a test. It will never be part of a binary.
package feedtest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "write what came out as what is wanted")

// Read parses bytes as a file of that name and returns what came out.
func Read(t testing.TB, feed biopsy.Feed, name string, doc []byte) (all []biopsy.Advisory, bad []biopsy.Gap, err error) {
	t.Helper()
	err = feed.Parse(context.Background(), name, bytes.NewReader(doc), int64(len(doc)), biopsy.Sink{
		Advisory: func(a biopsy.Advisory) error { all = append(all, a); return nil },
		Bad:      func(g biopsy.Gap) { bad = append(bad, g) },
	})
	return all, bad, err
}

// Golden reads each file that the pattern finds, and compares records, bad records and the error with the file of that name and ".want".
// The feed must say that the file is its own.
func Golden(t *testing.T, feed biopsy.Feed, pattern string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no cases (%v)", pattern, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".want") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !feed.Match(filepath.ToSlash(path), doc[:min(len(doc), 4<<10)]) {
				t.Errorf("%s does not know its own file", feed.Name)
			}
			compare(t, path+".want", answer(Read(t, feed, filepath.ToSlash(path), doc)))
		})
	}
}

// answer is the records in order, each followed by its packages, then the bad ones, then the error: one a line.
func answer(all []biopsy.Advisory, bad []biopsy.Gap, err error) string {
	var b strings.Builder
	for _, a := range all {
		packages := a.Affected
		a.Affected = nil
		b.WriteString(line(a))
		for _, p := range packages {
			b.WriteString("\t" + line(p))
		}
	}
	for _, g := range bad {
		fmt.Fprintf(&b, "bad: %v: %s\n", g.Place, g.Reason)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

func line(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error() + "\n"
	}
	return b.String()
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// Server hands out files by path, with ETag and date, and counts what it was asked.
type Server struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	sent  int
	same  int
}

// Date is the Last-Modified of all files.
var Date = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

// Serve starts a server of these files, which ends with the test. Others are not found.
func Serve(t testing.TB, files map[string][]byte) *Server {
	s := &Server{files: files}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

// Put changes a file; nil takes it away.
func (s *Server) Put(path string, doc []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = doc
}

// Counts returns how many files were sent, and how many asked for again that had not changed, since the last call.
func (s *Server) Counts() (sent, same int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, same, s.sent, s.same = s.sent, s.same, 0, 0
	return sent, same
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, ok := s.files[r.URL.Path]
	if !ok || doc == nil {
		http.NotFound(w, r)
		return
	}
	tag := fmt.Sprintf(`"%x-%d"`, len(doc), bytes.Count(doc, []byte{'e'}))
	w.Header().Set("ETag", tag)
	w.Header().Set("Last-Modified", Date.Format(http.TimeFormat))
	if r.Header.Get("If-None-Match") == tag {
		s.same++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.sent++
	if _, err := w.Write(doc); err != nil {
		return // the client went away, and says so itself
	}
}
