package scan

import (
	"cmp"
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// maxLike is how many gaps of one sort are kept, and maxSorts how many sorts: hostile input has as many of either as it likes.
const (
	maxLike  = 1000
	maxSorts = 100
)

// gaps keeps the first gaps of each sort by their place, and counts the others. Files are looked at in any order, and what is kept is the
// same in every one: of each sort those of the lowest places, of the sorts those of the lowest names.
type gaps struct {
	sorts map[string]*likes
	rest  more // of sorts that had no room
}

// likes are gaps of one sort, the last of them on top.
type likes struct {
	kept lastFirst
	more more
}

// more counts gaps that are not kept.
type more struct {
	count, size int64
	first       biopsy.Gap
}

func (m *more) add(g biopsy.Gap) {
	if m.count == 0 || compareGaps(g, m.first) < 0 {
		m.first = g
	}
	m.count++
	m.size += max(g.Size, 0)
}

// add takes one gap.
func (s *gaps) add(g biopsy.Gap) {
	if s.sorts == nil {
		s.sorts = map[string]*likes{}
	}
	key := sortOf(g)
	l := s.sorts[key]
	if l == nil {
		if l = s.room(key); l == nil {
			s.rest.add(g)
			return
		}
	}
	if heap.Push(&l.kept, g); len(l.kept) > maxLike {
		l.more.add(heap.Pop(&l.kept).(biopsy.Gap))
	}
}

// room begins a sort; when there are too many, that of the highest name gives way, which may be the new one: then nil.
func (s *gaps) room(key string) *likes {
	if len(s.sorts) == maxSorts {
		last := slices.Max(slices.Collect(maps.Keys(s.sorts)))
		if key > last {
			return nil
		}
		s.forget(last)
	}
	l := &likes{}
	s.sorts[key] = l
	return l
}

func (s *gaps) forget(key string) {
	l := s.sorts[key]
	for _, g := range l.kept {
		s.rest.add(g)
	}
	if l.more.count > 0 {
		s.rest.add(l.more.first)
		s.rest.count += l.more.count - 1
		s.rest.size += l.more.size - max(l.more.first.Size, 0)
	}
	delete(s.sorts, key)
}

// list returns what was kept, in order, with a gap for what was not.
func (s *gaps) list() []biopsy.Gap {
	var out []biopsy.Gap
	for _, l := range s.sorts {
		if out = append(out, l.kept...); l.more.count > 0 {
			out = append(out, l.more.gap("%s (the first of %d more like it)"))
		}
	}
	if s.rest.count > 0 {
		out = append(out, s.rest.gap("%s (the first of %d more of other sorts)"))
	}
	slices.SortFunc(out, compareGaps)
	return out
}

func (m *more) gap(words string) biopsy.Gap {
	g := m.first
	g.Size = m.size
	if m.count > 1 {
		g.Reason = fmt.Sprintf(words, g.Reason, m.count)
	}
	return g
}

// sortOf is what gaps of one sort have in common: their reader, and their reason without its numbers and quotations.
func sortOf(g biopsy.Gap) string {
	var b strings.Builder
	b.WriteString(g.Reader + ":")
	quoted, number := false, false
	for _, r := range g.Reason {
		if b.Len() > 200 {
			break
		}
		digit := r >= '0' && r <= '9' || number && (r >= 'a' && r <= 'f' || r == 'x')
		switch {
		case r == '"':
			quoted = !quoted
		case quoted, digit && number:
		case digit:
			b.WriteByte('#')
		default:
			b.WriteRune(r)
		}
		number = digit
	}
	return b.String()
}

func compareGaps(a, b biopsy.Gap) int {
	return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Reader, b.Reader), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Size, b.Size))
}

// lastFirst is a heap of gaps with the last on top.
type lastFirst []biopsy.Gap

func (h lastFirst) Len() int           { return len(h) }
func (h lastFirst) Less(i, j int) bool { return compareGaps(h[i], h[j]) > 0 }
func (h lastFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lastFirst) Push(x any)        { *h = append(*h, x.(biopsy.Gap)) }
func (h *lastFirst) Pop() any {
	old := *h
	g := old[len(old)-1]
	*h = old[:len(old)-1]
	return g
}
