package eco

import "testing"

func TestTagVersion(t *testing.T) {
	for tag, want := range map[string]string{
		"v1.2.3": "1.2.3", "refs/tags/v1.2.3": "1.2.3", "curl-8_4_0": "8.4.0", "OpenSSL_1_0_2zg": "1.0.2zg", "openssl-3.0.13": "3.0.13",
		"release-1.2": "1.2", "V_9_3_P1": "9.3p1", "V_8_8_P1": "8.8p1", "R_2_5_0": "2.5.0", "VER-2-13-0": "2.13.0", "n4.4.1": "4.4.1",
		"libxml2-2.9.14": "2.9.14", "pcre2-10.42": "10.42", "bzip2-1.0.8": "1.0.8", "v2023.01-rc3": "2023.01-rc3", "1_36_1": "1.36.1",
		"mbedtls-2.28.8": "2.28.8", "v5.10-rc1": "5.10-rc1", "REL_15_4": "15.4", "jq-1.7.1": "1.7.1", "cmake/v3.2": "3.2", "DROPBEAR_2022.83": "2022.83",
		"STABLE-2_2_0_RELEASE": "2.2.0_RELEASE", "version-3.45.1": "3.45.1", "boringssl-0.20240930.0": "0.20240930.0", "4.2.8p18": "4.2.8p18",
		"master": "", "": "", "lwip-STABLE-2_1_3": "2.1.3", "hostap_2_10": "2.10", "libssh2-1.11.0": "1.11.0", "sqlite-3.40.1": "3.40.1",
		"net-snmp-5.9.4": "5.9.4", "v1.2.3-beta.1": "1.2.3-beta.1", "zlib-1.3": "1.3", "GDK_PIXBUF_2_36_0": "2.36.0", "x264-v0.1.2": "0.1.2",
	} {
		if got := TagVersion(tag); got != want {
			t.Errorf("TagVersion(%q) = %q, want %q", tag, got, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	for _, c := range []struct{ version, update, joined string }{
		{"9.3", "p2", "9.3p2"}, {"1.0.2", "zg", "1.0.2zg"}, {"2.0", "rc1", "2.0-rc1"}, {"1.8.0", "update_5", "1.8.0-update5"}, {"4.2.8", "p18", "4.2.8p18"},
		{"1.9.12", "patch_1", "1.9.12p1"}, {"7.0", "", "7.0"}, {"3.0", "beta_2", "3.0-beta2"}, {"5.1", "sp1", "5.1-sp1"},
	} {
		if got := JoinUpdate(c.version, c.update); got != c.joined {
			t.Errorf("JoinUpdate(%q, %q) = %q, want %q", c.version, c.update, got, c.joined)
		}
	}
	for _, c := range []struct{ v, version, update string }{
		{"9.3p2", "9.3", "p2"}, {"1.0.2zg", "1.0.2zg", ""}, {"2.0-rc1", "2.0", "rc1"}, {"2.0", "2.0", ""}, {"1.1.1w", "1.1.1w", ""},
		{"5.10.104-tegra", "5.10.104-tegra", ""}, {"3.0.0-alpha.1", "3.0.0", "alpha1"}, {"nonsense", "nonsense", ""}, {"1.0.2p", "1.0.2p", ""}, {"1.0.2b", "1.0.2b", ""},
	} {
		if v, u := SplitUpdate(c.v); v != c.version || u != c.update {
			t.Errorf("SplitUpdate(%q) = %q, %q, want %q, %q", c.v, v, u, c.version, c.update)
		}
	}
}
