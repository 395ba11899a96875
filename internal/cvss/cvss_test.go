package cvss

import "testing"

func TestScore(t *testing.T) {
	for _, c := range []struct {
		vector string
		want   float64
	}{
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", 10},
		{"(AV:L/AC:M/Au:N/C:P/I:P/A:P)", 4.4},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8},
		{"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N", 4.7},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10},
		{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 9.3},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10},
	} {
		got, err := Score(c.vector)
		if err != nil || got != c.want {
			t.Errorf("Score(%q): got %v, %v; want %v", c.vector, got, err, c.want)
		}
	}
}

func TestScoreBad(t *testing.T) {
	for _, v := range []string{"", "HIGH", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N", "CVSS:5.0/AV:N/AC:L", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z"} {
		if got, err := Score(v); err == nil {
			t.Errorf("Score(%q): got %v and no error", v, got)
		}
	}
}

func FuzzScore(f *testing.F) {
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U")
	f.Add("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:L/I:L/A:N")
	f.Add("(AV:L/AC:M/Au:N/C:P/I:P/A:P)")
	f.Fuzz(func(t *testing.T, vector string) {
		if s, err := Score(vector); err == nil && (s < 0 || s > 10) {
			t.Errorf("Score(%q): got %v, outside 0 to 10", vector, s)
		}
	})
}
