// Package judge turns findings into verdicts.
//
// What comes in: findings, and what the user will not accept. What goes out: verdicts that name the findings they rest on. It will
// never change a finding.
package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// FailOn is what --fail-on takes: a severity, "kev" or "new"; several joined by commas.
type FailOn struct {
	Level biopsy.Level // "" when no severity was named
	KEV   bool
	New   bool // findings that the baseline does not have
}

// ParseFailOn reads the flag's value. An empty value is no rule.
func ParseFailOn(value string) (FailOn, error) {
	var f FailOn
	for word := range strings.SplitSeq(value, ",") {
		switch word = strings.ToLower(strings.TrimSpace(word)); word {
		case "":
		case "kev":
			f.KEV = true
		case "new":
			f.New = true
		case "low", "medium", "high", "critical":
			f.Level = biopsy.Level(word)
		default:
			return f, fmt.Errorf("%q is not low, medium, high, critical, kev or new", word)
		}
	}
	return f, nil
}

// Verdicts judges the findings whose answer is yes, one verdict per rule. With New, findings of the baseline count for no rule.
func (f FailOn) Verdicts(findings, baseline []biopsy.Finding) []biopsy.Verdict {
	known := map[string]bool{}
	if f.New {
		for _, b := range baseline {
			known[b.ID] = known[b.ID] || b.Answer == biopsy.Yes
		}
	}
	var out []biopsy.Verdict
	if f.Level != "" {
		out = append(out, verdict("fail-on:"+string(f.Level), string(f.Level)+" or worse", findings, func(x biopsy.Finding) bool {
			return x.Level.Rank() >= f.Level.Rank() && !known[x.ID]
		}))
	}
	if f.KEV {
		out = append(out, verdict("fail-on:kev", "known to be exploited (KEV)", findings, func(x biopsy.Finding) bool {
			return x.Exploit != nil && x.Exploit.KEV && !known[x.ID]
		}))
	}
	if f.New && f.Level == "" && !f.KEV {
		out = append(out, verdict("fail-on:new", "not in the baseline", findings, func(x biopsy.Finding) bool { return !known[x.ID] }))
	}
	return out
}

func verdict(rule, what string, findings []biopsy.Finding, hit func(biopsy.Finding) bool) biopsy.Verdict {
	v := biopsy.Verdict{Rule: rule, Pass: true}
	for _, x := range findings {
		if x.Answer == biopsy.Yes && hit(x) {
			v.Findings = append(v.Findings, x.ID)
		}
	}
	slices.Sort(v.Findings)
	v.Findings = slices.Compact(v.Findings)
	v.Pass = len(v.Findings) == 0
	noun := "findings"
	if len(v.Findings) == 1 {
		noun = "finding"
	}
	v.Message = fmt.Sprintf("%d %s %s", len(v.Findings), noun, what)
	return v
}
