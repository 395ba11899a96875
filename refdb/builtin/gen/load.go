package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"go.yaml.in/yaml/v3"
)

// The files that hold no advisories.
const (
	namesFile = "NAMES.yaml"
	kevFile   = "KEV.yaml"
)

// record is one advisory as written, with OSV's names.
type record struct {
	ID         string    `yaml:"id"`
	Aliases    []string  `yaml:"aliases"`
	Published  time.Time `yaml:"published"`
	Modified   time.Time `yaml:"modified"`
	Withdrawn  time.Time `yaml:"withdrawn"`
	Summary    string    `yaml:"summary"`
	Details    string    `yaml:"details"`
	Severity   []vector  `yaml:"severity"`
	Affected   []pkg     `yaml:"affected"`
	References []ref     `yaml:"references"`
	Database   struct {
		Family  string   `yaml:"family"`
		CWE     []string `yaml:"cwe"`
		Checked string   `yaml:"checked"` // where the ranges were compared: "nvd", "vendor", "osv", ...
	} `yaml:"database_specific"`
}

type vector struct {
	Type  string `yaml:"type"`
	Score string `yaml:"score"`
}

type ref struct {
	Type string `yaml:"type"`
	URL  string `yaml:"url"`
}

type pkg struct {
	Package struct {
		Ecosystem string `yaml:"ecosystem"`
		Name      string `yaml:"name"`
		Purl      string `yaml:"purl"`
	} `yaml:"package"`
	Ranges []struct {
		Type   string              `yaml:"type"`
		Repo   string              `yaml:"repo"`
		Events []map[string]string `yaml:"events"`
	} `yaml:"ranges"`
	Versions []string          `yaml:"versions"`
	Files    []string          `yaml:"files"` // source files that the hole lies in
	Database map[string]string `yaml:"database_specific"`
}

// load reads all advisories, in order of file name.
func load(dir string) ([]biopsy.Advisory, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var all []biopsy.Advisory
	for _, path := range paths {
		if base := filepath.Base(path); base == namesFile || base == kevFile {
			continue
		}
		var records []record
		if err := read(path, &records); err != nil {
			return nil, err
		}
		for i := range records {
			a, err := records[i].advisory()
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, records[i].ID, err)
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// read decodes one file; a key that nobody knows is an error.
func read(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (r *record) advisory() (biopsy.Advisory, error) {
	a := biopsy.Advisory{ID: r.ID, Aliases: r.Aliases, Summary: r.Summary, Details: strings.TrimSpace(r.Details), Source: "builtin"}
	a.Published, a.Modified, a.Withdrawn = r.Published.UTC(), r.Modified.UTC(), r.Withdrawn
	for _, s := range r.Severity {
		a.Severity = append(a.Severity, biopsy.Severity{Type: s.Type, Vector: s.Score})
	}
	for _, f := range r.References {
		a.References = append(a.References, biopsy.Reference(f))
	}
	for i := range r.Affected {
		p, err := r.Affected[i].affected()
		if err != nil {
			return a, err
		}
		a.Affected = append(a.Affected, p)
	}
	a.Extra = map[string]string{}
	for key, value := range map[string]string{"family": r.Database.Family, "cwe": strings.Join(r.Database.CWE, ","), "checked": r.Database.Checked} {
		if value != "" {
			a.Extra[key] = value
		}
	}
	return a, nil
}

func (p *pkg) affected() (biopsy.Affected, error) {
	out := biopsy.Affected{Ecosystem: p.Package.Ecosystem, Name: p.Package.Name, Purl: p.Package.Purl, Versions: p.Versions, Files: p.Files, Extra: p.Database}
	for _, r := range p.Ranges {
		one := biopsy.Range{Type: r.Type, Repo: r.Repo}
		for _, e := range r.Events {
			event, err := eventOf(e)
			if err != nil {
				return out, err
			}
			one.Events = append(one.Events, event)
		}
		out.Ranges = append(out.Ranges, one)
	}
	return out, nil
}

func eventOf(e map[string]string) (biopsy.Event, error) {
	if len(e) != 1 {
		return biopsy.Event{}, fmt.Errorf("event %v has not exactly one key", e)
	}
	for key, version := range e {
		switch key {
		case "introduced":
			return biopsy.Event{Introduced: version}, nil
		case "fixed":
			return biopsy.Event{Fixed: version}, nil
		case "last_affected":
			return biopsy.Event{LastAffected: version}, nil
		case "limit":
			return biopsy.Event{Limit: version}, nil
		}
	}
	return biopsy.Event{}, fmt.Errorf("event %v is none of OSV's", e)
}
