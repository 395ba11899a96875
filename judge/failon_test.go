package judge

import (
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func TestVerdicts(t *testing.T) {
	findings := []biopsy.Finding{
		{ID: "a", Answer: biopsy.Yes, Level: biopsy.LevelCritical, Exploit: &biopsy.Exploit{KEV: true}},
		{ID: "b", Answer: biopsy.Yes, Level: biopsy.LevelMedium},
		{ID: "c", Answer: biopsy.Unknown, Level: biopsy.LevelCritical},
		{ID: "d", Answer: biopsy.Yes}, // severity unknown
	}
	old := []biopsy.Finding{{ID: "a", Answer: biopsy.Yes}, {ID: "b", Answer: biopsy.No}}
	for _, c := range []struct {
		flag string
		base []biopsy.Finding
		want []int // findings per verdict
	}{
		{"", nil, nil},
		{"critical", nil, []int{1}},
		{"medium", nil, []int{2}},
		{"HIGH, kev", nil, []int{1, 1}},
		{"new", old, []int{2}},
		{"critical,new", old, []int{0}},
		{"medium,new", old, []int{1}},
	} {
		f, err := ParseFailOn(c.flag)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Verdicts(findings, c.base)
		if len(got) != len(c.want) {
			t.Fatalf("%q: %d verdicts, want %d", c.flag, len(got), len(c.want))
		}
		for i, v := range got {
			if len(v.Findings) != c.want[i] || v.Pass != (c.want[i] == 0) {
				t.Errorf("%q: verdict %s has %v, pass %v, want %d findings", c.flag, v.Rule, v.Findings, v.Pass, c.want[i])
			}
		}
	}
	if _, err := ParseFailOn("severe"); err == nil {
		t.Error("an unknown word was accepted")
	}
}
