// Package boot names what a device starts: kernels, boot loaders, operating systems of microcontrollers.
//
// What comes in: kernels and boot images as unpacked, stretches of flash without a format, kernel modules and configurations, device
// trees. What goes out: evidence by the banner in full that the program prints when it starts, by descriptors at fixed places, and for
// systems that print none by names that only they have. A text or a log that quotes a banner is no evidence. It never disassembles.
package boot

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// All are the readers of this room.
var All = []biopsy.Extractor{
	Blob,
	ESP,
	Module,
	ModuleTree,
	KernelConfig,
	DeviceTree,
	QNX,
}

// said is a component as its own bytes name it.
type said struct {
	kind       biopsy.Kind
	name       string
	version    string // "" when the bytes do not say
	cpe        string // "part:vendor:product"; "" when the NVD has none
	supplier   string
	license    string
	extra      map[string]string
	symbols    string // Claim.Symbols
	confidence float64
	at         int64 // offset of the bytes
}

// evidence makes the claim that goes with what was said.
func (s said) evidence(in biopsy.Input) biopsy.Evidence {
	c := biopsy.Claim{Kind: s.kind, Eco: "generic", Name: s.name, Version: s.version, State: biopsy.Installed, Supplier: s.supplier, Extra: s.extra, Symbols: s.symbols}
	if s.version != "" {
		c.Purl = eco.Purl("generic", "", s.name, s.version)
	}
	if s.cpe != "" && s.version != "" {
		c.CPEs = []string{cpe(s.cpe, s.version)}
	}
	if s.license != "" {
		c.Licenses = []biopsy.License{{Expression: s.license, Basis: "declared"}}
	}
	p := in.Place()
	p.Offset = s.at
	return biopsy.Evidence{Claim: c, Place: p, Basis: biopsy.Binary, Confidence: s.confidence}
}

// cpe writes a CPE 2.3 name; a release candidate is its update.
func cpe(product, version string) string {
	update := "*"
	if v, rc, ok := strings.Cut(version, "-rc"); ok {
		version, update = v, "rc"+rc
	}
	return "cpe:2.3:" + product + ":" + escapeCPE(version) + ":" + update + ":*:*:*:*:*:*"
}

// escapeCPE escapes what has a meaning in the formatted string binding.
func escapeCPE(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c != '.' && c != '_' && c != '-' && !isAlnum(c) {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isAlnum(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }
