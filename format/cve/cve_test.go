package cve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// names knows one project, by its name and its CPE.
func names(purlType, name string) string {
	if name == "openssl" || purlType == "cpe" && name == "cpe:2.3:a:openssl:openssl" {
		return "openssl"
	}
	return ""
}

func TestRecords(t *testing.T) {
	docs, err := filepath.Glob("testdata/record/*.json")
	if err != nil || len(docs) < 10 {
		t.Fatalf("got %d cases, %v", len(docs), err)
	}
	for _, path := range docs {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			wanted(t, strings.TrimSuffix(path, ".json")+".want", reading(t, doc))
		})
	}
}

func reading(t *testing.T, doc []byte) string {
	got, err := Decode(doc, names)
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(struct {
		Advisory biopsy.Advisory
		Exploit  biopsy.Exploit
		Synonyms []biopsy.Synonym `json:",omitempty"`
		Bad      []string         `json:",omitempty"`
	}{got.Advisory, got.Exploit, got.Synonyms, got.Bad}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzDecode: any bytes come back without a panic, twice the same, and every range that comes out begins somewhere.
func FuzzDecode(f *testing.F) {
	docs, err := filepath.Glob("testdata/record/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range docs {
		doc, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := Decode(doc, names)
		if err != nil {
			return
		}
		if first, second := reading(t, doc), reading(t, doc); first != second {
			t.Fatalf("got\n%s\nand then\n%s", first, second)
		}
		for _, a := range got.Advisory.Affected {
			if a.Ecosystem == "" || a.Name == "" {
				t.Fatalf("an affected package without name: %+v", a)
			}
			for _, r := range a.Ranges {
				if len(r.Events) == 0 || r.Events[0].Introduced == "" {
					t.Fatalf("a range that begins nowhere: %+v", a)
				}
			}
		}
	})
}

func TestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2024-09-23T17:25:00.509Z":         "2024-09-23T17:25:00.509Z",
		"2026-03-27T08:10:17.375000+02:00": "2026-03-27T06:10:17.375Z",
		"2023-09-12T15:15:24.327":          "2023-09-12T15:15:24.327Z",
		"2023-09-12":                       "2023-09-12T00:00:00Z",
		"":                                 "0001-01-01T00:00:00Z",
	} {
		got, err := Time(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("Time(%q): got %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"2024-02-30T00:00:00Z", "1752-01-01", "2924-01-01", "soon", "2024-01-01T25:00:00"} {
		if got, err := Time(text); err == nil {
			t.Errorf("Time(%q): got %v, want an error", text, got)
		}
	}
}

func TestIsID(t *testing.T) {
	for id, want := range map[string]bool{"CVE-2024-1234": true, "CVE-1999-0001": true, "CVE-2024-1234567": true, "CVE-24-1234": false, "CVE-2024-12": false,
		"cve-2024-1234": false, "CVE-2024-12x4": false, "2024-1234": false, "CVE-2024-12345678901234567890": false, "": false} {
		if got := IsID(id); got != want {
			t.Errorf("IsID(%q): got %v, want %v", id, got, want)
		}
	}
}

// BenchmarkDecode reads the kernel's record, which is as long as most.
func BenchmarkDecode(b *testing.B) {
	doc, err := os.ReadFile("testdata/record/kernel.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(doc, names); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
