package license

import "testing"

func TestByURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.apache.org/licenses/LICENSE-2.0.txt": "Apache-2.0", "http://opensource.org/licenses/MIT/": "MIT",
		"https://example.org/licenses/MIT": "", "apache.org/licenses/LICENSE-2.0": "", "": "",
	} {
		if got := ByURL(address); got != want {
			t.Errorf("ByURL(%q) = %q, want %q", address, got, want)
		}
	}
	for _, id := range urls {
		if !Known(id) {
			t.Errorf("%s is not on the SPDX list", id)
		}
	}
}
