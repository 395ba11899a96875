package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/refdb"
	"github.com/biopsy-sca/biopsy/scan"
)

// manyNames bounds the names that a look-up by beginning prints.
const manyNames = 100

func dbLookup(s *streams, db *string) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "lookup ID|PURL|CPE|NAME...",
		Short: "Print all that the books know of a hole, a package or a product",
		Long: `lookup prints every feed's record of an id (CVE, GHSA, DSA, ICSMA, ...), with what is known of its use; judges a package by its purl; lists
what is known of a CPE name; or says how long a product is supported. MAKER:PRODUCT finds finished products, MAKER: lists a maker's.`,
		Example: "  biopsy db lookup CVE-2017-5638\n  biopsy db lookup pkg:npm/lodash@4.17.15\n  biopsy db lookup cpe:2.3:a:openssl:openssl\n  biopsy db lookup debian\n  biopsy db lookup baxter:",
		Args:    atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := textOrJSON(format); err != nil {
				return err
			}
			b, err := openBooks(*db)
			if err != nil {
				return err
			}
			defer b.Close()
			return s.lookup(cmd.Context(), b, args, format)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "text", "`FORMAT`: text or json")
	return c
}

// known is all that the books know under one name.
type known struct {
	Query      string             `json:"query"`
	Exploit    *biopsy.Exploit    `json:"exploit,omitempty"`
	Advisories []biopsy.Advisory  `json:"advisories,omitempty"`
	Packages   []biopsy.Affected  `json:"packages,omitempty"` // of a CPE or product: what records say of it
	Findings   []biopsy.Finding   `json:"findings,omitempty"` // of a purl
	Support    *biopsy.Support    `json:"support,omitempty"`  // of a purl with a version
	Synonyms   []biopsy.Synonym   `json:"synonyms,omitempty"`
	Lifecycles []biopsy.Lifecycle `json:"lifecycles,omitempty"`
	Names      []string           `json:"names,omitempty"` // products that begin so

	scan    *biopsy.Scan // of a purl
	records []refdb.Entry
}

func (k *known) empty() bool {
	return k.Exploit == nil && len(k.Advisories)+len(k.Packages)+len(k.Findings)+len(k.Synonyms)+len(k.Lifecycles)+len(k.Names) == 0 && k.Support == nil
}

func (s *streams) lookup(ctx context.Context, b *books, args []string, format string) error {
	for _, arg := range args {
		k, err := b.lookup(ctx, arg)
		if err != nil {
			return err
		}
		if k.empty() {
			return hint.Add(fmt.Errorf("no book knows %s", arg), "biopsy db status says what the books hold; biopsy db update brings them up to date")
		}
		if format == "json" {
			err = writeJSON(s.out, k)
		} else {
			err = printKnown(s.out, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lookup asks by what the argument looks like.
func (b *books) lookup(ctx context.Context, arg string) (*known, error) {
	k := &known{Query: arg}
	switch {
	case strings.HasPrefix(arg, "pkg:"):
		return k, b.lookupPurl(ctx, k)
	case strings.HasPrefix(arg, "cpe:"):
		return k, b.lookupCPE(k)
	}
	if err := b.lookupID(k); err != nil || !k.empty() {
		return k, err
	}
	if err := b.alsoKnown(k, arg); err != nil || !strings.Contains(arg, ":") {
		return k, err
	}
	return k, b.lookupProduct(k)
}

// lookupID gathers every feed's record of an id.
func (b *books) lookupID(k *known) error {
	for _, book := range b.all {
		found, err := book.Lookup(k.Query)
		if err != nil {
			return err
		}
		k.Advisories = append(k.Advisories, found...)
		e, ok, err := book.Exploit(strings.ToUpper(k.Query))
		if err != nil {
			return err
		}
		if ok {
			k.Exploit = &e
		}
	}
	return nil
}

// lookupPurl judges one package as a scan would.
func (b *books) lookupPurl(ctx context.Context, k *known) error {
	c, err := eco.Component(k.Query)
	if err != nil {
		return usagef("%s: %w", k.Query, err)
	}
	k.scan = &biopsy.Scan{Inventory: biopsy.Inventory{Components: []biopsy.Component{c}}}
	if err := scan.Judge(ctx, k.scan, scan.Options{Books: b.list, Names: b.names}); err != nil {
		return err
	}
	k.Findings, k.Support = k.scan.Findings, k.scan.Components[0].Support
	return b.alsoKnown(k, eco.Purl(c.Eco, c.Namespace, c.Name, ""))
}

// lookupCPE lists what records say of a product that NVD names.
func (b *books) lookupCPE(k *known) error {
	n, err := cpe.Parse(k.Query)
	if err != nil {
		return usage(err)
	}
	if err := b.entries(k, "CPE", n.Key()); err != nil {
		return err
	}
	return b.alsoKnown(k, n.Product23())
}

// lookupProduct lists what records say of a finished product, or a maker's products.
func (b *books) lookupProduct(k *known) error {
	name := eco.NormalizeName("Product", k.Query)
	if !strings.HasSuffix(k.Query, ":") {
		if err := b.entries(k, "Product", name); err != nil || len(k.Packages) > 0 {
			return err
		}
	}
	for _, book := range b.all {
		names, err := book.Names("Product", k.Query, manyNames)
		if err != nil {
			return err
		}
		k.Names = append(k.Names, names...)
	}
	slices.Sort(k.Names)
	k.Names = slices.Compact(k.Names)
	return nil
}

func (b *books) entries(k *known, ecosystem, name string) error {
	for _, book := range b.all {
		entries, err := book.Package(ecosystem, name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			k.records, k.Packages = append(k.records, e), append(k.Packages, e.Affected)
		}
	}
	return nil
}

// alsoKnown gathers the other names of one, and how long what it names is supported.
func (b *books) alsoKnown(k *known, name string) error {
	for _, book := range b.all {
		same, err := book.Synonyms(name)
		if err != nil {
			return err
		}
		k.Synonyms = append(k.Synonyms, same...)
		cycles, err := book.Lifecycle(name)
		if err != nil {
			return err
		}
		k.Lifecycles = append(k.Lifecycles, cycles...)
	}
	return nil
}
