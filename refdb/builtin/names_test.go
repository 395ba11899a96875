package builtin

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]string{"curl": "curl", "libcurl4": "curl", "LibCURL": "curl", "CycloneTCP": "cyclonetcp", "no such project": ""} {
		if got, ok := Names().Upstream(name); got != want || ok != (want != "") {
			t.Errorf("Upstream(%q): got %q, %v; want %q", name, got, ok, want)
		}
	}
	if got := Upstream("deb", "libcurl4"); got != "curl" {
		t.Errorf("got %q, want curl", got)
	}
	if got := Names().CPE("libcurl4"); !slices.Contains(got, "cpe:2.3:a:haxx:curl") {
		t.Errorf("CPE: got %v", got)
	}
	if got := Names().CPE("no such project"); got != nil {
		t.Errorf("CPE: got %v", got)
	}
}

func TestByCPE(t *testing.T) {
	for cpe, want := range map[string]string{
		"cpe:2.3:a:haxx:curl:8.1.0:*:*:*:*:*:*:*": "curl",
		"cpe:2.3:a:Haxx:Curl":                     "curl",
		"cpe:2.3:a:haxx:curl\\:x:1":               "",
		"cpe:2.3:a:haxx":                          "",
		"cpe:2.3:":                                "",
		"curl":                                    "",
		"":                                        "",
	} {
		if got, ok := Names().ByCPE(cpe); got != want || ok != (want != "") {
			t.Errorf("ByCPE(%q): got %q, %v; want %q", cpe, got, ok, want)
		}
	}
}

func TestUpstreamByNameAndCPE(t *testing.T) {
	for _, c := range []struct{ typ, name, want string }{
		{"deb", "libssl", "openssl"}, {"generic", "no-such-project", ""},
		{"cpe", "cpe:2.3:a:busybox:busybox:1.27.2:*:*:*:*:*:*:*", "busybox"}, {"cpe", "busybox", ""},
		{"github", "zephyrproject-rtos/zephyr", "zephyr"}, {"github", "Mbed-TLS/mbedtls", "mbedtls"}, {"github", "someone/zephyr", ""},
	} {
		if got := Upstream(c.typ, c.name); got != c.want {
			t.Errorf("Upstream(%q, %q) = %q, want %q", c.typ, c.name, got, c.want)
		}
	}
}
