package cvss

import "testing"

// Examples of the specifications: 2.0 (section 3.3.1, CVE-2002-0392) and the calculator of 3.1.
func TestAll(t *testing.T) {
	for vector, want := range map[string]Scores{
		"AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H": {7.8, 6.4, 9.2},
		"AV:N/AC:L/Au:N/C:C/I:C/A:C":                                          {10, 10, 10},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U":                    {9.8, 9, 9},
		"CVSS:3.0/AV:P/AC:H/PR:N/UI:N/S:C/C:H/I:N/A:N":                        {4.9, 4.9, 4.9},
	} {
		if got, err := All(vector); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", vector, got, err, want)
		}
	}
	for _, vector := range []string{"", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N"} {
		if got, err := All(vector); err == nil {
			t.Errorf("%q: got %v, want an error", vector, got)
		}
	}
}
