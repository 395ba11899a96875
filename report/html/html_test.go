package html

import (
	"bytes"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func scan() *biopsy.Scan {
	s := &biopsy.Scan{Tool: biopsy.Tool{Name: "biopsy", Version: "1"}, Subject: biopsy.Subject{Name: "pump <b>"}}
	s.Components = []biopsy.Component{{ID: "c1", Eco: "maven", Namespace: "org.x", Name: "</td><script>alert(1)</script>", Version: "2", Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "a.jar"}}}}}
	s.Findings = []biopsy.Finding{
		{Component: "c1", Advisory: "CVE-2", Answer: biopsy.Yes, Level: biopsy.LevelLow},
		{Component: "c1", Advisory: "CVE-1", Answer: biopsy.Yes, Level: biopsy.LevelHigh, Scored: "CVSS 3.1 by nvd", Exploit: &biopsy.Exploit{KEV: true, KEVDue: "2030-02-01", EPSS: 0.25, EPSSDate: "2030-01-01", Maturity: "active"}, URLs: []string{"javascript:alert(1)", "https://example.org"}},
		{Component: "c1", Advisory: "CVE-3", Answer: biopsy.Unknown}, {Component: "c1", Advisory: "CVE-4", Answer: biopsy.No},
	}
	s.Advice = []biopsy.Advice{{Name: "x", From: "2", To: "2.1", Best: true, Gone: 2, Because: "lowest of 2"}}
	s.Gaps = []biopsy.Gap{{Place: biopsy.Place{Path: "x"}, Reason: "encrypted", Size: 2048}}
	s.Ledgers = []biopsy.Ledger{{Place: biopsy.Place{Path: "fw.bin"}, Spans: []biopsy.Span{{Size: 75, Status: biopsy.BytesParsed, What: "squashfs"}, {Offset: 75, Size: 25}}}}
	return s
}

func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := write(&b, scan(), ""); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"pump &lt;b&gt;", "&lt;/td&gt;&lt;script&gt;", "KEV", "https://example.org", `class="parsed" x="0.0" width="7500.0"`, `class="unknown" x="7500.0" width="2500.0"`, "encrypted", "2.0 KiB", "CVSS 3.1 by nvd", "due 2030-02-01", "EPSS 0.250 of 2030-01-01", "exploitation: active", "lowest of 2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script>alert", "javascript:alert", "CVE-4", "http://", "src="} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	if strings.Index(page, "CVE-1") > strings.Index(page, "CVE-2") {
		t.Error("the exploited finding does not come first")
	}
}

func TestEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := write(&b, &biopsy.Scan{}, ""); err != nil || !strings.Contains(b.String(), "everything could be looked into") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
