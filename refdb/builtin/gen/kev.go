package main

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// listed is one hole of this book that CISA's catalogue of exploited vulnerabilities lists, as KEV.yaml has it.
type listed struct {
	ID         string `yaml:"id"`
	Added      string `yaml:"added"` // YYYY-MM-DD
	Due        string `yaml:"due"`   // YYYY-MM-DD
	Ransomware bool   `yaml:"ransomware"`
}

// loadKEV reads KEV.yaml; an entry without a record in the book is an error.
func loadKEV(path string, records []biopsy.Advisory) ([]listed, error) {
	var all []listed
	if err := read(path, &all); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, a := range records {
		known[a.ID] = true
	}
	for _, l := range all {
		if !known[l.ID] || l.Added == "" || l.Due == "" {
			return nil, fmt.Errorf("%s: %s has no record, or no dates", kevFile, l.ID)
		}
	}
	return all, nil
}

func (l listed) exploit() biopsy.Exploit {
	return biopsy.Exploit{KEV: true, KEVAdded: l.Added, KEVDue: l.Due, Ransomware: l.Ransomware}
}
