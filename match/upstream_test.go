package match

import "testing"

func TestUpstreamVersion(t *testing.T) {
	for _, c := range []struct{ typ, version, want string }{
		{"deb", "1:9.2p1-2+deb12u3", "9.2p1"},
		{"deb", "1:1.2.13.dfsg-1", "1.2.13"},
		{"deb", "2.9.14+dfsg-1.3~deb12u1", "2.9.14"},
		{"deb", "1:1.35.0-4", "1.35.0"},
		{"deb", "5.4.1+really5.2.0-1", "5.2.0"},
		{"deb", "3.0.0~alpha1-1", "3.0.0-alpha1"},
		{"deb", "2.36-9+deb12u10", "2.36"},
		{"deb", "6.9.11.60+dfsg-1.6", "6.9.11.60"},
		{"deb", "20230311", "20230311"},
		{"deb", "1.2.3-4-5", "1.2.3-4"},
		{"rpm", "1:3.0.7-16.el9_2", "3.0.7"},
		{"rpm", "2.1.0^20230101git1234-1.fc39", "2.1.0"},
		{"rpm", "1.0~rc2-1.el9", "1.0-rc2"},
		{"apk", "9.3_p1-r3", "9.3p1"},
		{"apk", "1.36.1-r7", "1.36.1"},
		{"apk", "3.0.0_rc1-r0", "3.0.0-rc1"},
		{"apk", "1.2.3-4", "1.2.3-4"},
		{"opkg", "1.1.1n-2", "1.1.1n"},
		{"opkg", "3.0.8-r0", "3.0.8"},
		{"opkg", "1.35.0+git0+abcdef-r0", "1.35.0"},
		{"generic", "1.2.3-r0", "1.2.3-r0"},
	} {
		if got := upstreamVersion(c.typ, c.version); got != c.want {
			t.Errorf("upstreamVersion(%s, %q) = %q, want %q", c.typ, c.version, got, c.want)
		}
	}
}

func TestHole(t *testing.T) {
	for id, want := range map[string]string{
		"CVE-2024-1": "CVE-2024-1", "DEBIAN-CVE-2024-1": "CVE-2024-1", "DEBCL-avahi-CVE-2023-1981": "CVE-2023-1981", "GHSA-aaaa-bbbb-cccc": "GHSA-aaaa-bbbb-cccc",
		"XCVE-2024-1": "XCVE-2024-1", "A-CVE-2024-": "A-CVE-2024-", "A-CVE-2024-1x": "A-CVE-2024-1x", "CURL-CVE-2005-4077": "CVE-2005-4077", "": "", "DEBIAN-CVE-2024-1/openssl": "CVE-2024-1",
	} {
		if got := hole(id); got != want {
			t.Errorf("hole(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestReleaseMark(t *testing.T) {
	for _, c := range []struct{ ecosystem, version, want string }{
		{"Debian", "252.39-1~deb12u2", "12"},
		{"Debian", "1:9.2p1-2+deb12u3", "12"},
		{"Debian", "1.2-1", ""},
		{"Debian", "1.2+deb-1", ""},
		{"Debian", "deb12u1", ""},
		{"Ubuntu", "1.2-1+deb12u1", ""},
		{"AlmaLinux", "3.0.7-16.el9_2", "9"},
		{"Rocky Linux", "1.0-1.module_el8.4.0+2496", ""},
		{"openSUSE", "1.0-1.el9", ""},
	} {
		if got := releaseMark(c.ecosystem, c.version); got != c.want {
			t.Errorf("releaseMark(%s, %q) = %q, want %q", c.ecosystem, c.version, got, c.want)
		}
	}
}

func TestRebuildOf(t *testing.T) {
	for version, want := range map[string]string{
		"2.9.14+dfsg-1.3~deb12u6": "2.9.14+dfsg-1.3", "1.2-3~bpo12+1": "1.2-3", "1.2-3+deb12u1": "", "1.2-3~debian": "", "1.2-3~deb": "", "1.2-3": "",
	} {
		if got := rebuildOf(version); got != want {
			t.Errorf("rebuildOf(%q) = %q, want %q", version, got, want)
		}
	}
}

func TestVendorTree(t *testing.T) {
	for release, want := range map[string]string{
		"5.10.104-tegra": "tegra", "5.10.168-ti-gd9b1b2c": "ti", "5.10.218": "", "6.9-rc3": "", "5.15.32-v8+": "v8", "4.19.0-26-amd64": "amd64",
		"5.15.124-yocto-standard": "", "5.10.35-lts-5.10.y+g1a2b3c4": "", "5.4.3-lf-5.4.y": "lf", "3.10.0-1160.el7.x86_64": "el7", "5.10.35-gateway": "",
	} {
		if got := vendorTree(release); got != want {
			t.Errorf("vendorTree(%q) = %q, want %q", release, got, want)
		}
	}
}

func TestLooksLikeCommit(t *testing.T) {
	for v, want := range map[string]bool{
		"1da177e4c3f4": true, "5A1CF6B": true, "20230311": false, "20230311b": false, "1.0.2a": false, "abc": false, "deadbeef": true, "9404c4145542": true, "2024a": false, "123456789": false,
	} {
		if got := looksLikeCommit(v); got != want {
			t.Errorf("looksLikeCommit(%q) = %t, want %t", v, got, want)
		}
	}
}
