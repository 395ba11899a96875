package nvd

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/format/cpe"
	"github.com/biopsy-sca/biopsy/format/cve"
)

// TestRealConfigurations asks, of every record of a folder of NVD's files, each criterion by itself whether it holds each version that
// its product's criteria name, and wants the entries that were made of all of them to say the same. 51,151 records ask some 900,000 times.
func TestRealConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv(corpora), "*.json.gz"))
	if err != nil || os.Getenv(corpora) == "" || len(files) == 0 {
		t.Skip(corpora + " names no folder with files of NVD")
	}
	asked, wrong := 0, 0
	for _, path := range files {
		for _, doc := range elements(t, path) {
			var e element
			if err := json.Unmarshal(doc, &e); err != nil {
				continue // told as bad by the feed
			}
			got := cve.Configured(e.CVE.Configurations, "")
			for name, list := range byName(e.CVE.Configurations) {
				for _, v := range versionsOf(list) {
					asked++
					if want, have := anyHolds(list, v), says(got.Affected, name, v); want != have && len(got.Bad) == 0 {
						if wrong++; wrong < 20 {
							t.Errorf("%s: %s of %s: got %v, want %v", e.CVE.ID, v, name, have, want)
						}
					}
				}
			}
		}
	}
	t.Logf("asked %d times, %d wrong", asked, wrong)
}

func elements(t *testing.T, path string) [][]byte {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := newSplitter(z)
	var out [][]byte
	for {
		doc, err := s.next(nil)
		switch {
		case err == io.EOF:
			return out
		case err != nil && !errors.Is(err, errTooLong):
			t.Fatal(err)
		case err == nil:
			out = append(out, bytes.Clone(doc))
		}
	}
}

// byName sorts vulnerable criteria by their name apart from version; names with version and update, and what no order knows, are left
// out.
func byName(all []cve.Configuration) map[string][]cve.Criteria {
	out := map[string][]cve.Criteria{}
	odd := map[string]bool{}
	for _, c := range all {
		for _, n := range c.Nodes {
			for _, m := range n.Matches {
				name, err := cpe.Parse(m.CPE)
				if err != nil || !m.Vulnerable || c.Negate || n.Negate {
					continue
				}
				own := name.Version
				name.Version = cpe.Any
				key := name.String()
				if !own.Literal() && own != cpe.Any || own.Literal() && name.Update != cpe.Any && name.Update != cpe.NA {
					odd[key] = true
				}
				for _, v := range []string{m.StartIncluding, m.StartExcluding, m.EndIncluding, m.EndExcluding} {
					if _, err := eco.Compare("CPE", v, v); v != "" && err != nil || strings.Contains(v, "x") {
						odd[key] = true // "5.x" is read as a branch
					}
				}
				if own.Literal() && m.StartIncluding+m.StartExcluding+m.EndIncluding+m.EndExcluding == "" {
					m.StartIncluding, m.EndIncluding = string(own), string(own)
					if _, err := eco.Compare("CPE", string(own), string(own)); err != nil || strings.Contains(string(own), "x") {
						odd[key] = true
					}
				}
				if out[key] = append(out[key], m); len(out[key]) > 200 {
					odd[key] = true // asking all about all would take too long
				}
			}
		}
	}
	for key := range odd {
		delete(out, key)
	}
	return out
}

func versionsOf(list []cve.Criteria) []string {
	var out []string
	for _, m := range list {
		for _, v := range []string{m.StartIncluding, m.StartExcluding, m.EndIncluding, m.EndExcluding} {
			if v != "" {
				out = append(out, v, v+".0.1")
			}
		}
	}
	return append(out, "0.0.1", "99999")
}

func anyHolds(list []cve.Criteria, v string) bool {
	for _, m := range list {
		at := func(end string) int { c, _ := eco.Compare("CPE", v, end); return c }
		if (m.StartIncluding == "" || m.StartIncluding == "0" || at(m.StartIncluding) >= 0) && (m.StartExcluding == "" || at(m.StartExcluding) > 0) &&
			(m.EndIncluding == "" || at(m.EndIncluding) <= 0) && (m.EndExcluding == "" || at(m.EndExcluding) < 0) {
			return true
		}
	}
	return false
}

// says asks the entries of a name.
func says(all []biopsy.Affected, name, v string) bool {
	for _, a := range all {
		if a.CPE == name && holds(&a, v) {
			return true
		}
	}
	return false
}

func holds(a *biopsy.Affected, v string) bool {
	for _, good := range strings.Fields(a.Extra["except"]) {
		if c, err := eco.Compare("CPE", v, good); err == nil && c == 0 {
			return false
		}
	}
	for _, bad := range a.Versions {
		if c, err := eco.Compare("CPE", v, bad); err == nil && c == 0 {
			return true
		}
	}
	for _, r := range a.Ranges {
		in := false
		for _, e := range r.Events {
			at := func(end string) int {
				if end == "0" {
					return 1
				}
				c, _ := eco.Compare("CPE", v, end)
				return c
			}
			switch {
			case e.Introduced != "" && at(e.Introduced) >= 0:
				in = true
			case e.Fixed != "" && at(e.Fixed) >= 0, e.LastAffected != "" && at(e.LastAffected) > 0:
				in = false
			}
		}
		if in {
			return true
		}
	}
	return false
}
