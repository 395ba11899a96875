package boot

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// DeviceTree names the board that a device tree of a boot image describes (Devicetree Specification 0.4 of 2023). Trees that lie in a
// file system by the hundred are for boards that the kernel could run on; they say nothing about this device.
var DeviceTree = biopsy.Extractor{
	Name:    "device-tree",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard,
	Names:   []string{"*.dtb"},
	Wants:   func(p string) bool { return !strings.Contains(p, "/") },
	Head:    func(head []byte) bool { return bytes.HasPrefix(head, []byte{0xd0, 0x0d, 0xfe, 0xed}) },
	Extract: readDeviceTree,
}

const maxDTB = 4 << 20

func readDeviceTree(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if in.Size() < 40 || in.Size() > maxDTB {
		return nil
	}
	b := make([]byte, in.Size())
	if n, err := in.ReadAt(b, 0); n < len(b) {
		return err
	}
	model, compatible, err := rootProperties(b)
	if err != nil || model == "" {
		return err
	}
	emit(biopsy.Evidence{Basis: biopsy.Binary, Confidence: 0.9, Claim: biopsy.Claim{Kind: biopsy.DeviceKind, Name: model, State: biopsy.Installed, Extra: map[string]string{"dt:compatible": compatible}}})
	return nil
}

// rootProperties reads the properties of the root node, which stand before its first child.
func rootProperties(b []byte) (model, compatible string, err error) {
	be := binary.BigEndian
	at, names := uint64(be.Uint32(b[8:])), uint64(be.Uint32(b[12:]))
	size := uint64(len(b))
	for depth := 0; at+4 <= size; {
		token := be.Uint32(b[at:])
		at += 4
		switch token {
		case 1:
			if depth++; depth > 1 {
				return model, compatible, nil
			}
			end := bytes.IndexByte(b[at:], 0)
			if end < 0 {
				return "", "", io.ErrUnexpectedEOF
			}
			at = (at + uint64(end) + 4) &^ 3
		case 3:
			if at+8 > size {
				return "", "", io.ErrUnexpectedEOF
			}
			n, name := uint64(be.Uint32(b[at:])), names+uint64(be.Uint32(b[at+4:]))
			at += 8
			if n > size-at || name >= size {
				return "", "", io.ErrUnexpectedEOF
			}
			switch value := b[at : at+n]; {
			case bytes.HasPrefix(b[name:], []byte("model\x00")):
				model = printable(value)
			case bytes.HasPrefix(b[name:], []byte("compatible\x00")):
				compatible = printable(value)
			}
			at = (at + n + 3) &^ 3
		case 4:
		default:
			return model, compatible, nil
		}
	}
	return model, compatible, nil
}

// printable writes a list of words that end with zeros; "" when they are none.
func printable(b []byte) string {
	words := strings.Split(strings.Trim(string(b[:min(len(b), 1024)]), "\x00"), "\x00")
	for _, w := range words {
		for _, c := range []byte(w) {
			if c < ' ' || c > '~' {
				return ""
			}
		}
	}
	return strings.Join(words, ",")
}

// ESP reads the application descriptor of Espressif's chips (ESP-IDF, esp_app_desc.h of 2024), which names project and framework.
var ESP = biopsy.Extractor{
	Name:    "esp-app",
	Basis:   biopsy.Binary,
	Names:   []string{"*.bin", "*.esp", "*.img"},
	Head:    func(head []byte) bool { return espDescriptor(head) != nil },
	Extract: readESP,
}

const espSize = 256

// espDescriptor stands behind the headers of the image and of its first segment.
func espDescriptor(head []byte) []byte {
	if len(head) < 32+espSize || head[0] != 0xe9 || binary.LittleEndian.Uint32(head[32:]) != 0xabcd5432 {
		return nil
	}
	return head[32 : 32+espSize]
}

func readESP(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	head := make([]byte, 32+espSize)
	if n, err := in.ReadAt(head, 0); n < len(head) {
		return err
	}
	d := espDescriptor(head)
	text := func(at int) string {
		b := d[at : at+32]
		if n := bytes.IndexByte(b, 0); n >= 0 {
			b = b[:n]
		}
		return printable(b)
	}
	version, project, idf := text(16), text(48), text(112)
	chips := map[uint16]string{0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6", 16: "ESP32-H2", 18: "ESP32-P4"}
	x := map[string]string{"esp:chip": chips[binary.LittleEndian.Uint16(head[12:])]}
	if project != "" {
		emit(biopsy.Evidence{Confidence: 0.95, Claim: biopsy.Claim{Kind: biopsy.Firmware, Eco: "generic", Name: project, Version: version, Purl: eco.Purl("generic", "", project, version), State: biopsy.Installed, Whole: true, Extra: x}})
	}
	if m := upstreamRelease.FindString(strings.TrimPrefix(idf, "v")); m != "" {
		w := said{kind: biopsy.Framework, name: "esp-idf", version: m, cpe: "a:espressif:esp-idf", license: "Apache-2.0", supplier: "Espressif", confidence: 0.95, extra: map[string]string{"esp:idf": idf}}
		emit(w.evidence(in))
	}
	return nil
}

// QNX knows the boot image of QNX Neutrino by its startup header (sys/startup.h of QNX SDP 6.6, 2014), which states no version.
var QNX = biopsy.Extractor{
	Name:    "qnx-image",
	Basis:   biopsy.Binary,
	Names:   []string{"*.ifs", "*.qnx-ifs", "*.bin", "*.img"},
	Head:    isQNX,
	Extract: readQNX,
}

func isQNX(head []byte) bool {
	return len(head) >= 256 && bytes.HasPrefix(head, []byte("\xeb\x7e\xff\x00\x01\x00")) && binary.LittleEndian.Uint16(head[8:]) == 256
}

func readQNX(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	emit(said{kind: biopsy.Firmware, name: "qnx-neutrino", supplier: "BlackBerry QNX", confidence: 0.85}.evidence(in))
	return nil
}
