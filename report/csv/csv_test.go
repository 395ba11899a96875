package csv

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func TestRows(t *testing.T) {
	s := &biopsy.Scan{}
	s.Components = []biopsy.Component{
		{ID: "a", Namespace: "@scope", Name: "x", Version: "=1+1", Licenses: []biopsy.License{{Expression: "MIT"}, {Name: "custom"}}, Unowned: true, Support: &biopsy.Support{Level: "abandoned", End: "2020-01-01", Because: "=so"}, Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "p", Line: 3}}}},
		{ID: "b", Name: "y"},
	}
	s.Findings = []biopsy.Finding{
		{ID: "f1", Component: "a", Advisory: "CVE-1", Answer: biopsy.Yes, Level: "high", Score: 8.1, Scored: "CVSS 3.1 by x", Exposure: &biopsy.Exposure{Depth: 2}, Fixed: []string{"2", "3"}, Exploit: &biopsy.Exploit{KEV: true, KEVDue: "2099-01-01", Ransomware: true, Maturity: "active", Automatable: "no", EPSS: 0.5, EPSSDate: "2099-01-01"}, Because: []biopsy.Because{{Text: "so"}, {Text: "and\nso"}}},
		{Component: "a", Advisory: "CVE-2", Answer: biopsy.Unknown},
		{Component: "b", Advisory: "CVE-3", Answer: biopsy.No},
	}
	s.Advice = []biopsy.Advice{{Components: []string{"a"}, To: "3", Best: true, Clears: []string{"f1"}}, {Components: []string{"a"}, To: "2", Clears: []string{"f1"}}}
	var b bytes.Buffer
	if err := write(&b, s, ""); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll() // checks that all rows are as long as the head
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Fatalf("%d rows, want head, two findings of a, and b", len(rows))
	}
	want := []string{"'@scope/x", "'=1+1", "", "", "", "", "MIT; custom", "", "yes", "p:3", "CVE-1", "yes", "high", "8.1", "yes", "2099-01-01", "0.50000", "2; 3", "so; and\nso", "abandoned", "2020-01-01", "'=so",
		"CVSS 3.1 by x", "yes", "active", "no", "2099-01-01", "2", "3"}
	for i, w := range want {
		if rows[1][i] != w {
			t.Errorf("%s: got %q, want %q", rows[0][i], rows[1][i], w)
		}
	}
	if rows[3][0] != "y" || rows[3][10] != "" {
		t.Errorf("b's row: %q; a finding that is no is no row", rows[3])
	}
}
