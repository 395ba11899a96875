package biopsy

import (
	"slices"
	"testing"
)

func TestUrgency(t *testing.T) {
	kev := &Exploit{KEV: true}
	want := []Finding{
		{Advisory: "kev with ransomware", Answer: Yes, Level: LevelLow, Exploit: &Exploit{KEV: true, Ransomware: true}},
		{Advisory: "kev low", Answer: Yes, Level: LevelLow, Exploit: kev},
		{Advisory: "active", Answer: Yes, Level: LevelLow, Exploit: &Exploit{Maturity: "active"}},
		{Advisory: "critical with proof", Answer: Yes, Level: LevelCritical, Score: 9.0, Exploit: &Exploit{Maturity: "poc"}},
		{Advisory: "critical", Answer: Yes, Level: LevelCritical, Score: 9.8},
		{Advisory: "critical less", Answer: Yes, Level: LevelCritical, Score: 9.1},
		{Advisory: "high likely", Answer: Yes, Level: LevelHigh, Exploit: &Exploit{EPSS: 0.9}},
		{Advisory: "high fixed", Answer: Yes, Level: LevelHigh, Fixed: []string{"2"}},
		{Advisory: "high near", Answer: Yes, Level: LevelHigh, Exposure: &Exposure{Depth: 1}},
		{Advisory: "high", Answer: Yes, Level: LevelHigh},
		{Advisory: "not rated", Answer: Yes},
		{Advisory: "to build with", Answer: Yes, Level: LevelCritical, Exploit: kev, Exposure: &Exposure{Scope: Development}},
		{Advisory: "unknown kev", Answer: Unknown, Level: LevelCritical, Exploit: kev},
		{Advisory: "no", Answer: No, Level: LevelCritical},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b Finding) int { return a.Urgency(&b) })
	for i := range want {
		if got[i].Advisory != want[i].Advisory {
			t.Errorf("place %d: got %s, want %s", i, got[i].Advisory, want[i].Advisory)
		}
	}
}
