package sarif

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/schemas"
)

func scan() *biopsy.Scan {
	s := &biopsy.Scan{Tool: biopsy.Tool{Name: "biopsy", Version: "1"}}
	s.Components = []biopsy.Component{
		{ID: "c1", Name: "struts2-core", Version: "2.3.31", Purl: "pkg:maven/org.apache.struts/struts2-core@2.3.31", Evidence: []biopsy.Evidence{{Place: biopsy.Place{Path: "app.war!WEB-INF/lib/a b#.jar"}}, {Place: biopsy.Place{Path: "/pom.xml", Line: 9}}}},
		{ID: "c2", Name: "zlib"},
	}
	s.Findings = []biopsy.Finding{
		{ID: "f1", Component: "c1", Advisory: "CVE-2017-5638", Summary: "upload", Answer: biopsy.Yes, Level: biopsy.LevelCritical, Score: 9.8, Fixed: []string{"2.3.32"}, URLs: []string{"https://example.org/x"},
			Exploit: &biopsy.Exploit{KEV: true}, Because: []biopsy.Because{{Text: "2.3.31 is before 2.3.32"}}},
		{ID: "f2", Component: "c2", Advisory: "CVE-2022-37434", Answer: biopsy.Unknown, Because: []biopsy.Because{{Text: "no version"}}},
		{ID: "f3", Component: "c2", Advisory: "CVE-2018-25032", Answer: biopsy.No},
		{ID: "f4", Component: "c2", Advisory: "CVE-2017-5638", Answer: biopsy.Yes, Level: biopsy.LevelLow},
	}
	s.Advice = []biopsy.Advice{{Components: []string{"c1"}, To: "2.5.33", Best: true, Clears: []string{"f1"}}}
	s.Gaps = []biopsy.Gap{{Place: biopsy.Place{Path: "fw.bin"}, Reason: "encrypted"}}
	return s
}

func TestValidAndComplete(t *testing.T) {
	for name, s := range map[string]*biopsy.Scan{"full": scan(), "empty": {Tool: biopsy.Tool{Name: "biopsy"}}} {
		var b bytes.Buffer
		if err := write(&b, s, ""); err != nil {
			t.Fatal(err)
		}
		if err := schemas.ValidateJSON("sarif-2.1.0.schema.json", b.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := scanRun(scan())
	if len(r.Results) != 3 || len(r.Tool.Driver.Rules) != 2 {
		t.Fatalf("%d results and %d rules, want 3 and 2: no findings that are no, one rule per advisory", len(r.Results), len(r.Tool.Driver.Rules))
	}
	levels := []string{r.Results[0].Level, r.Results[1].Level, r.Results[2].Level}
	if got, _ := json.Marshal(levels); string(got) != `["error","none","note"]` {
		t.Errorf("levels %s", got)
	}
	if uri := r.Results[0].Locations[0].Physical.Artifact.URI; uri != "app.war%21WEB-INF/lib/a%20b%23.jar" && uri != "app.war!WEB-INF/lib/a%20b%23.jar" {
		t.Errorf("uri %q", uri)
	}
	if r.Tool.Driver.Rules[0].Properties.Severity != "9.8" || r.Results[0].Fingerprints["biopsyFinding/v1"] != "f1" {
		t.Errorf("rule %+v, result %+v", r.Tool.Driver.Rules[0], r.Results[0])
	}
	if want := ". Clears with a move to 2.5.33"; !strings.HasSuffix(r.Results[0].Message.Text, want) {
		t.Errorf("message %q lacks the move", r.Results[0].Message.Text)
	}
	if len(r.Invocations[0].Notifications) != 1 {
		t.Error("the gap is missing")
	}
}
