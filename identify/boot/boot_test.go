package boot

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

var le = binary.LittleEndian

// between puts texts as they stand in a program: each ended by a zero, with code around.
func between(texts ...string) []byte {
	b := bytes.Repeat([]byte{0x00, 0x48, 0x2d, 0xe9, 0x04, 0xb0, 0x8d, 0xe2}, 64)
	for _, t := range texts {
		b = append(append(append(b, 0), t...), 0, 0x1e, 0xff, 0x2f, 0xe1)
	}
	return append(b, bytes.Repeat([]byte{0xe2}, 100)...)
}

const (
	procFormat  = "%s version %s (build@pump) (gcc 12) %s\n"
	debian      = "Linux version 6.1.0-18-armmp (debian-kernel@lists.debian.org) (arm-linux-gnueabihf-gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld 2.40) #1 SMP Debian 6.1.76-1 (2024-02-01)\n"
	ubuntu      = "Linux version 5.15.0-91-generic (buildd@lcy02) (gcc (Ubuntu 11.4.0) 11.4.0, GNU ld 2.38) #101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023 (Ubuntu 5.15.0-91.101-generic 5.15.131)\n"
	yocto       = "Linux version 5.15.71-lts-next+g3313732e9984 (oe-user@oe-host) (aarch64-poky-linux-gcc (GCC) 11.3.0, GNU ld 2.38) #1 SMP PREEMPT Tue Apr 11 04:18:24 UTC 2023\n"
	kernelText  = "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/arm 6.1.76 Kernel Configuration\n#\nCONFIG_ARM=y\nCONFIG_USB_STORAGE=m\n# CONFIG_BPF is not set\nCONFIG_LOCALVERSION=\"-armmp\"\n"
	sbatTable   = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\ngrub,3,Free Software Foundation,grub,2.06,https://www.gnu.org/software/grub/\ngrub.debian,4,Debian,grub2,2.06-13,https://tracker.debian.org/pkg/grub2\n"
	teeBanner   = "3.19.0-5-g1234567 (gcc version 11.3.0 (GCC)) #1 Mon Jan  2 10:11:12 UTC 2023 aarch64"
	zlibInflate = " inflate 1.2.11 Copyright 1995-2017 Mark Adler "
)

func packedConfig() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(kernelText))
	z.Close()
	return "IKCFG_ST" + b.String() + "IKCFG_ED"
}

// cortexM is a vector table, then code.
func cortexM() []byte {
	vectors := []uint32{0x20004000, 0x080001c1, 0x080001c3, 0x080001c5, 0x080001c7, 0x080001c9, 0x080001cb, 0, 0, 0, 0, 0x080001cd, 0x080001cf, 0, 0x080001d1, 0x080001d3}
	var b []byte
	for _, v := range vectors {
		b = le.AppendUint32(b, v)
	}
	return append(b, between("Tmr Svc", "IDLE")...)
}

func espImage() []byte {
	b := make([]byte, 400)
	copy(b, []byte{0xe9, 2, 2, 0x20})
	b[12] = 9
	le.PutUint32(b[32:], 0xabcd5432)
	copy(b[48:], "1.4.2")
	copy(b[80:], "infusion-pump")
	copy(b[144:], "v5.1.2-dirty")
	return b
}

func dtb() []byte {
	word := func(n ...uint32) (b []byte) {
		for _, x := range n {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	nodes := bytes.Join([][]byte{word(1, 0), word(3, 13, 0), []byte("Pump Board 3\x00\x00\x00\x00"), word(3, 22, 6), []byte("acme,pump-3\x00ti,am33xx\x00\x00\x00"), word(1), []byte("soc\x00"), word(3, 4, 0), []byte("bad\x00"), word(2, 2, 9)}, nil)
	names := []byte("model\x00compatible\x00")
	return bytes.Join([][]byte{word(0xd00dfeed, uint32(40+16+len(nodes)+len(names)), 56, uint32(56+len(nodes)), 40, 17, 16, 0, uint32(len(names)), uint32(len(nodes))), make([]byte, 16), nodes, names}, nil)
}

func module(info string) []byte {
	return elftest.Image{Wide: true, Little: true, Type: 1, Machine: 183, Sections: []elftest.Section{{Name: ".modinfo", Type: 1, Data: []byte(info)}}}.Bytes()
}

type sample struct {
	name, path string
	bytes      []byte
}

func samples() []sample {
	return []sample{
		{"linux-debian", "vmlinux.raw", between(procFormat, debian)},
		{"linux-ubuntu", "vmlinux.raw", between(procFormat, ubuntu)},
		{"linux-yocto-config", "kernel-1.raw", between(yocto, packedConfig(), procFormat)},
		{"linux-quoted", "agent.bin", between(debian, "Linux version 6.1.76")},
		{"linux-log", "dmesg.raw", []byte(strings.Repeat("[    0.000000] "+debian+procFormat, 20))},
		{"u-boot", "0x40000.raw", between("U-Boot SPL 2013.07-00012-g1a2b3c-dirty (Jul 02 2014 - 12:01:01)", "U-Boot 2023.01-rc3 (Jan 09 2023 - 16:07:33 +0000)", "Welcome to U-Boot 2019.04", zlibInflate)},
		{"barebox", "barebox.bin", between("barebox 2023.01.0-g1234 #1 Mon Jan 9 10:11:12 UTC 2023\n")},
		{"trusted-firmware", "bl31.bin", between("v2.8(release):v2.8.0-12-gabcdef", "v2.8", teeBanner)},
		{"grub", "grubx64.efi", between(sbatTable)},
		{"zephyr", "zephyr.bin", between("*** Booting Zephyr OS build v3.2.0 ***\n", "*** Booting nRF Connect SDK v2.5.0 ***\n", "mbed TLS 2.28.1", "Booting Zephyr OS build v9.9.9")},
		{"threadx", "app.bin", between("Copyright (c) 1996-2009 Express Logic Inc. * ThreadX Cortex-M3/GNU Version G5.3.5.3 SN: 23 *")},
		{"others", "app.raw", between("VxWorks (for ARMARCH7) version 6.9", "main(): This is RIOT! (Version: 2022.10)\n", "NuttShell (NSH) NuttX-10.3.0\n", "Contiki-NG-release/v4.8", "uC/OS-III Idle Task", "COREBOOT_VERSION: 4.19\n", "VxWorks is a trademark", "OpenSSL 1.1.1s  1 Nov 2022", "OpenSSL 9.9.9 is needed", "Server: lwIP/2.1.3 (http://savannah.nongnu.org/projects/lwip)")},
		{"freertos-cortex-m", "app.bin", cortexM()},
		{"freertos-half", "app.bin", between("IDLE", "The Tmr Svc task")},
		{"qnx", "0x0.qnx-ifs", append([]byte("\xeb\x7e\xff\x00\x01\x00\x00\x00\x00\x01\x28\x00"), make([]byte, 300)...)},
		{"esp", "app.bin", espImage()},
		{"device-tree", "fdt-1.dtb", dtb()},
		{"module-out-of-tree", "lib/modules/6.1.55/extra/pump.ko", module("license=Proprietary\x00version=2.1\x00name=pump\x00depends=usbcore\x00vermagic=6.1.55 SMP mod_unload aarch64\x00")},
		{"module-in-tree", "lib/modules/6.1.55/kernel/fs/fat/fat.ko", module("license=GPL\x00intree=Y\x00name=fat\x00vermagic=6.1.55 SMP\x00")},
		{"modules", "lib/modules/5.15.71-yocto/modules.dep", []byte("kernel/fs/fat/fat.ko:\n")},
		{"modules-abi", "lib/modules/6.1.0-18-armmp/modules.builtin", []byte("kernel/fs/fat/fat.ko\n")},
		{"config", "boot/config-6.1.0-18-armmp", []byte(kernelText)},
	}
}

// told shows a file to every reader that wants it, and writes what they say.
func told(t testing.TB, p string, b []byte) string {
	t.Helper()
	var out strings.Builder
	for _, x := range All {
		if !wanted(x, p) || x.Head != nil && !x.Head(slices.Clip(b[:min(len(b), 4096)])) {
			continue
		}
		in := biopsy.Input{File: biopsy.File{Path: p}, Content: spool.Bytes(b), Gap: func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s: %s\n", g.Place, g.Reason) }}
		err := x.Extract(context.Background(), in, func(e biopsy.Evidence) {
			line, err := json.Marshal(e.Claim)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%s %v 0x%x %s\n", x.Name, e.Confidence, e.Place.Offset, line)
		})
		if err != nil {
			fmt.Fprintf(&out, "%s error %v\n", x.Name, err)
		}
	}
	return out.String()
}

func wanted(x biopsy.Extractor, p string) bool {
	for _, pattern := range x.Names {
		elems, have := strings.Split(pattern, "/"), strings.Split(p, "/")
		if len(have) < len(elems) {
			continue
		}
		ok := true
		for i, e := range elems {
			fits, err := filepath.Match(e, have[len(have)-len(elems)+i])
			ok = ok && fits && err == nil
		}
		if ok && (x.Wants == nil || x.Wants(p)) {
			return true
		}
	}
	return false
}

func TestSamples(t *testing.T) {
	for _, c := range samples() {
		got := told(t, c.path, c.bytes)
		path := filepath.Join("testdata", c.name+".want")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s want\n%s", c.name, got, want)
		}
	}
}

// TestWindows moves a banner across the edge of the window that is searched at a time.
func TestWindows(t *testing.T) {
	for shift := -300; shift < 300; shift += 7 {
		b := append(bytes.Repeat([]byte{0xe1, 0xa0, 0, 0}, (window+shift+3)/4)[:window+shift], "\x00U-Boot 2023.01 (Jan 09 2023 - 16:07:33 +0000)\x00"...)
		got := told(t, "a.raw", append(b, make([]byte, 3000)...))
		if n := strings.Count(got, `"u-boot"`); n != 1 || !strings.Contains(got, fmt.Sprintf("0x%x ", window+shift+1)) {
			t.Errorf("shift %d: got %s", shift, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range samples() {
		f.Add(c.path, c.bytes)
	}
	f.Fuzz(func(t *testing.T, p string, b []byte) { told(t, p, b) })
}

func BenchmarkBlob(b *testing.B) {
	image := bytes.Repeat(between(debian, procFormat, "IDLE", "U-Boot "), 8000)
	b.SetBytes(int64(len(image)))
	for b.Loop() {
		told(b, "a.raw", image)
	}
}
