package main

import (
	"context"
	"fmt"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/report/text"
	"github.com/biopsy-sca/biopsy/scan"
)

// lookupPurl judges one package as a scan would, and prints every answer with its reason.
func lookupPurl(ctx context.Context, s *streams, b *books, purl string) error {
	c, err := eco.Component(purl)
	if err != nil {
		return usagef("%s: %w", purl, err)
	}
	one := &biopsy.Scan{Inventory: biopsy.Inventory{Components: []biopsy.Component{c}}}
	if err := scan.Judge(ctx, one, scan.Options{Books: b.list, Names: b.names}); err != nil {
		return err
	}
	if len(one.Findings) == 0 {
		fmt.Fprintf(s.out, "%s: no book knows the package\n", purl)
		return nil
	}
	return text.Answers(s.out, one)
}
