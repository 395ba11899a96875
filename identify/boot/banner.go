package boot

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// anchors are where banners are looked for, by the sources of each project.
func anchors() []anchor {
	list := []anchor{
		{"Linux version ", linuxBanner},
		{"%s version %s (", func(f finding) { f.s.kernel.proc = true }},
		{"IKCFG_ST", linuxConfig},
		{digitTokens, kallsyms},
		{"sbat,1,SBAT Version,", sbat},
		{"(gcc version ", opTEE},
		{"(release):", trustedFirmware},
		{"(debug):", trustedFirmware},
	}
	for _, b := range banners {
		list = append(list, anchor{b.anchor, b.read})
	}
	for _, m := range marks {
		list = append(list, anchor{m, func(f finding) {
			if whole(f, m) {
				f.s.mark(f, m)
			}
		}})
	}
	return list
}

// banner is a text that holds a version, as the program prints it.
type banner struct {
	anchor  string
	pattern *regexp.Regexp // begins at the anchor; group 1 is the version
	what    said
}

func (b banner) read(f finding) {
	m := b.pattern.FindSubmatch(f.rest(200))
	if m == nil {
		return
	}
	what := b.what
	what.version = string(m[1])
	what.extra = map[string]string{"firmware:banner": strings.Trim(string(m[0]), " \x00\n")}
	f.s.say(what, f)
}

const date = `[A-Z][a-z]{2} +\d{1,2} \d{4} - \d\d:\d\d:\d\d`

// banners, each in full: a name and a number alone are quoted too often.
var banners = []banner{
	{"U-Boot ", regexp.MustCompile(`^U-Boot (?:SPL |TPL )?(\d{1,4}\.\d{1,2}(?:\.\d{1,2})?(?:-rc\d+)?)[^ \x00\n]* \(` + date),
		said{kind: biopsy.Firmware, name: "u-boot", cpe: "a:denx:u-boot", license: "GPL-2.0-or-later", confidence: 0.95}},
	{"barebox ", regexp.MustCompile(`^barebox (\d{4}\.\d{2}\.\d+)[^ \x00\n]* #\d+ [A-Z][a-z]{2} [A-Z][a-z]{2} `),
		said{kind: biopsy.Firmware, name: "barebox", cpe: "a:pengutronix:barebox", license: "GPL-2.0-only", confidence: 0.95}},
	{"COREBOOT_VERSION: ", regexp.MustCompile(`^COREBOOT_VERSION: (\d+\.\d+(?:\.\d+)?)[^ \x00\n]*\n`),
		said{kind: biopsy.Firmware, name: "coreboot", cpe: "o:coreboot:coreboot", license: "GPL-2.0-only", confidence: 0.9}},
	{"Booting Zephyr OS ", regexp.MustCompile(`^Booting Zephyr OS (?:build |version )?(?:zephyr-)?v?(\d+\.\d+\.\d+(?:-rc\d+)?)[^ \x00\n]* \*\*\*`),
		said{kind: biopsy.Firmware, name: "zephyr", cpe: "o:zephyrproject:zephyr", license: "Apache-2.0", confidence: 0.95}},
	{"Booting nRF Connect SDK ", regexp.MustCompile(`^Booting nRF Connect SDK v?(\d+\.\d+\.\d+)[^ \x00\n]* \*\*\*`),
		said{kind: biopsy.Framework, name: "nrf-connect-sdk", supplier: "Nordic Semiconductor", confidence: 0.95}},
	{"ThreadX ", regexp.MustCompile(`^ThreadX [^\x00\n]{1,60}?Version G?(\d+\.\d+(?:\.\d+)*)`),
		said{kind: biopsy.Firmware, name: "threadx", confidence: 0.9}},
	{"VxWorks ", regexp.MustCompile(`^VxWorks (?:\(for [^)\x00\n]{1,40}\) )?version (\d+\.\d+(?:\.\d+)*)`),
		said{kind: biopsy.Firmware, name: "vxworks", cpe: "o:windriver:vxworks", supplier: "Wind River", confidence: 0.85}},
	{"main(): This is RIOT! (Version: ", regexp.MustCompile(`^main\(\): This is RIOT! \(Version: (\d{4}\.\d{2}(?:\.\d+)?)`),
		said{kind: biopsy.Firmware, name: "riot", cpe: "o:riot-os:riot", license: "LGPL-2.1-only", confidence: 0.95}},
	{"NuttShell (NSH) NuttX-", regexp.MustCompile(`^NuttShell \(NSH\) NuttX-(\d+\.\d+(?:\.\d+)?)`),
		said{kind: biopsy.Firmware, name: "nuttx", cpe: "o:apache:nuttx", license: "Apache-2.0", confidence: 0.95}},
	{"Contiki-NG-", regexp.MustCompile(`^Contiki-NG-(?:release/)?v(\d+\.\d+(?:\.\d+)?)`),
		said{kind: biopsy.Firmware, name: "contiki-ng", cpe: "o:contiki-ng:contiki-ng", license: "BSD-3-Clause", confidence: 0.9}},
	{"mbed TLS ", regexp.MustCompile(`^mbed TLS (\d+\.\d+\.\d+)\x00`), mbedTLS},
	{"Mbed TLS ", regexp.MustCompile(`^Mbed TLS (\d+\.\d+\.\d+)\x00`), mbedTLS},
	{"lwIP/", regexp.MustCompile(`^lwIP/(\d+\.\d+\.\d+)[^ \x00\n]* \(http`),
		said{kind: biopsy.Library, name: "lwip", cpe: "a:lwip_project:lwip", license: "BSD-3-Clause", confidence: 0.9}},
	{"OpenSSL ", regexp.MustCompile(`^OpenSSL (\d+\.\d+\.\d+[a-z]?)(?:-fips)? +\d{1,2} [A-Z][a-z]{2} \d{4}\x00`),
		said{kind: biopsy.Library, name: "openssl", cpe: "a:openssl:openssl", confidence: 0.9}},
	{" inflate 1.", regexp.MustCompile(`^ inflate (\d+\.\d+\.\d+(?:\.\d+)?) Copyright 1995-\d{4} Mark Adler`), zlib},
	{" deflate 1.", regexp.MustCompile(`^ deflate (\d+\.\d+\.\d+(?:\.\d+)?) Copyright 1995-\d{4} Jean-loup Gailly`), zlib},
}

var (
	mbedTLS = said{kind: biopsy.Library, name: "mbedtls", cpe: "a:arm:mbed_tls", confidence: 0.9}
	zlib    = said{kind: biopsy.Library, name: "zlib", cpe: "a:zlib:zlib", license: "Zlib", confidence: 0.9}
)

// marks are names that stand by themselves, between zeros, in systems that print no version.
var marks = []string{"Tmr Svc", "IDLE", "uC/OS-II Idle", "uC/OS-III Idle Task"}

// whole tells whether the text at hand stands between zeros. The word before it may end where its padding does, or not at all.
func whole(f finding, text string) bool {
	end := f.at + len(text)
	return end < len(f.b) && f.b[end] == 0 && (f.at == 0 || f.b[f.at-1] < ' ' || f.b[f.at-1] > '~')
}

// conclude says what several marks together mean.
func (s *search) conclude() error {
	err := s.linux()
	timer, hasTimer := s.marks["Tmr Svc"]
	_, hasIdle := s.marks["IDLE"]
	if hasTimer && hasIdle {
		s.said = append(s.said, said{kind: biopsy.Firmware, name: "freertos", confidence: 0.8, at: timer})
	}
	for _, os := range [...]struct{ mark, name string }{{"uC/OS-II Idle", "uc-os-ii"}, {"uC/OS-III Idle Task", "uc-os-iii"}} {
		if at, ok := s.marks[os.mark]; ok {
			s.said = append(s.said, said{kind: biopsy.Firmware, name: os.name, confidence: 0.7, at: at})
		}
	}
	return err
}

// tfVersion is Trusted Firmware-A's version_string: "v2.8(release):v2.8.0-12-gabcdef".
var tfVersion = regexp.MustCompile(`v(\d+\.\d+(?:\.\d+)?)\((?:release|debug)\):[!-~]+\x00`)

func trustedFirmware(f finding) {
	from := max(0, f.at-16)
	m := tfVersion.FindSubmatch(f.b[from:min(len(f.b), f.at+120)])
	if m == nil {
		return
	}
	f.s.say(said{kind: biopsy.Firmware, name: "trusted-firmware-a", version: string(m[1]), cpe: "o:arm:trusted_firmware-a", license: "BSD-3-Clause", confidence: 0.9}, f)
}

// teeVersion is what OP-TEE prints: "3.19.0 (gcc version 11.3.0 (GCC)) #1 Mon Jan  2 10:11:12 UTC 2023 aarch64".
var teeVersion = regexp.MustCompile(`(\d+\.\d+\.\d+)[^ \x00\n]* \(gcc version [^\x00\n]{1,120}\) #\d+ [^\x00\n]{10,60} (?:aarch64|arm)\x00`)

func opTEE(f finding) {
	from := max(0, f.at-80)
	if z := bytes.LastIndexByte(f.b[from:f.at], 0); z >= 0 {
		from += z + 1
	}
	m := teeVersion.FindSubmatch(f.b[from:min(len(f.b), f.at+300)])
	if m == nil || bytes.Contains(f.b[from:f.at], []byte("Linux version")) {
		return
	}
	f.s.say(said{kind: biopsy.Firmware, name: "op-tee", version: string(m[1]), cpe: "o:linaro:op-tee", license: "BSD-2-Clause", confidence: 0.85}, f)
}

// sbat reads the table that programs of UEFI Secure Boot carry (Secure Boot Advanced Targeting, rhboot/shim 2021):
// "component,generation,vendor,package,version,URL". Rows "grub.debian" are a distribution's own of the row "grub".
func sbat(f finding) {
	table := f.rest(behind)
	if n := bytes.IndexByte(table, 0); n >= 0 {
		table = table[:n]
	}
	rows := strings.Split(string(table), "\n")
	for _, row := range rows[1:] {
		cell := strings.Split(row, ",")
		if len(cell) < 6 || !plainWord(cell[0]) || !plainWord(cell[4]) {
			continue
		}
		name, vendor, _ := strings.Cut(cell[0], ".")
		if vendor != "" {
			f.s.vendorRow(name, vendor, cell)
			continue
		}
		what := said{kind: biopsy.Firmware, name: sbatNames[name], version: cell[4], cpe: sbatCPEs[name], confidence: 0.95,
			extra: map[string]string{"sbat:component": cell[0], "sbat:generation": cell[1]}}
		if what.name == "" {
			what.name = name
		}
		f.s.say(what, f)
	}
}

// vendorRow adds a distribution's version to the component it is of.
func (s *search) vendorRow(name, vendor string, cell []string) {
	for i := range s.said {
		if x := s.said[i].extra; x["sbat:component"] == name {
			x["sbat:"+vendor] = cell[4]
		}
	}
}

var (
	sbatNames = map[string]string{"grub": "grub2", "shim": "shim", "systemd": "systemd", "systemd-boot": "systemd"}
	sbatCPEs  = map[string]string{"grub": "a:gnu:grub2", "shim": "a:redhat:shim", "systemd": "a:systemd_project:systemd"}
)

func plainWord(s string) bool {
	for _, c := range []byte(s) {
		if !isAlnum(c) && !strings.ContainsRune("._+~:-", rune(c)) {
			return false
		}
	}
	return s != ""
}
