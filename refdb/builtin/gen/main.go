// Command gen builds the built-in book of advisories.
//
// In: advisories/*.yaml, lists of records with the field names of the OSV schema, NAMES.yaml and KEV.yaml. Out: book.refdb and names.tsv, the
// same bytes every time. It refuses records that are not complete; the rules are in check.go.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run builds both files in the folder of package builtin.
func run(dir string) error {
	records, err := load(filepath.Join(dir, "advisories"))
	if err != nil {
		return err
	}
	names, err := loadNames(filepath.Join(dir, "advisories", namesFile))
	if err != nil {
		return err
	}
	if err := errors.Join(check(records), checkNames(names, records)); err != nil {
		return err
	}
	exploited, err := loadKEV(filepath.Join(dir, "advisories", kevFile), records)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "names.tsv"), writeNames(names), 0o644); err != nil {
		return err
	}
	return build(records, exploited, names, filepath.Join(dir, "book.refdb"))
}

// build writes the book. Its time is that of the newest record: the clock would make every build another one.
func build(records []biopsy.Advisory, exploited []listed, names []name, path string) error {
	b := refdb.NewBuilder("")
	b.Name = "built-in advisories"
	var newest time.Time
	for _, a := range records {
		if err := b.Advisory(a); err != nil {
			return errors.Join(err, b.Close())
		}
		if a.Modified.After(newest) {
			newest = a.Modified
		}
	}
	for _, l := range exploited {
		if err := b.Exploit(l.ID, l.exploit()); err != nil {
			return errors.Join(err, b.Close())
		}
	}
	for _, n := range names {
		for _, s := range n.synonyms() {
			if err := b.Synonym(s); err != nil {
				return errors.Join(err, b.Close())
			}
		}
	}
	_, err := b.Commit(path, newest)
	return err
}
