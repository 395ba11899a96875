// Package sarif writes findings and gaps for code-scanning dashboards (SARIF 2.1.0, OASIS, 2020-03-27).
//
// What comes in: a scan. What goes out: one run; a rule per advisory, a result per finding that is yes or unknown, a notification
// per gap. It will never write findings that are no.
package sarif

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Writers are the documents of this room.
var Writers = []biopsy.Writer{{Name: "sarif", Write: write}}

type document struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool struct {
		Driver driver `json:"driver"`
	} `json:"tool"`
	Invocations []invocation `json:"invocations"`
	Results     []result     `json:"results"`
}

type driver struct {
	Name           string `json:"name"`
	Version        string `json:"version,omitempty"`
	InformationURI string `json:"informationUri"`
	Rules          []rule `json:"rules"`
}

type rule struct {
	ID         string     `json:"id"`
	Short      message    `json:"shortDescription"`
	HelpURI    string     `json:"helpUri,omitempty"`
	Properties properties `json:"properties"`
}

// properties carry what GitHub's dashboards sort by.
type properties struct {
	Tags     []string `json:"tags,omitempty"`
	Severity string   `json:"security-severity,omitempty"` // CVSS base score, "0.0" to "10.0"
}

type message struct {
	Text string `json:"text"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Kind         string            `json:"kind"`
	Level        string            `json:"level"`
	Message      message           `json:"message"`
	Locations    []location        `json:"locations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	Physical *physical `json:"physicalLocation,omitempty"`
	Logical  []logical `json:"logicalLocations,omitempty"`
}

type physical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region *region `json:"region,omitempty"`
}

type region struct {
	StartLine int `json:"startLine"`
}

type logical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Notifications []notification `json:"toolExecutionNotifications,omitempty"`
}

type notification struct {
	Level     string     `json:"level"`
	Message   message    `json:"message"`
	Locations []location `json:"locations,omitempty"`
}

func write(w io.Writer, s *biopsy.Scan, _ string) error {
	d := document{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []run{scanRun(s)}}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(d)
}

func scanRun(s *biopsy.Scan) run {
	r := run{Results: []result{}}
	r.Tool.Driver = driver{Name: s.Tool.Name, Version: s.Tool.Version, InformationURI: "https://github.com/biopsy-sca/biopsy", Rules: []rule{}}
	byID := map[string]*biopsy.Component{}
	for i := range s.Components {
		byID[s.Components[i].ID] = &s.Components[i]
	}
	rules, moves := map[string]int{}, movesOf(s)
	for _, f := range s.Findings {
		c := byID[f.Component]
		if f.Answer == biopsy.No || c == nil {
			continue
		}
		i, known := rules[f.Advisory]
		if !known {
			i = len(r.Tool.Driver.Rules)
			rules[f.Advisory] = i
			r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, ruleOf(f))
		}
		x := resultOf(f, c, i)
		if to := moves[move{c.ID, f.ID}]; to != "" {
			x.Message.Text += ". Clears with a move to " + to
		}
		r.Results = append(r.Results, x)
	}
	inv := invocation{Successful: true}
	for _, g := range s.Gaps {
		inv.Notifications = append(inv.Notifications, notification{"warning", message{g.Place.String() + ": " + g.Reason}, []location{at(g.Place)}})
	}
	r.Invocations = []invocation{inv}
	return r
}

// move is one finding of one component.
type move struct{ component, finding string }

// movesOf tells which version clears a finding by the best move that does.
func movesOf(s *biopsy.Scan) map[move]string {
	out := map[move]string{}
	for _, a := range s.Advice {
		for _, c := range a.Components {
			for _, f := range a.Clears {
				if _, ok := out[move{c, f}]; !ok { // best moves come first
					out[move{c, f}] = a.To
				}
			}
		}
	}
	return out
}

func ruleOf(f biopsy.Finding) rule {
	x := rule{ID: f.Advisory, Short: message{cmp.Or(f.Summary, f.Advisory)}, Properties: properties{Tags: []string{"security", "vulnerability"}}}
	if f.Score > 0 {
		x.Properties.Severity = strconv.FormatFloat(f.Score, 'f', 1, 64)
	}
	if f.Exploited() {
		x.Properties.Tags = append(x.Properties.Tags, "kev")
	}
	if len(f.URLs) > 0 {
		x.HelpURI = f.URLs[0]
	}
	return x
}

func resultOf(f biopsy.Finding, c *biopsy.Component, rule int) result {
	r := result{RuleID: f.Advisory, RuleIndex: rule, Kind: "fail", Level: level(f), Message: message{text(f, c)}, Fingerprints: map[string]string{"biopsyFinding/v1": f.ID}}
	if f.Answer == biopsy.Unknown {
		r.Kind, r.Level = "review", "none" // SARIF 3.27.10: a kind other than fail has level none
	}
	for _, e := range c.Evidence[:min(len(c.Evidence), 10)] {
		if !e.Claim.About {
			l := at(e.Place)
			l.Logical = []logical{{cmp.Or(c.Purl, c.Name), "package"}}
			r.Locations = append(r.Locations, l)
		}
	}
	return r
}

func text(f biopsy.Finding, c *biopsy.Component) string {
	b := strings.Builder{}
	fmt.Fprintf(&b, "%s %s: ", c.Name, cmp.Or(c.Version, "(version unknown)"))
	if f.Answer == biopsy.Unknown {
		b.WriteString("may be affected. ")
	}
	for i, x := range f.Because {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(x.Text)
	}
	if len(f.Fixed) > 0 {
		fmt.Fprintf(&b, ". Fixed in %s", strings.Join(f.Fixed, ", "))
	}
	return b.String()
}

func level(f biopsy.Finding) string {
	switch {
	case f.Level.Rank() >= biopsy.LevelHigh.Rank():
		return "error"
	case f.Level.Rank() >= biopsy.LevelMedium.Rank() || f.Level == "":
		return "warning"
	}
	return "note"
}

// at writes a place as a relative URI; a descent stays a "!" in it.
func at(p biopsy.Place) location {
	ph := &physical{}
	elems := strings.Split(p.Path, "/")
	for i, e := range elems {
		elems[i] = url.PathEscape(e)
	}
	ph.Artifact.URI = strings.Join(slices.DeleteFunc(elems, func(e string) bool { return e == "" }), "/")
	if p.Line > 0 {
		ph.Region = &region{p.Line}
	}
	return location{Physical: ph}
}
