package eco

import (
	"strings"
	"testing"
)

// sequences are releases in the order in which their makers published them, from their own lists of releases.
var sequences = map[string]string{
	"OpenSSL 1.0.2":    "1.0.2-beta1 1.0.2-beta3 1.0.2 1.0.2a 1.0.2u 1.0.2v 1.0.2z 1.0.2za 1.0.2zd 1.0.2zg 1.0.2zk 1.1.0-pre1 1.1.0 1.1.0l 1.1.1-pre9 1.1.1 1.1.1a 1.1.1w 1.1.1za 3.0.0-alpha1 3.0.0-beta2 3.0.0 3.0.9 3.0.13 3.1.0 3.2.0-alpha1 3.2.0",
	"OpenSSH":          "3.9p1 4.0p1 6.6p1 6.6.1p1 6.7p1 7.2p2 7.3p1 8.8p1 8.9p1 9.0p1 9.3p1 9.3p2 9.4p1 9.8p1 9.9p1 9.9p2 10.0p1 10.0p2",
	"NTP":              "4.2.6 4.2.6p5 4.2.8 4.2.8p1 4.2.8p9 4.2.8p10 4.2.8p15 4.2.8p18",
	"sudo":             "1.8.31 1.8.31p1 1.8.31p2 1.8.32 1.9.0 1.9.5p1 1.9.5p2 1.9.12 1.9.12p1 1.9.12p2 1.9.13 1.9.15p5 1.9.17p1",
	"U-Boot":           "1.3.4 2008.10 2017.09-rc1 2017.09 2020.10-rc5 2020.10 2023.01-rc3 2023.01-rc4 2023.01 2023.04",
	"libjpeg of IJG":   "6 6a 6b 7 8 8a 8d 9 9a 9e 9f",
	"BIND":             "9.8.0-P4 9.9.0b1 9.9.0rc1 9.9.0 9.9.9-P2 9.9.9-P8 9.9.10 9.11.37 9.16.1 9.16.50 9.18.24",
	"Linux":            "2.6.32 2.6.39.4 3.0 3.10.108 4.19.325 5.10-rc1 5.10.0-rc7 5.10 5.10.1 5.10.9 5.10.218 5.11 5.15.160 6.1.90 6.6.30 6.9-rc3 6.9 6.10",
	"tzdata":           "2023a 2023d 2024a 2024b 2025a",
	"BusyBox":          "1.00-pre1 1.00-rc3 1.00 1.1.0 1.19.4 1.20.0 1.35.0 1.36.0 1.36.1 1.37.0",
	"ImageMagick":      "6.9.11-9 6.9.11-60 6.9.12-0 6.9.12-98 7.0.0-0 7.1.0-4 7.1.1-21",
	"dhcp of ISC":      "4.1-ESV-R9 4.1.1 4.3.6-P1 4.4.0 4.4.1 4.4.2 4.4.2-P1 4.4.3 4.4.3-P1",
	"wpa_supplicant":   "0.7.3 1.0-rc1 1.0 2.0 2.9 2.10 2.11",
	"dates":            "20080507 20190702 20230311 20240115",
	"revisions":        "r99 r100 r1234 r20000",
	"libtool":          "2.4.6 2.4.7-1 2.4.7-2 2.5.0",
	"zlib with v":      "v1.2.8 v1.2.11 v1.2.12 v1.2.13 v1.3 v1.3.0.1 v1.3.1",
	"curl with tags":   "curl_7_88_1 curl_8_0_0 curl_8_4_0 curl_8_10_0",
	"Python":           "3.11.0a7 3.11.0b1 3.11.0rc1 3.11.0rc2 3.11.0 3.11.9 3.12.0a1",
	"Mbed TLS":         "2.28.0 2.28.8 3.0.0p1 3.1.0 3.6.0 3.6.2",
	"wolfSSL":          "4.8.1-stable 5.0.0-stable 5.6.6-stable 5.7.0-stable",
	"GnuTLS":           "3.6.16 3.7.0 3.7.11 3.8.0 3.8.3",
	"lwIP":             "STABLE-1_4_1_RELEASE 2.0.0 2.1.0.rc1 2.1.0 2.1.3 2.2.0",
	"FreeRTOS kernel":  "V8.2.3 V9.0.0 V10.2.1 V10.4.3-LTS-Patch-2 V10.4.4 V10.6.2 V11.1.0",
	"Samba with words": "4.0.0alpha18 4.0.0beta1 4.0.0rc1 4.0.0 4.18.8",
}

func TestSequences(t *testing.T) {
	for name, list := range sequences {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			vs := strings.Fields(list)
			for i := range vs {
				if strings.HasPrefix(vs[i], "curl_") || strings.HasPrefix(vs[i], "STABLE") {
					vs[i] = TagVersion(vs[i])
				}
			}
			for i, a := range vs {
				for _, b := range vs[i+1:] {
					for _, p := range []struct {
						x, y string
						want int
					}{{a, b, -1}, {b, a, 1}} {
						if c, err := Compare("Upstream", p.x, p.y); err != nil || sign(c) != p.want {
							t.Errorf("%s and %s: got %d, %v, want %d", p.x, p.y, sign(c), err, p.want)
						}
					}
				}
			}
		})
	}
}

func sign(c int) int {
	switch {
	case c < 0:
		return -1
	case c > 0:
		return 1
	}
	return 0
}
