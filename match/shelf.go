package match

import (
	"strings"
	"sync"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// shelf is the books with what was read of them lately, for all workers: many packages share one source, and so its holes.
type shelf struct {
	books []Book

	mu    sync.Mutex
	notes map[string][]note
	uses  map[string][]biopsy.Exploit
	names map[string][]biopsy.Synonym
	has   map[pkg]bool
}

// note is what a finding tells of a whole record.
type note struct {
	id                             string
	summary                        string
	severity                       []biopsy.Severity
	links                          []string
	published, modified, withdrawn time.Time
}

// maxNotes bounds the holes that are kept: some tens of megabytes.
const maxNotes = 20_000

func newShelf(books []Book) *shelf {
	return &shelf{books: books, notes: map[string][]note{}, uses: map[string][]biopsy.Exploit{}, names: map[string][]biopsy.Synonym{}, has: map[pkg]bool{}}
}

// synonyms returns the other names that all books know of a name, in the order of the books.
func (s *shelf) synonyms(name string) ([]biopsy.Synonym, error) {
	if name == "" {
		return nil, nil
	}
	s.mu.Lock()
	all, ok := s.names[name]
	s.mu.Unlock()
	if ok {
		return all, nil
	}
	for _, b := range s.books {
		knows, ok := b.(Synonyms)
		if !ok {
			continue
		}
		more, err := knows.Synonyms(name)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) >= maxNotes {
		clear(s.names)
	}
	s.names[name] = all
	return all, nil
}

// anyOf says whether any book knows a package.
func (s *shelf) anyOf(p pkg) (bool, error) {
	s.mu.Lock()
	found, ok := s.has[p]
	s.mu.Unlock()
	if ok {
		return found, nil
	}
	for _, b := range s.books {
		all, err := b.Package(p.ecosystem, p.name)
		if err != nil {
			return false, err
		}
		found = found || len(all) > 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.has) >= maxNotes {
		clear(s.has)
	}
	s.has[p] = found
	return found, nil
}

// about returns the notes of all records on a hole, in the order of the books.
func (s *shelf) about(id string) ([]note, error) {
	s.mu.Lock()
	all, ok := s.notes[id]
	s.mu.Unlock()
	if ok {
		return all, nil
	}
	for _, b := range s.books {
		records, err := b.Lookup(id)
		if err != nil {
			return nil, err
		}
		for i := range records {
			all = append(all, noteOf(&records[i]))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.notes) >= maxNotes {
		clear(s.notes)
	}
	s.notes[id] = all
	return all, nil
}

func noteOf(a *biopsy.Advisory) note {
	n := note{id: a.ID, summary: a.Summary, severity: a.Severity, published: a.Published, modified: a.Modified, withdrawn: a.Withdrawn}
	for _, r := range a.References {
		if (r.Type == "ADVISORY" || r.Type == "FIX") && strings.HasPrefix(r.URL, "http") && len(n.links) < maxLinks {
			n.links = append(n.links, strings.Clone(r.URL))
		}
	}
	return n
}

// exploits returns what each book knows of a CVE's use.
func (s *shelf) exploits(cve string) ([]biopsy.Exploit, error) {
	s.mu.Lock()
	all, ok := s.uses[cve]
	s.mu.Unlock()
	if ok {
		return all, nil
	}
	for _, b := range s.books {
		e, ok, err := b.Exploit(cve)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, e)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.uses) >= maxNotes {
		clear(s.uses)
	}
	s.uses[cve] = all
	return all, nil
}
