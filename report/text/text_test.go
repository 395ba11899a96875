package text

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

func pump() *biopsy.Scan {
	s := &biopsy.Scan{Options: biopsy.Options{Depth: biopsy.Standard}, Books: []biopsy.Book{{Name: "built-in advisories", Records: 190}}}
	s.Artifacts = []biopsy.Artifact{{Name: "pump", Kind: "directory", Files: 1, Size: 3 << 20}}
	s.Components = []biopsy.Component{
		{ID: "c1", Eco: "maven", Namespace: "org.apache.struts", Name: "struts2-core", Version: "2.3.31", Licenses: []biopsy.License{{Expression: "Apache-2.0"}}, Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "lib/struts2-core-2.3.31.jar"}}}},
		{ID: "c2", Eco: "deb", Distro: "debian-12", Namespace: "debian", Name: "zlib1g", Version: "1:1.2.13", Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "var/lib/dpkg/status", Line: 7}}}},
		{ID: "c4", Eco: "npm", Name: "hl7-codec", Version: "1.0.0", Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "package-lock.json", Line: 3}}}},
		{ID: "c3", Kind: biopsy.FileKind, Name: "pumpd", Unowned: true, Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "usr/sbin/pu\x1b[31mmpd"}}}},
	}
	s.Findings = []biopsy.Finding{
		{ID: "f1", Component: "c1", Advisory: "CVE-2017-5638", Answer: biopsy.Yes, Level: biopsy.LevelCritical, Score: 10, Exploit: &biopsy.Exploit{KEV: true}, Fixed: []string{"2.3.32"}},
		{ID: "f2", Component: "c2", Advisory: "CVE-2023-45853", Answer: biopsy.Unknown, Level: biopsy.LevelHigh},
		{ID: "f3", Component: "c2", Advisory: "CVE-2022-37434", Answer: biopsy.No},
		{ID: "f4", Component: "c1", Advisory: "CVE-2020-17530", Answer: biopsy.Yes, Level: biopsy.LevelMedium},
	}
	s.Advice = []biopsy.Advice{
		{Name: "org.apache.struts/struts2-core", From: "2.3.31", To: "6.3.0.2", Best: true, Gone: 2},
		{Name: "org.apache.struts/struts2-core", From: "2.3.31", To: "2.3.32", Gone: 1, Stay: 1},
		{Name: "zlib", From: "1:1.2.13", To: "1:1.2.13.1", Best: true, Gone: 1, Stay: 2, Brings: []string{"CVE-2030-1"}},
	}
	s.Gaps = []biopsy.Gap{{Place: biopsy.Place{Path: "fw.bin", Offset: 512}, Reason: "encrypted", Size: 2048}, {Place: biopsy.Place{Path: "x"}, Reason: "permission denied"}}
	s.Ledgers = []biopsy.Ledger{{Place: biopsy.Place{Path: "fw.bin"}, Spans: []biopsy.Span{{Size: 99999, Status: biopsy.BytesParsed}, {Offset: 99999, Size: 1}}}, {Place: biopsy.Place{Path: "fw.bin!0x0.squashfs"}}}
	s.Verdicts = []biopsy.Verdict{{Rule: "fail-on:high", Message: "1 findings high or worse"}}
	return s
}

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer) error{
		"summary": func(b *bytes.Buffer) error { return Summary(b, pump(), Style{Rows: 1}) },
		"table":   func(b *bytes.Buffer) error { return Table(b, pump()) },
		"answers": func(b *bytes.Buffer) error { return Answers(b, pump()) },
		"empty":   func(b *bytes.Buffer) error { return Summary(b, &biopsy.Scan{}, Style{}) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	var plain, painted bytes.Buffer
	if err := Summary(&plain, pump(), Style{}); err != nil {
		t.Fatal(err)
	}
	if err := Summary(&painted, pump(), Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("an escape sequence without colour, or one from the input")
	}
	if !strings.Contains(painted.String(), "\x1b[1;31mcritical\x1b[0m") {
		t.Error("critical is not painted")
	}
}
