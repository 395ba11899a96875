package builtin

import (
	"strings"
	"testing"
)

func TestBook(t *testing.T) {
	b, err := Book()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(); err != nil {
		t.Error(err)
	}
	s := b.Snapshot()
	if s.Name != "built-in advisories" || s.Records < 150 || len(s.Feeds) != 3 || s.Feeds[0].Feed != "builtin" || s.Feeds[1].Feed != "kev" {
		t.Errorf("got %+v", s)
	}
	if x, ok, err := b.Exploit("CVE-2017-5638"); err != nil || !ok || !x.KEV || x.KEVDue != "2022-05-03" {
		t.Errorf("Struts: got %+v, %v, %v; it is on CISA's list, due 2022-05-03", x, ok, err)
	}
	e, err := b.Package("Upstream", "OpenSSL")
	if err != nil || len(e) == 0 {
		t.Fatalf("OpenSSL: got %d entries, %v", len(e), err)
	}
	var ids []string
	for _, one := range e {
		ids = append(ids, one.ID)
		for _, s := range one.Severity {
			if strings.HasPrefix(s.Type, "CVSS") && s.Score == 0 {
				t.Errorf("%s: no score for %s", one.ID, s.Vector)
			}
		}
	}
	if !strings.Contains(strings.Join(ids, " "), "CVE-2014-0160") {
		t.Errorf("Heartbleed is missing in %v", ids)
	}
}

func BenchmarkBook(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Book(); err != nil {
			b.Fatal(err)
		}
	}
}
