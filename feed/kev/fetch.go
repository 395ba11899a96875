package kev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is CISA's folder of feeds.
const base = "https://www.cisa.gov/sites/default/files/feeds"

const file = "known_exploited_vulnerabilities.json"

// fetch brings the catalogue to kev/known_exploited_vulnerabilities.json below Dir.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return download.File{Feed: "kev", Base: base, Name: file, Max: maxCatalogue, Check: check, HTTP: &http.Client{}}.Fetch(ctx, o)
}

// check holds that the document is whole and is a catalogue: CISA sends no checksum.
func check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var doc struct {
		Count           int               `json:"count"`
		Vulnerabilities []json.RawMessage `json:"vulnerabilities"`
	}
	if err := json.NewDecoder(f).Decode(&doc); err != nil {
		return fmt.Errorf("not a KEV catalogue: %w", err)
	}
	if len(doc.Vulnerabilities) == 0 || doc.Count != len(doc.Vulnerabilities) {
		return fmt.Errorf("not a whole KEV catalogue: %d entries, and its count is %d", len(doc.Vulnerabilities), doc.Count)
	}
	return nil
}
