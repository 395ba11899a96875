package biopsy

import "fmt"

// Advice is one move of a package to another version, and what it clears.
type Advice struct {
	Name       string   `json:"name"`          // what is to be moved: the source package where several components come of one
	Components []string `json:"components"`    // Component.ID of all that move with it
	Eco        string   `json:"eco,omitempty"` // purl type
	Rule       string   `json:"rule"`          // whose numbering it is: "Debian:12", "npm", "Upstream", "CPE"
	From       string   `json:"from"`
	To         string   `json:"to"`
	Branch     string   `json:"branch,omitempty"` // common beginning of versions: "3.0"; "" where there is one branch only
	Best       bool     `json:"best,omitempty"`   // of this package's moves the nearest of those that clear most
	Clears     []string `json:"clears"`           // Finding.ID whose answer is yes and would be no, most urgent first
	Leaves     []string `json:"leaves,omitempty"` // Finding.ID whose answer stays yes
	Gone       int      `json:"gone"`             // vulnerabilities behind Clears: components of one source share them
	Stay       int      `json:"stay,omitempty"`   // vulnerabilities behind Leaves
	Brings     []string `json:"brings,omitempty"` // advisories that the new version has and the old one has not
	Because    string   `json:"because"`          // in words
}

// BestAdvice returns the best move of each package, those that clear most first.
func (s *Scan) BestAdvice() []Advice {
	var out []Advice
	for _, a := range s.Advice {
		if a.Best {
			out = append(out, a)
		}
	}
	return out
}

// Says puts a move in words: "move openssl 3.0.11 -> 3.0.20: 14 findings go, 2 stay".
func (a *Advice) Says() string {
	s := fmt.Sprintf("move %s %s -> %s: %d %s", a.Name, a.From, a.To, a.Gone, plural(a.Gone, "finding goes", "findings go"))
	if a.Stay > 0 {
		s += fmt.Sprintf(", %d %s", a.Stay, plural(a.Stay, "stays", "stay"))
	}
	if n := len(a.Brings); n > 0 {
		s += fmt.Sprintf(", %d %s", n, plural(n, "comes", "come"))
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Exposure is what the scan knows of how far a component can be reached.
type Exposure struct {
	Scope Scope `json:"scope,omitempty"` // "" unknown
	Depth int   `json:"depth,omitempty"` // 1 when nothing else in the scan needs it, 2 when such a one does ...; 0 when no needs are known
}
