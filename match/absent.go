package match

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// RuleOut answers no where the vulnerable code is not in the device: a record says in which functions or files the hole lies, and the
// program or kernel shows that it was built without them. It goes over findings whose answer is yes or unknown, and changes them in
// place; what the versions say stays among the reasons.
//
// One record that places the hole in code that is there, or cannot be told to be absent, leaves the answer as it was.
func RuleOut(ctx context.Context, inv *biopsy.Inventory, books []Book, findings []biopsy.Finding, o Options) error {
	var c *biopsy.Component
	var witnesses []witness
	for i := range findings {
		f := &findings[i]
		if c == nil || c.ID != f.Component {
			if c = componentByID(inv, f.Component); c == nil {
				continue
			}
			witnesses = witnessesOf(c)
		}
		if len(witnesses) == 0 || f.Answer == biopsy.No || f.Subject != "vulnerability" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		records, err := recordsOf(books, f.Advisory)
		if err != nil {
			return fmt.Errorf("match: %w", err)
		}
		for _, w := range witnesses {
			if b, ok := w.absent(records, o); ok {
				f.Answer, f.Because = biopsy.No, append([]biopsy.Because{b}, f.Because...)
				break
			}
		}
	}
	return nil
}

func recordsOf(books []Book, id string) (out []biopsy.Advisory, err error) {
	for _, b := range books {
		more, err := b.Lookup(id)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func componentByID(inv *biopsy.Inventory, id string) *biopsy.Component {
	i, ok := slices.BinarySearchFunc(inv.Components, id, func(c biopsy.Component, id string) int { return strings.Compare(c.ID, id) })
	if !ok {
		return nil
	}
	return &inv.Components[i]
}

// presence is what a witness says of one record's code.
type presence uint8

const (
	silent presence = iota // the record does not place the hole, or not in this component
	there                  // the code is there, or may be
	gone                   // the code is not there
)

// witness knows what a component was built of.
type witness struct {
	rule string
	says func(a *biopsy.Advisory, af *biopsy.Affected) (p presence, text string)
}

// witnessesOf are those that the component's evidence gives; none for most.
func witnessesOf(c *biopsy.Component) []witness {
	var out []witness
	for _, w := range []*witness{goLinker(c), kernelBuild(c), appletBuild(c), headersOnly(c)} {
		if w != nil {
			out = append(out, *w)
		}
	}
	return out
}

// absent asks about all records of a hole: one at least must be gone, and none there.
func (w *witness) absent(records []biopsy.Advisory, o Options) (biopsy.Because, bool) {
	var out biopsy.Because
	for i := range records {
		a := &records[i]
		if !o.standing(a.Published, a.Modified, a.Withdrawn) {
			continue
		}
		for j := range a.Affected {
			switch p, text := w.says(a, &a.Affected[j]); {
			case p == there:
				return biopsy.Because{}, false
			case p == gone && out.Record == "":
				out = biopsy.Because{Record: a.ID, Source: a.Source, Rule: w.rule, Answer: biopsy.No, Text: text}
			}
		}
	}
	return out, out.Record != ""
}

// headersOnly knows the packages that distributions build from the kernel's source and that hold none of its code. nil for all others.
func headersOnly(c *biopsy.Component) *witness {
	source, _ := sourceOf(c)
	if !isDistribution(c.Eco) || source != "linux" && source != "kernel" && source != "linux-lts" {
		return nil
	}
	for _, prefix := range []string{"linux-libc-dev", "linux-headers", "linux-doc", "kernel-headers", "kernel-devel", "kernel-doc"} {
		if strings.HasPrefix(c.Name, prefix) {
			text := c.Name + " holds headers or documents of the kernel, and none of its code"
			return &witness{rule: "no-kernel-code", says: func(*biopsy.Advisory, *biopsy.Affected) (presence, string) { return gone, text }}
		}
	}
	return nil
}
