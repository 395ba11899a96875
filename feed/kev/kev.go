// Package kev brings CISA's catalogue of known exploited vulnerabilities into the book of advisories.
//
// In: known_exploited_vulnerabilities.json, after CISA's schema of 2024-03. Out: one exploit per CVE, and a gap for each entry that
// cannot be read. It says that a hole is used by attackers, never that a product has it.
package kev

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// Feed is the KEV catalogue.
var Feed = biopsy.Feed{Name: "kev", Match: match, Parse: parse, Fetch: fetch}

// maxCatalogue bounds the document: 1,700 entries take 1.6 MB.
const maxCatalogue = 256 << 20

func match(name string, head []byte) bool {
	return strings.HasSuffix(name, ".json") && bytes.Contains(head, []byte(`"catalogVersion"`)) && bytes.Contains(head, []byte(`"vulnerabilities"`))
}

// entry is one element of "vulnerabilities".
type entry struct {
	CVE        string `json:"cveID"`
	Added      string `json:"dateAdded"`
	Due        string `json:"dueDate"`
	Action     string `json:"requiredAction"`
	Ransomware string `json:"knownRansomwareCampaignUse"` // "Known" or "Unknown"
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	if size > maxCatalogue {
		return fmt.Errorf("read %s: %d bytes, more than a catalogue may have (%d)", name, size, maxCatalogue)
	}
	d := json.NewDecoder(io.NewSectionReader(r, 0, size))
	if err := enter(d); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for n := 1; d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("read %s: entry %d at byte %d: %w", name, n, d.InputOffset(), err)
		}
		cve, e, err := exploit(raw)
		if err != nil {
			sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: name, Offset: d.InputOffset() - int64(len(raw))}, Reader: "kev", Reason: fmt.Sprintf("entry %d: %v", n, err)})
			continue
		}
		if err := sink.Exploit(cve, e); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("read %s: catalogue is cut short: %w", name, err)
	}
	return nil
}

// enter reads up to the first element of "vulnerabilities".
func enter(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("not a KEV catalogue: %w", orShape(err))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != "vulnerabilities" {
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return fmt.Errorf("vulnerabilities: %w", orShape(err))
		}
		return nil
	}
	return fmt.Errorf("not a KEV catalogue: no vulnerabilities")
}

func orShape(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("has another shape")
}

func exploit(raw []byte) (string, biopsy.Exploit, error) {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return "", biopsy.Exploit{}, err
	}
	if !strings.HasPrefix(e.CVE, "CVE-") {
		return "", biopsy.Exploit{}, fmt.Errorf("cveID %.40q is no CVE id", e.CVE)
	}
	if _, err := time.Parse(time.DateOnly, e.Added); err != nil {
		return "", biopsy.Exploit{}, fmt.Errorf("%.40s: dateAdded %.40q is not a date", e.CVE, e.Added)
	}
	if _, err := time.Parse(time.DateOnly, e.Due); err != nil && e.Due != "" {
		return "", biopsy.Exploit{}, fmt.Errorf("%.40s: dueDate %.40q is not a date", e.CVE, e.Due)
	}
	return e.CVE, biopsy.Exploit{KEV: true, KEVAdded: e.Added, KEVDue: e.Due, KEVAction: e.Action, Ransomware: e.Ransomware == "Known"}, nil
}
