// Package html writes a scan as one page that needs nothing else: no server, no network, no script to be useful.
//
// What comes in: a scan. What goes out: HTML 5 with its style, drawings and a small script for filtering inside. It will never load
// anything: the page's own policy forbids it.
package html

import (
	"bufio"
	"cmp"
	_ "embed"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/units"
)

// Writers are the documents of this room.
var Writers = []biopsy.Writer{{Name: "html", Write: write}}

//go:embed page.html
var pageText string

//go:embed style.css
var style string

//go:embed filter.js
var script string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"size": units.Bytes, "share": units.Share, "join": strings.Join, "place": func(p biopsy.Place) string { return p.String() },
	"style": func() template.CSS { return template.CSS(style) }, "script": func() template.JS { return template.JS(script) },
}).Parse(pageText))

func write(w io.Writer, s *biopsy.Scan, _ string) error {
	b := bufio.NewWriter(w)
	if err := page.Execute(b, newPage(s)); err != nil {
		return err
	}
	return b.Flush()
}

// view is what the page shows.
type view struct {
	*biopsy.Scan
	Yes, Unknown, No int
	KEV              int
	Levels           []bar // findings that are yes, by severity
	Kinds            []bar // components by ecosystem
	Rows             []row // findings that are not no, the most urgent first
	Maps             []byteMap
	Undrawn          int // containers whose ledger has no map
}

// bar is one bar of a drawing; Width is in per mille of the longest.
type bar struct {
	Name, Class string
	Count       int
	Width       int
}

type row struct {
	biopsy.Finding
	Of    *biopsy.Component
	Level string
	KEV   bool
	Where string
}

// byteMap is the drawing of one ledger.
type byteMap struct {
	Name  string
	Size  int64
	Sums  []sum // the kinds of bytes it has
	Parts []part
}

// sum is how many bytes are of a kind.
type sum struct {
	Name string
	Size int64
}

// part is one stretch of bytes; X and Width are in hundredths of per cent of the whole.
type part struct {
	biopsy.Span
	Class    string
	X, Width float64
}

func newPage(s *biopsy.Scan) view {
	v := view{Scan: s}
	byID := map[string]*biopsy.Component{}
	kinds := map[string]int{}
	for i := range s.Components {
		c := &s.Components[i]
		byID[c.ID] = c
		kinds[c.World()]++
	}
	levels := map[string]int{}
	for _, f := range s.Findings {
		switch c := byID[f.Component]; {
		case f.Answer == biopsy.No:
			v.No++
		case c != nil:
			r := newRow(f, c)
			v.Rows = append(v.Rows, r)
			if f.Answer == biopsy.Unknown {
				v.Unknown++
				continue
			}
			v.Yes++
			levels[r.Level]++
			if r.KEV {
				v.KEV++
			}
		}
	}
	slices.SortFunc(v.Rows, func(a, b row) int { return a.Urgency(&b.Finding) })
	for _, l := range []string{"critical", "high", "medium", "low", "none", "not rated"} {
		if levels[l] > 0 {
			v.Levels = append(v.Levels, bar{Name: l, Class: strings.ReplaceAll(l, " ", "-"), Count: levels[l]})
		}
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b)) })
	for _, k := range names {
		v.Kinds = append(v.Kinds, bar{Name: k, Class: "kind", Count: kinds[k]})
	}
	scale(v.Levels)
	scale(v.Kinds)
	v.Maps, v.Undrawn = drawLedgers(s.Ledgers)
	return v
}

func newRow(f biopsy.Finding, c *biopsy.Component) row {
	r := row{Finding: f, Of: c, Level: cmp.Or(string(f.Level), "not rated"), KEV: f.Exploited()}
	if len(c.Evidence) > 0 {
		r.Where = c.Evidence[0].Place.String()
	}
	return r
}

func scale(bars []bar) {
	most := 1
	for _, b := range bars {
		most = max(most, b.Count)
	}
	for i := range bars {
		bars[i].Width = max(5, bars[i].Count*1000/most)
	}
}

// byteClasses are the colours of a map.
var byteClasses = map[biopsy.ByteKind]string{biopsy.BytesParsed: "parsed", biopsy.BytesPadding: "padding", biopsy.BytesEncrypted: "encrypted", biopsy.BytesUnknown: "unknown"}

// maxMaps is how many ledgers are drawn: the outermost first, the others are left to the scan file.
const maxMaps = 100

// drawLedgers lays the spans of each ledger out on a line, and counts those that are not drawn. Of more than a thousand spans the smallest
// are left to the scan file.
func drawLedgers(ledgers []biopsy.Ledger) (out []byteMap, undrawn int) {
	if undrawn = len(ledgers) - maxMaps; undrawn > 0 {
		ledgers = slices.Clone(ledgers)
		slices.SortStableFunc(ledgers, func(a, b biopsy.Ledger) int {
			return cmp.Compare(strings.Count(a.Place.Path, "!"), strings.Count(b.Place.Path, "!"))
		})
		ledgers = ledgers[:maxMaps]
	}
	for _, l := range ledgers {
		m := byteMap{Name: l.Place.String()}
		for _, kind := range []biopsy.ByteKind{biopsy.BytesParsed, biopsy.BytesPadding, biopsy.BytesEncrypted, biopsy.BytesUnknown} {
			if n := l.Sum(kind); n > 0 {
				m.Sums = append(m.Sums, sum{byteClasses[kind], n})
				m.Size += n
			}
		}
		spans := slices.Clone(l.Spans)
		if len(spans) > 1000 {
			slices.SortFunc(spans, func(a, b biopsy.Span) int { return cmp.Compare(b.Size, a.Size) })
			spans = spans[:1000]
			slices.SortFunc(spans, func(a, b biopsy.Span) int { return cmp.Compare(a.Offset, b.Offset) })
		}
		for _, s := range spans {
			whole := float64(max(m.Size, 1))
			m.Parts = append(m.Parts, part{Span: s, Class: byteClasses[s.Status], X: 10000 * float64(s.Offset) / whole, Width: max(4, 10000*float64(s.Size)/whole)})
		}
		out = append(out, m)
	}
	return out, max(undrawn, 0)
}
