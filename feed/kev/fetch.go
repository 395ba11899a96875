package kev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is CISA's folder of feeds.
const base = "https://www.cisa.gov/sites/default/files/feeds"

const file = "known_exploited_vulnerabilities.json"

// fetch brings the catalogue to kev/known_exploited_vulnerabilities.json below Dir.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	from := strings.TrimSuffix(o.Base, "/")
	if from == "" {
		from = base
	}
	c := &download.Client{HTTP: &http.Client{}, Sleep: download.Sleep, Max: maxCatalogue}
	if o.Events != nil {
		c.Progress = func(done, total int64) {
			o.Events(biopsy.Progress{Stage: "fetch kev", Item: file, Done: done, Total: total})
		}
	}
	path := filepath.Join(o.Dir, "kev", file)
	if _, err := c.Get(ctx, from+"/"+file, path, check); err != nil {
		if age := download.Age(path); age != "" {
			return fmt.Errorf("kev: %w; the catalogue of %s stays in use", err, age)
		}
		return fmt.Errorf("kev: %w", err)
	}
	return nil
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
