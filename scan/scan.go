// Package scan is the walk on one page: the only room that knows the order of the others.
//
// What comes in: references to what a device ships, and the books. What goes out: one Scan. It will never print, and it looks at the
// clock only through its options.
package scan

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/enrich"
	"github.com/biopsy-sca/biopsy/identify"
	"github.com/biopsy-sca/biopsy/judge"
	"github.com/biopsy-sca/biopsy/kb"
	"github.com/biopsy-sca/biopsy/match"
	"github.com/biopsy-sca/biopsy/reconcile"
	"github.com/biopsy-sca/biopsy/source"
	"github.com/biopsy-sca/biopsy/unpack"
)

// Options is what a scan may be told. The zero value of a field asks for its default.
type Options struct {
	Tool     biopsy.Tool
	Name     string // of the whole; "" takes the first artifact's
	Version  string
	Depth    biopsy.Depth // "" is standard
	Jobs     int          // 0 is one per processor
	Limits   biopsy.Limits
	Exclude  []string
	Offline  bool
	Spool    biopsy.Spool
	Progress func(biopsy.Progress)

	Books    []Book
	Software []*kb.Book                         // books of software; none names nothing by its looks
	Names    func(purlType, name string) string // upstream name of a package; nil knows none
	AsOf     time.Time                          // zero is all knowledge
	FailOn   judge.FailOn
	Baseline *biopsy.Scan
	Now      time.Time // zero leaves the time out, so that equal input gives equal bytes
}

// Book is what a scan reads advisories from; *refdb.Book is one.
type Book interface {
	match.Book
	enrich.Book
	Snapshot() biopsy.Book
}

// Run walks every target once and says what is known then. A target that cannot be opened is an error; what cannot be read inside
// one is a gap.
func Run(ctx context.Context, targets []string, o Options) (*biopsy.Scan, error) {
	o = defaults(o)
	s := begin(o)
	for _, b := range o.Software {
		s.Books = append(s.Books, b.Snapshot())
	}
	for _, ref := range targets {
		if err := addTarget(ctx, s, ref, o); err != nil {
			return nil, err
		}
	}
	sortInventory(&s.Inventory)
	s.Subject = subject(o, s)
	return s, Judge(ctx, s, o)
}

// Judge matches a scan's inventory against the books and applies the rules: the second half of the walk, for a scan file or SBOM as
// well as for a fresh inventory.
func Judge(ctx context.Context, s *biopsy.Scan, o Options) error {
	var books []match.Book
	s.Books = slices.DeleteFunc(s.Books, func(b biopsy.Book) bool { return !kb.Named(b.Name) }) // what named the components has done so
	for _, b := range o.Books {
		books = append(books, b)
		s.Books = append(s.Books, b.Snapshot())
	}
	err := support(s, o)
	if err != nil {
		return err
	}
	m := match.Options{AsOf: o.AsOf, Names: o.Names, Jobs: o.Jobs}
	if s.Findings, err = match.Run(ctx, &s.Inventory, books, m); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if err = match.RuleOut(ctx, &s.Inventory, books, s.Findings, m); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if s.Advice, err = match.Advise(ctx, &s.Inventory, s.Findings, books, m); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	var base []biopsy.Finding
	if o.Baseline != nil {
		base = o.Baseline.Findings
	}
	s.Verdicts = o.FailOn.Verdicts(s.Findings, base)
	return nil
}

func defaults(o Options) Options {
	o.Depth = cmp.Or(o.Depth, biopsy.Standard)
	o.Jobs = cmp.Or(o.Jobs, runtime.GOMAXPROCS(0))
	if o.Limits == (biopsy.Limits{}) {
		o.Limits = biopsy.DefaultLimits
	}
	return o
}

func begin(o Options) *biopsy.Scan {
	s := &biopsy.Scan{Biopsy: biopsy.ScanVersion, Tool: o.Tool, Options: biopsy.Options{Depth: o.Depth, Exclude: o.Exclude}}
	if !o.AsOf.IsZero() {
		s.Options.AsOf = o.AsOf.UTC().Format(time.DateOnly)
	}
	if !o.Now.IsZero() {
		s.Created = o.Now.UTC().Format(time.RFC3339)
	}
	return s
}

// addTarget opens one target, walks it and puts its inventory beside the others.
func addTarget(ctx context.Context, s *biopsy.Scan, ref string, o Options) error {
	tree, err := source.Open(ctx, ref, biopsy.OpenOptions{Spool: o.Spool, Limits: o.Limits, Exclude: o.Exclude, Offline: o.Offline})
	if err != nil {
		return err
	}
	defer tree.Close()
	index := len(s.Artifacts)
	if tree.Inventory != nil {
		adopt(&s.Inventory, tree, index)
		if index == 0 && tree.Subject != nil {
			s.Subject = *tree.Subject
		}
		return nil
	}
	w := &walk{depth: o.Depth, readers: identify.NewReaders(identify.With(o.Software), o.Depth), limits: o.Limits, budget: unpack.NewBudget(o.Limits), spool: o.Spool, tell: o.Progress, single: tree.Artifact.Kind == "file"}
	if tree.Artifact.Digest == "" && o.Depth != biopsy.Quick {
		w.sum = newTreeSum()
	}
	if err := w.run(ctx, tree, o.Jobs); err != nil {
		return fmt.Errorf("scan %s: %w", ref, err)
	}
	art := tree.Artifact
	if index == 0 && art.Kind == "file" && w.image.Load() {
		s.Subject.Kind = biopsy.Firmware
	}
	art.Files, art.Size = int(w.files.Load()), w.size.Load()
	switch {
	case w.sum != nil && art.Kind == "file":
		art.Digest = w.sum.last
	case w.sum != nil:
		art.Digest = w.sum.String()
	}
	for i := range w.evidence {
		w.evidence[i].Place.Artifact = index
	}
	gaps := w.gaps.list()
	for i := range gaps {
		gaps[i].Place.Artifact = index
	}
	for i := range w.ledgers {
		w.ledgers[i].Place.Artifact = index
	}
	components, relations := reconcile.Run(index, art, w.evidence)
	s.Artifacts = append(s.Artifacts, art)
	s.Components = append(s.Components, components...)
	s.Relations = append(s.Relations, relations...)
	s.Gaps = append(s.Gaps, gaps...)
	s.Ledgers = append(s.Ledgers, w.ledgers...)
	return nil
}

// adopt takes an SBOM's own inventory over; edges from its root hang from the artifact.
func adopt(inv *biopsy.Inventory, tree *biopsy.Tree, index int) {
	root := fmt.Sprintf("artifact:%d", index)
	for _, r := range tree.Inventory.Relations {
		if r.From == "artifact:0" {
			r.From = root
		}
		inv.Relations = append(inv.Relations, r)
	}
	for _, c := range tree.Inventory.Components {
		for i := range c.Evidence {
			c.Evidence[i].Place.Artifact = index
		}
	}
	for i := range tree.Inventory.Gaps {
		tree.Inventory.Gaps[i].Place.Artifact = index
	}
	for i := range tree.Inventory.Ledgers {
		tree.Inventory.Ledgers[i].Place.Artifact = index
	}
	inv.Ledgers = append(inv.Ledgers, tree.Inventory.Ledgers...)
	inv.Artifacts = append(inv.Artifacts, tree.Artifact)
	inv.Components = append(inv.Components, tree.Inventory.Components...)
	inv.Gaps = append(inv.Gaps, tree.Inventory.Gaps...)
}

// sortInventory folds what several targets share and sorts everything.
func sortInventory(inv *biopsy.Inventory) {
	slices.SortStableFunc(inv.Components, func(a, b biopsy.Component) int { return cmp.Compare(a.ID, b.ID) })
	inv.Components = fold(inv.Components)
	slices.SortFunc(inv.Relations, func(a, b biopsy.Relation) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.To, b.To), cmp.Compare(a.Scope, b.Scope))
	})
	inv.Relations = slices.Compact(inv.Relations)
	slices.SortFunc(inv.Gaps, compareGaps)
	inv.Gaps = slices.Compact(inv.Gaps)
	slices.SortFunc(inv.Ledgers, func(a, b biopsy.Ledger) int { return a.Place.Compare(b.Place) })
}

// fold makes one component of those that several targets brought; all evidence stays.
func fold(sorted []biopsy.Component) []biopsy.Component {
	out := sorted[:0]
	for _, c := range sorted {
		if n := len(out); n > 0 && out[n-1].ID == c.ID {
			out[n-1].Evidence = append(out[n-1].Evidence, c.Evidence...)
			continue
		}
		out = append(out, c)
	}
	return out
}

// subject is what the user says the whole is, else what an SBOM says of itself, else the first artifact.
func subject(o Options, s *biopsy.Scan) biopsy.Subject {
	out := s.Subject
	if o.Name != "" {
		out = biopsy.Subject{Name: o.Name, Kind: out.Kind, Manufacturer: out.Manufacturer}
	}
	out.Version = cmp.Or(o.Version, out.Version)
	if len(s.Artifacts) > 0 {
		out.Name = cmp.Or(out.Name, s.Artifacts[0].Name)
		if s.Artifacts[0].Kind == "container-image" {
			out.Kind = cmp.Or(out.Kind, biopsy.Container)
		}
	}
	out.Kind = cmp.Or(out.Kind, biopsy.Application)
	return out
}
