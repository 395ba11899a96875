// Package csv writes a scan as a table for spreadsheets (RFC 4180).
//
// What comes in: a scan. What goes out: one row per component and finding that is not no; a component without findings has one row.
// It will never write a cell that a spreadsheet takes for a formula.
package csv

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Writers are the documents of this room.
var Writers = []biopsy.Writer{{Name: "csv", Write: write}}

var head = []string{"component", "version", "purl", "kind", "ecosystem", "supplier", "licence", "scope", "unowned", "place",
	"advisory", "answer", "severity", "score", "kev", "kev_due", "epss", "fixed", "because", "support", "end_of_support", "support_because",
	"scored", "ransomware", "exploitation", "automatable", "epss_date", "depth", "move_to"}

func write(w io.Writer, s *biopsy.Scan, _ string) error {
	findings := map[string][]biopsy.Finding{}
	for _, f := range s.Findings {
		if f.Answer != biopsy.No {
			findings[f.Component] = append(findings[f.Component], f)
		}
	}
	moves := movesOf(s)
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	for i := range s.Components {
		c := component(&s.Components[i])
		rows := findings[s.Components[i].ID]
		if len(rows) == 0 {
			rows = []biopsy.Finding{{}}
		}
		for _, f := range rows {
			if err := out.Write(safe(slices.Concat(c, finding(f), support(&s.Components[i]), urgency(f, moves[key{s.Components[i].ID, f.ID}])))); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func component(c *biopsy.Component) []string {
	place, licences := "", []string{}
	if len(c.Evidence) > 0 {
		place = c.Evidence[0].Place.String()
	}
	for _, l := range c.Licenses {
		licences = append(licences, cmp.Or(l.Expression, l.Name))
	}
	unowned := ""
	if c.Unowned {
		unowned = "yes"
	}
	return []string{strings.TrimPrefix(c.Namespace+"/"+c.Name, "/"), c.Version, c.Purl, string(c.Kind), c.Eco, c.Supplier,
		strings.Join(licences, "; "), string(c.Scope), unowned, place}
}

func finding(f biopsy.Finding) []string {
	if f.Advisory == "" {
		return make([]string, findingCells)
	}
	score, kev, due, epss := "", "", "", ""
	if f.Score > 0 {
		score = strconv.FormatFloat(f.Score, 'f', 1, 64)
	}
	if x := f.Exploit; x != nil {
		if x.KEV {
			kev, due = "yes", x.KEVDue
		}
		if x.EPSSDate != "" {
			epss = strconv.FormatFloat(x.EPSS, 'f', 5, 64)
		}
	}
	because := []string{}
	for _, b := range f.Because {
		because = append(because, b.Text)
	}
	return []string{f.Advisory, f.Answer.String(), string(f.Level), score, kev, due, epss, strings.Join(f.Fixed, "; "), strings.Join(because, "; ")}
}

// findingCells is how many cells finding fills.
const findingCells = 9

// key is one finding of one component; versions of one package share the finding's id.
type key struct{ component, finding string }

// movesOf tells which version clears a finding by the best move of its package; by a lesser move where the best one leaves it.
func movesOf(s *biopsy.Scan) map[key]string {
	out := map[key]string{}
	for _, a := range s.Advice {
		for _, c := range a.Components {
			for _, f := range a.Clears {
				if _, ok := out[key{c, f}]; !ok { // best moves come first
					out[key{c, f}] = a.To
				}
			}
		}
	}
	return out
}

// urgency is what else ranks a finding, and the move that clears it.
func urgency(f biopsy.Finding, move string) []string {
	out := []string{f.Scored, "", "", "", "", "", move}
	if x := f.Exploit; x != nil {
		if x.Ransomware {
			out[1] = "yes"
		}
		out[2], out[3], out[4] = x.Maturity, x.Automatable, x.EPSSDate
	}
	if f.Exposure != nil && f.Exposure.Depth > 0 {
		out[5] = strconv.Itoa(f.Exposure.Depth)
	}
	return out
}

func support(c *biopsy.Component) []string {
	if c.Support == nil {
		return make([]string, 3)
	}
	return []string{c.Support.Level, c.Support.End, c.Support.Because}
}

// safe puts an apostrophe before cells that begin like a formula (OWASP, CSV injection).
func safe(row []string) []string {
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row[i] = "'" + cell
		}
	}
	return row
}
