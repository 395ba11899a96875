package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// TestBookIsNotStale builds everything again: it fails when a record is malformed and when somebody forgot `go generate`.
func TestBookIsNotStale(t *testing.T) {
	records, err := load("../advisories")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(records); err != nil {
		t.Fatal(err)
	}
	names, err := loadNames("../advisories/" + namesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkNames(names, records); err != nil {
		t.Fatal(err)
	}
	exploited, err := loadKEV("../advisories/"+kevFile, records)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "book.refdb")
	if err := build(records, exploited, names, path); err != nil {
		t.Fatal(err)
	}
	book, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "../book.refdb", book)
	same(t, "../names.tsv", writeNames(names))
}

func same(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what advisories/ says: run `go generate ./refdb/builtin`", path)
	}
}

func TestNamesAreChecked(t *testing.T) {
	records := []biopsy.Advisory{good()}
	for want, names := range map[string][]name{
		`"Zlib" is a name of zlib and of zlib-ng`: {{Name: "pump"}, {Name: "zlib"}, {Name: "zlib-ng", AKA: []string{"Zlib"}}},
		"is not cpe:2.3":                        {{Name: "pump", CPE: []string{"cpe:/a:x:y"}}},
		"CVE-2026-1: pump is not in NAMES.yaml": {{Name: "zlib"}},
	} {
		if err := checkNames(names, records); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := checkNames([]name{{Name: "pump"}}, records); err != nil {
		t.Error(err)
	}
}

// good returns a record without fault.
func good() biopsy.Advisory {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return biopsy.Advisory{
		ID: "CVE-2026-1", Published: day, Modified: day, Summary: "A hole.",
		Severity:   []biopsy.Severity{{Type: "CVSS_V3", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		References: []biopsy.Reference{{URL: "https://example.org"}},
		Affected: []biopsy.Affected{{Ecosystem: "Upstream", Name: "pump", Ranges: []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{
			{Introduced: "0"}, {Fixed: "1.2"}, {Introduced: "2.0"}, {LastAffected: "2.0"},
		}}}}},
	}
}

func TestFaults(t *testing.T) {
	a := good()
	if wrong := faults(&a); len(wrong) != 0 {
		t.Fatalf("the good record has faults: %v", wrong)
	}
	events := func(e ...biopsy.Event) func(*biopsy.Advisory) {
		return func(a *biopsy.Advisory) { a.Affected[0].Ranges[0].Events = e }
	}
	for want, spoil := range map[string]func(*biopsy.Advisory){
		"the id is empty":                 func(a *biopsy.Advisory) { a.ID = "" },
		"full stop":                       func(a *biopsy.Advisory) { a.Summary = "A hole" },
		"published":                       func(a *biopsy.Advisory) { a.Modified = a.Modified.AddDate(0, 0, -1) },
		"severity CVSS_V3":                func(a *biopsy.Advisory) { a.Severity[0].Vector = "CVSS:3.1/AV:N" },
		"severity word":                   func(a *biopsy.Advisory) { a.Severity[0].Type = "word" },
		"no reference":                    func(a *biopsy.Advisory) { a.References = nil },
		"is no address":                   func(a *biopsy.Advisory) { a.References[0].URL = "example.org" },
		"no package":                      func(a *biopsy.Advisory) { a.Affected = nil },
		"have no order here":              func(a *biopsy.Advisory) { a.Affected[0].Ecosystem = "Nowhere" },
		"not as look-ups spell it":        func(a *biopsy.Advisory) { a.Affected[0].Name = "Pump" },
		"no range and no version":         func(a *biopsy.Advisory) { a.Affected[0].Ranges = nil },
		`version "x"`:                     func(a *biopsy.Advisory) { a.Affected[0].Versions = []string{"x"} },
		`range of type "GIT"`:             func(a *biopsy.Advisory) { a.Affected[0].Ranges[0].Type = "GIT" },
		"does not begin with introduced":  events(biopsy.Event{Fixed: "1"}),
		"event 2 of a range is out of":    events(biopsy.Event{Introduced: "1"}, biopsy.Event{Introduced: "2"}),
		"event 2 of a range: ":            events(biopsy.Event{Introduced: "1"}, biopsy.Event{Fixed: "x"}),
		"does not rise from 2 to 1":       events(biopsy.Event{Introduced: "2"}, biopsy.Event{Fixed: "1"}),
		"does not rise from 1.0 to 1.0 (": events(biopsy.Event{Introduced: "1.0"}, biopsy.Event{Fixed: "1.0"}),
	} {
		a := good()
		spoil(&a)
		if got := strings.Join(faults(&a), "; "); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := check([]biopsy.Advisory{good(), good()}); err == nil || !strings.Contains(err.Error(), "twice") || !strings.Contains(err.Error(), "fewer than") {
		t.Errorf("got %v", err)
	}
}

func TestLoadRefusesWhatItDoesNotKnow(t *testing.T) {
	for doc, want := range map[string]string{
		"- id: X\n  sumary: oops\n": "sumary",
		"- id: X\n  affected: [{ranges: [{events: [{introduced: 1, fixed: 2}]}]}]\n": "exactly one key",
		"- id: X\n  affected: [{ranges: [{events: [{patched: 1}]}]}]\n":              "none of OSV's",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := load(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.yaml") {
			t.Errorf("%q: got %v, want %q", doc, err, want)
		}
	}
}

func TestVersionsThatLookLikeNumbersStayAsWritten(t *testing.T) {
	dir := t.TempDir()
	doc := "- id: X\n  affected: [{package: {ecosystem: Upstream, name: x}, ranges: [{type: ECOSYSTEM, events: [{introduced: 1.10}, {fixed: 1e3}]}], versions: [2.0, 010]}]\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(doc), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := got[0].Affected[0]
	if text := p.Ranges[0].Events[0].Introduced + " " + p.Ranges[0].Events[1].Fixed + " " + strings.Join(p.Versions, " "); text != "1.10 1e3 2.0 010" {
		t.Errorf("got %q", text)
	}
}
