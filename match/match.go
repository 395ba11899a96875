// Package match holds components against advisories and says yes, no or unknown, and because.
//
// What comes in: an inventory and books of advisories. What goes out: findings, one for each component and hole, with a reason from
// every record that spoke. It will never say no because something did not parse, match a name across ecosystems, or ask the clock.
//
// # How answers are weighed
//
// One record may speak of a package several times (branches, builds): yes > unknown > no, for the parts are a union, and the part
// that could not be decided may hold the version. The Red Hat family lists the same fix for several builds instead: there no > yes.
//
// Records of one hole are weighed by who speaks, a lower voice being heard only when all above are silent: the distribution about
// its own package, or the ecosystem or the makers about their own; then the makers of the software about what a distribution built from
// it; then lists that others keep of the makers' software: CPE names, tags of its repository. Between voices of one rank: yes > no >
// unknown, for what was decided needs no guess, and a warning needs one witness only. A record that names no versions at all decides
// nothing, whoever speaks.
//
// What a source says beside its ranges counts first: "not affected" is no, "undetermined" is unknown unless a range says no, "will not
// fix" is yes unless a range says no.
//
// # Names
//
// A component is asked for under the names that its bytes state, that a curated list knows, or that many records join (see identity).
// A name that was guessed from the component's own makes of a yes an unknown, and packages of language ecosystems are asked for by CPE
// only when their own ecosystem is silent.
//
// Last, RuleOut says no where the code is not in the device: in functions that a Go program does not hold, in source files that the kernel's
// options and modules leave out, in applets that a BusyBox lacks. Only what is absent for certain counts.
//
// A distribution may have carried the fix back, so the makers' yes about a distribution's package is unknown. Withdrawn records, and
// records published after Options.AsOf, do not exist.
package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

// Book is what match wants to know; *refdb.Book is one. Look-ups may run at the same time.
type Book interface {
	// Package returns the entries on a package of an ecosystem, named without suffix ("Debian").
	Package(ecosystem, name string) ([]refdb.Entry, error)
	// Lookup returns the records of that id and those that name it as alias or upstream, in order of id and source.
	Lookup(id string) ([]biopsy.Advisory, error)
	Exploit(cve string) (biopsy.Exploit, bool, error)
}

// Options are what changes the answers.
type Options struct {
	AsOf time.Time // the last instant whose knowledge counts; zero is all

	// Names returns the name under which the makers' ecosystem (Upstream) knows a package of a purl type; "" when it does not know
	// better than the name itself. For purl type "cpe" the name is a CPE 2.3 name. nil knows nothing.
	Names func(purlType, name string) string
	Jobs  int // workers; 0 is 2
}

// Run matches every component with every book. Findings are sorted by component and advisory. Components that no book knows have
// none. The error is of a book or the context; nothing in an inventory is one.
func Run(ctx context.Context, inv *biopsy.Inventory, books []Book, o Options) ([]biopsy.Finding, error) {
	found := make([][]biopsy.Finding, len(inv.Components))
	jobs := o.Jobs
	if jobs <= 0 {
		jobs = 2
	}
	errs := make([]error, jobs)
	w := newWorld(inv, books, &o)
	order := byName(inv.Components)
	var next atomic.Int64
	var wg sync.WaitGroup
	for j := range jobs {
		wg.Go(func() {
			m := w.matcher()
			for errs[j] == nil {
				from := int(next.Add(batch)) - batch
				if from >= len(order) {
					return
				}
				for _, i := range order[from:min(from+batch, len(order))] {
					if errs[j] = errors.Join(errs[j], ctx.Err()); errs[j] == nil {
						found[i], errs[j] = m.component(&inv.Components[i])
					}
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return inOrder(found), nil
}

// batch is how many components a worker takes at a time.
const batch = 32

// byName returns the order in which components are looked up: neighbours in a book one after the other.
func byName(all []biopsy.Component) []int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &all[a], &all[b]
		return cmp.Or(cmp.Compare(x.Eco, y.Eco), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name), cmp.Compare(a, b))
	})
	return order
}

// inOrder sorts by component and advisory. Each part is of one component.
func inOrder(parts [][]biopsy.Finding) []biopsy.Finding {
	parts = slices.DeleteFunc(parts, func(p []biopsy.Finding) bool { return len(p) == 0 })
	for _, p := range parts {
		slices.SortFunc(p, func(a, b biopsy.Finding) int { return cmp.Compare(a.Advisory, b.Advisory) })
	}
	slices.SortStableFunc(parts, func(a, b []biopsy.Finding) int { return cmp.Compare(a[0].Component, b[0].Component) })
	return slices.Concat(parts...)
}

// matcher is one worker with the packages it looked up lately.
type matcher struct {
	*world
	entries map[pkg][]refdb.Entry
	held    int // entries kept
}

// component answers for one component.
func (m *matcher) component(c *biopsy.Component) ([]biopsy.Finding, error) {
	asks, err := m.asks(c)
	if err != nil {
		return nil, err
	}
	var all []opinion
	for i := range asks {
		ops, err := m.opinions(&asks[i])
		if err != nil {
			return nil, fmt.Errorf("match %s: %w", c.Name, err)
		}
		all = append(all, ops...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return m.findings(c, all)
}

// asks are the questions that all rules have about a component.
func (m *matcher) asks(c *biopsy.Component) ([]ask, error) {
	var out []ask
	for _, r := range Rules {
		all, err := r.asks(c, m.world)
		if err != nil {
			return nil, fmt.Errorf("match %s: %w", c.Name, err)
		}
		for _, a := range all {
			if a.unless != nil {
				own, err := m.known(*a.unless)
				if err != nil {
					return nil, fmt.Errorf("match %s: %w", c.Name, err)
				}
				if len(own) > 0 {
					continue
				}
			}
			a.rule = r.Name
			out = append(out, a)
		}
	}
	return out, nil
}

// opinions asks all books one question.
func (m *matcher) opinions(a *ask) ([]opinion, error) {
	entries, err := m.known(pkg{a.ecosystem, a.name})
	if err != nil {
		return nil, err
	}
	var out []opinion
	for i := range entries {
		e := &entries[i]
		if !m.exists(e) || notAHole(e) {
			continue
		}
		if op, speaks := a.judge(e); speaks {
			out = append(out, op)
		}
	}
	return out, nil
}

// maxHeld bounds the entries a worker keeps: some tens of megabytes.
const maxHeld = 20_000

// known returns the entries of all books on a package, in the order of the books.
func (m *matcher) known(key pkg) ([]refdb.Entry, error) {
	if es, ok := m.entries[key]; ok {
		return es, nil
	}
	var out []refdb.Entry
	for _, b := range m.shelf.books {
		es, err := b.Package(key.ecosystem, key.name)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	if m.held += len(out) + 1; m.held > maxHeld {
		clear(m.entries)
		m.held = len(out) + 1
	}
	m.entries[key] = out
	return out, nil
}

// exists says whether a record stands at the time asked about.
func (m *matcher) exists(e *refdb.Entry) bool {
	return m.o.standing(e.Published, e.Modified, e.Withdrawn)
}

// standing: a record without date of publication counts from its last change.
func (o *Options) standing(published, modified, withdrawn time.Time) bool {
	asOf := o.AsOf
	if asOf.IsZero() {
		return withdrawn.IsZero()
	}
	if published.IsZero() {
		published = modified
	}
	return !published.After(asOf) && (withdrawn.IsZero() || withdrawn.After(asOf))
}
