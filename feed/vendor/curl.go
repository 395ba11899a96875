package vendor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// curl: https://curl.se/docs/vuln.json, an array of records after the OSV schema 1.5.0, whose packages have no name.
var curl = form{"curl", func(_ string, head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("[")) && bytes.Contains(head, []byte(`"CURL-CVE-`))
}, readCurl}

type curlRecord struct {
	ID        string    `json:"id"`
	Aliases   []string  `json:"aliases"`
	Summary   string    `json:"summary"`
	Details   string    `json:"details"`
	Published time.Time `json:"published"`
	Modified  time.Time `json:"modified"`
	Database  struct {
		Affects  string          `json:"affects"` // "lib", "tool", "both"
		WWW      string          `json:"www"`
		Severity string          `json:"severity"`
		CWE      json.RawMessage `json:"CWE"` // {"id": "CWE-122", ...}
	} `json:"database_specific"`
	Affected []struct {
		Ranges []struct {
			Type   string `json:"type"`
			Repo   string `json:"repo"`
			Events []struct {
				Introduced   string `json:"introduced"`
				Fixed        string `json:"fixed"`
				LastAffected string `json:"last_affected"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"` // the versions one by one, too, which the ranges say as well
}

func readCurl(s *source) error {
	var all []json.RawMessage
	if err := json.Unmarshal(s.doc, &all); err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	for i, raw := range all {
		var r curlRecord
		err := json.Unmarshal(raw, &r)
		if err == nil && (r.ID == "" || len(r.Affected) == 0) {
			err = errors.New("no id, or nothing affected")
		}
		if err != nil {
			s.bad(fmt.Sprintf("record %d %s", i+1, r.ID), err)
			continue
		}
		if err := s.give(r.advisory()); err != nil {
			return err
		}
	}
	return nil
}

func (r *curlRecord) advisory() biopsy.Advisory {
	a := biopsy.Advisory{ID: r.ID, Aliases: r.Aliases, Summary: r.Summary, Details: r.Details, Published: r.Published.UTC(), Modified: r.Modified.UTC(),
		Severity: word(r.Database.Severity, "curl")}
	if r.Database.WWW != "" {
		a.References = []biopsy.Reference{{Type: "ADVISORY", URL: r.Database.WWW}}
	}
	var cwe struct {
		ID string `json:"id"`
	}
	if len(r.Database.CWE) > 0 && json.Unmarshal(r.Database.CWE, &cwe) == nil && cwe.ID != "" {
		a.Extra = map[string]string{"cwe": cwe.ID}
	}
	for _, from := range r.Affected {
		af := biopsy.Affected{Ecosystem: "Upstream", Name: "curl"}
		if r.Database.Affects != "" {
			af.Extra = map[string]string{"affects": r.Database.Affects}
		}
		for _, fr := range from.Ranges {
			to := biopsy.Range{Type: "ECOSYSTEM", Repo: fr.Repo}
			if fr.Type == "GIT" {
				to.Type = "GIT"
			}
			for _, e := range fr.Events {
				for _, one := range []biopsy.Event{{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}} {
					if one != (biopsy.Event{}) {
						to.Events = append(to.Events, one)
					}
				}
			}
			af.Ranges = append(af.Ranges, to)
		}
		a.Affected = append(a.Affected, af)
	}
	return a
}
