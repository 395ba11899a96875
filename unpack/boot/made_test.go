package boot

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// The images that the tests open, made here field by field.

func words(order binary.ByteOrder, n ...uint32) []byte {
	b := make([]byte, 4*len(n))
	for i, x := range n {
		order.PutUint32(b[4*i:], x)
	}
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func fixed(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

func padTo(b []byte, n int) []byte { return append(b, make([]byte, (n-len(b)%n)%n)...) }

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// code is bytes that no format knows.
func code(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7+i>>8)%89 + 0x80
	}
	return b
}

// noise does not pack.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func uimage(kind, comp byte, data []byte) []byte {
	h := make([]byte, 64)
	copy(h, words(be, 0x27051956, 0, 0, uint32(len(data)), 0x80008000, 0x80008000, crc32.ChecksumIEEE(data)))
	copy(h[28:], []byte{5, 2, kind, comp})
	copy(h[32:], "pump 1.2")
	be.PutUint32(h[4:], crc32.ChecksumIEEE(h))
	return append(h, data...)
}

// newcArchive holds one file.
func newcArchive(name, text string) []byte {
	var b []byte
	for _, f := range []struct {
		name, text string
		mode       int
	}{{name, text, 0o100755}, {"TRAILER!!!", "", 0}} {
		b = append(b, fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, f.mode, 0, 0, 1, 0, len(f.text), 0, 0, 0, 0, len(f.name)+1, 0, f.name)...)
		b = padTo(b, 4)
		b = padTo(append(b, f.text...), 4)
	}
	return b
}

// node is one of a device tree to be made; value nil makes it a node with children, else a property.
type node struct {
	name     string
	value    []byte
	children []node
}

func text(name, s string) node           { return node{name: name, value: append([]byte(s), 0)} }
func number(name string, n uint32) node  { return node{name: name, value: words(be, n)} }
func within(name string, c ...node) node { return node{name: name, children: c} }

func deviceTree(root node) []byte {
	var nodes, names []byte
	var put func(n node)
	put = func(n node) {
		if n.value != nil {
			nodes = append(nodes, words(be, 3, uint32(len(n.value)), uint32(len(names)))...)
			nodes = padTo(append(nodes, n.value...), 4)
			names = append(append(names, n.name...), 0)
			return
		}
		nodes = append(nodes, words(be, 1)...)
		nodes = padTo(append(append(nodes, n.name...), 0), 4)
		for _, c := range n.children {
			put(c)
		}
		nodes = append(nodes, words(be, 2)...)
	}
	put(root)
	nodes = append(nodes, words(be, 9)...)
	const head = 40 + 16
	all := head + len(nodes) + len(names)
	return join(words(be, 0xd00dfeed, uint32(all), head, uint32(head+len(nodes)), 40, 17, 16, 0, uint32(len(names)), uint32(len(nodes))), make([]byte, 16), nodes, names)
}

func fit() []byte {
	return deviceTree(within("", text("description", "pump"), within("images",
		within("kernel-1", text("type", "kernel"), text("compression", "gzip"), node{name: "data", value: gzipped(code(300))}, within("signature-1", text("algo", "sha256,rsa2048"))),
		within("fdt-1", text("type", "flat_dt"), text("compression", "none"), node{name: "data", value: board()}),
		within("secret", text("type", "firmware"), node{name: "data", value: code(64)}, within("cipher", text("algo", "aes256"))))))
}

func fitExternal() []byte {
	tree := deviceTree(within("", within("images", within("ramdisk-1", text("type", "ramdisk"), text("compression", "none"), number("data-offset", 8), number("data-size", 100)))))
	return join(padTo(tree, 4), make([]byte, 8), code(100))
}

func board() []byte {
	return deviceTree(within("", text("model", "Pump Board 3"), node{name: "compatible", value: []byte("acme,pump-3\x00ti,am33xx\x00")}, within("chosen")))
}

func environment(flag []byte, size int) []byte {
	b := append(append([]byte{}, flag...), "baudrate=115200\x00bootcmd=run load; bootm\x00bootdelay=0\x00serial#=12\x00\x00"...)
	b = append(b, make([]byte, size-4-len(b))...)
	sum := crc32.ChecksumIEEE(b[len(flag):])
	return append(words(le, sum), b...)
}

func trx() []byte {
	parts := join(padTo(uimage(2, 0, code(100)), 64), code(200))
	b := join([]byte("HDR0"), words(le, uint32(28+len(parts)), 0, 1<<16, 28, 28+192, 0), parts)
	le.PutUint32(b[8:], ^crc32.ChecksumIEEE(b[12:]))
	return b
}

func chk() []byte {
	board := "U12H072T00_NETGEAR\x00\x00"
	h := join([]byte("*#$^"), words(be, uint32(40+len(board)), 0x01010000, 0, 0, 0, 300, 0, 0, 0), []byte(board))
	be.PutUint32(h[36:], netgearSum(h))
	return append(h, code(300)...)
}

func seama() []byte {
	meta := "signature=pump\x00\x00"
	return join(words(be, 0x5ea3a417), []byte{0, 0, 0, byte(len(meta))}, words(be, 200), make([]byte, 16), []byte(meta), code(200))
}

func tplink() []byte {
	h := make([]byte, 0x200)
	copy(h, "\x01\x00\x00\x00TP-LINK Technologies")
	copy(h[124:], words(be, 0x200+300, 0x200, 100, 0x200+100, 200))
	return append(h, code(300)...)
}

func android(version uint32) []byte {
	page := func(b []byte) []byte { return padTo(b, 4096) }
	h := make([]byte, 1660)
	copy(h, "ANDROID!")
	put := func(at int, n uint32) { le.PutUint32(h[at:], n) }
	put(8, 500)
	put(40, version)
	if version >= 3 {
		put(12, 120)
		put(20, 1584)
		return join(page(h), page(code(500)), page(gzipped(newcArchive("init", "#!/bin/sh\n")))[:4096])
	}
	put(16, 120)
	put(36, 4096)
	put(1648, uint32(len(board())))
	return join(page(h), page(code(500)), page(code(120)), page(board()))
}

func vendorBoot() []byte {
	h := make([]byte, 2128)
	copy(h, "VNDRBOOT")
	for at, n := range map[int]uint32{8: 4, 12: 4096, 24: 70, 2096: 2128, 2100: uint32(len(board())), 2112: 12, 2124: 9} {
		le.PutUint32(h[at:], n)
	}
	page := func(b []byte) []byte { return padTo(b, 4096) }
	return join(page(h), page(code(70)), page(board()), page(code(12)), page(code(9)))
}

func mcuboot(flags uint32) []byte {
	h := words(le, 0x96f3b83d, 0, 32, 100, flags, 0x00030201, 77, 0)
	tlv := join([]byte{0x10, 0, 4, 0}, code(4), []byte{0x22, 0, 6, 0}, code(6))
	return join(h, code(100), []byte{0x07, 0x69, byte(4 + len(tlv)), 0}, tlv)
}

func stm32(major byte, flags uint32) []byte {
	head := stmShort
	if major == 2 {
		head = stmLong
	}
	h := make([]byte, head)
	copy(h, "STM2")
	h[74] = major
	le.PutUint32(h[76:], 100)
	le.PutUint32(h[80:], 0x2ffc2400)
	le.PutUint32(h[100:], flags)
	return join(h, code(100), []byte{0xff, 0xff, 0xff, 0xff})
}

func uf2Image() []byte {
	var b []byte
	for i := range 3 {
		at := uint32(0x10000000 + 256*i)
		if i == 2 {
			at += 0x1000
		}
		block := join(words(le, 0x0a324655, 0x9e5d5157, 0x2000, at, 256, uint32(i), 3, 0xe48bff56), code(256))
		b = append(b, join(fixed(string(block), 508), words(le, 0x0ab16f30))...)
	}
	return b
}

func dfuSuffix(b []byte) []byte {
	b = append(b, 0, 1, 0x11, 0xdf, 0x83, 0x04, 0x1a, 0x01, 'U', 'F', 'D', 16)
	return append(b, words(le, ^crc32.ChecksumIEEE(b))...)
}

func dfuse() []byte {
	element := join(words(le, 0x08000000, 90), code(90))
	target := join([]byte("Target\x00"), words(le, 1), fixed("Internal Flash", 255), words(le, uint32(len(element)), 1), element)
	return dfuSuffix(join([]byte("DfuSe\x01"), words(le, uint32(11+len(target))), []byte{1}, target))
}

func esp() []byte {
	descriptor := join(words(le, 0xabcd5432, 0, 0, 0), fixed("1.4.2", 32), fixed("infusion-pump", 32), fixed("10:11:12", 16), fixed("Jan  2 2024", 16), fixed("v5.1.2-dirty", 32), make([]byte, 112))
	segments := [][]byte{descriptor, code(100)}
	b := []byte{0xe9, 2, 2, 0x20}
	b = append(b, words(le, 0x40080400)...)
	b = append(b, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	sum := byte(0xef)
	for i, s := range segments {
		b = append(append(b, words(le, uint32(0x3c000020+0x10000*i), uint32(len(s)))...), s...)
		for _, x := range s {
			sum ^= x
		}
	}
	for len(b)%16 != 15 {
		b = append(b, 0)
	}
	return append(b, sum)
}

func fipImage() []byte {
	uuid := []byte{0x47, 0xd4, 0x08, 0x6d, 0x4c, 0xfe, 0x98, 0x46, 0x9b, 0x95, 0x29, 0x50, 0xcb, 0xbd, 0x5a, 0x00}
	return join([]byte("\x01\x00\x64\xaa\x78\x56\x34\x12"), make([]byte, 8), uuid, words(le, 136, 0, 50, 0, 0, 0),
		bytes.Repeat([]byte{7}, 16), words(le, 186, 0, 30, 0, 0, 0), make([]byte, 40), code(80))
}

func espPartitions() []byte {
	b := join([]byte{0xaa, 0x50, 1, 2}, words(le, 0x9000, 0x6000), fixed("nvs", 20), []byte{0xaa, 0x50, 0, 0}, words(le, 0x10000, 0x100000), fixed("factory", 20))
	sum := md5.Sum(b)
	b = join(b, []byte{0xeb, 0xeb}, bytes.Repeat([]byte{0xff}, 14), sum[:])
	return append(b, bytes.Repeat([]byte{0xff}, espTableSize-len(b))...)
}

// proto is a message of protocol buffers: numbers and runs of bytes by field.
func proto(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		field := uint64(fields[i].(int)) << 3
		switch v := fields[i+1].(type) {
		case int:
			b = binary.AppendUvarint(binary.AppendUvarint(b, field), uint64(v))
		case []byte:
			b = append(binary.AppendUvarint(binary.AppendUvarint(b, field|2), uint64(len(v))), v...)
		}
	}
	return b
}

// payload holds one partition of a plain block, a hole and a zero block, and one that is only changed.
func payload() []byte {
	operation := func(kind, start int, more ...any) []byte {
		return proto(append([]any{1, kind, 6, proto(1, start, 2, 1)}, more...)...)
	}
	system := proto(1, []byte("system"), 7, proto(1, 4*4096), 8, operation(0, 0, 2, 0, 3, 4096), 8, operation(6, 2), 8, operation(0, 3, 2, 4096, 3, 4096))
	vendor := proto(1, []byte("vendor"), 7, proto(1, 4096), 8, operation(4, 0))
	manifest := proto(3, 4096, 13, system, 13, vendor)
	return join([]byte("CrAU"), words(be, 0, 2, 0, uint32(len(manifest)), 0), manifest, noise(8192))
}

// efiSection is a section of a firmware file.
func efiSection(kind byte, data []byte) []byte {
	n := 4 + len(data)
	return padTo(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), kind}, data...), 4)
}

func efiFile(kind byte, id byte, sections ...[]byte) []byte {
	body := join(sections...)
	n := 24 + len(body)
	return padTo(join(bytes.Repeat([]byte{id}, 16), []byte{0, 0, kind, 0, byte(n), byte(n >> 8), byte(n >> 16), 0xf8}, body), 8)
}

func firmwareVolume(files ...[]byte) []byte {
	const head = 72
	body := append(join(files...), bytes.Repeat([]byte{0xff}, 256)...)
	h := make([]byte, head)
	copy(h[16:], []byte{0x78, 0xe5, 0x8c, 0x8c, 0x3d, 0x8a, 0x1c, 0x4f, 0x99, 0x35, 0x89, 0x61, 0x85, 0xc3, 0x2d, 0xd3})
	le.PutUint64(h[32:], uint64(head+len(body)))
	copy(h[40:], "_FVH")
	h[48], h[55] = head, 2
	sum := uint16(0)
	for i := 0; i < head; i += 2 {
		sum += le.Uint16(h[i:])
	}
	le.PutUint16(h[50:], -sum)
	return append(h, body...)
}

// tianoPacked packs by one block of literals, whose codes have nine bits but for two. Numbers of codes for distances have width bits.
func tianoPacked(b []byte, width int) []byte {
	var bits strings.Builder
	put := func(v, n int) {
		for n--; n >= 0; n-- {
			bits.WriteByte('0' + byte(v>>n&1))
		}
	}
	put(len(b), 16)
	put(12, 5) // lengths of codes for lengths: of 10 and 11, one bit
	put(0, 9)
	put(3, 2) // three zeros
	put(0, 12)
	put(1, 3)
	put(1, 3)
	put(510, 9)
	put(0, 2) // two of eight bits
	for range 508 {
		put(1, 1)
	}
	put(0, width) // one distance only
	put(0, width)
	for _, x := range b {
		if x < 2 {
			put(int(x), 8)
		} else {
			put(int(x)+2, 9)
		}
	}
	all := bits.String() + strings.Repeat("0", 40)
	out := make([]byte, len(all)/8)
	for i := range out {
		for k := range 8 {
			out[i] = out[i]<<1 | (all[i*8+k] - '0')
		}
	}
	return join(words(le, uint32(len(out)), uint32(len(b))), out)
}

// tianoVolume has sections packed by the standard's method, by the other variant under its name, and by its GUID.
func tianoVolume() []byte {
	inside := efiSection(0x10, append([]byte("MZ"), code(70)...))
	std := func(width int) []byte {
		return efiSection(1, join(words(le, uint32(len(inside))), []byte{1}, tianoPacked(inside, width)))
	}
	byGUID := join([]byte{0xad, 0x80, 0x12, 0xa3, 0x1e, 0x48, 0xb6, 0x41, 0x95, 0xe8, 0x12, 0x7f, 0x4c, 0x98, 0x47, 0x79}, []byte{24, 0, 1, 0}, tianoPacked(inside, 5))
	huge := efiSection(1, join(words(le, 1<<31), []byte{1}, words(le, 8, 1<<30, 0, 0)))
	return firmwareVolume(efiFile(7, 1, std(4)), efiFile(7, 2, std(5)), efiFile(7, 3, efiSection(2, byGUID)), efiFile(7, 4, huge))
}

func tplink2() []byte {
	h := make([]byte, 0x200)
	copy(h, "\x02\x00\x00\x00ver. 1.0")
	copy(h[0x64:], words(be, 1<<32-1, 0, 0, 0x200+300, 0x200, 100, 0x200+100, 200))
	copy(h[0x8c:], "\x55\xaa\x00\x00\xa5")
	return append(h, code(300)...)
}

func volumes() []byte {
	name := efiSection(0x15, []byte("P\x00u\x00m\x00p\x00D\x00x\x00e\x00\x00\x00"))
	inner := firmwareVolume(efiFile(7, 2, efiSection(0x10, append([]byte("MZ"), code(90)...)), name))
	unknown := join(bytes.Repeat([]byte{9}, 16), []byte{24, 0, 1, 0}, code(40))
	return firmwareVolume(efiFile(1, 1, code(40)), efiFile(0xf0, 0xff, code(16)), efiFile(11, 3, efiSection(0x17, inner)), efiFile(5, 4, efiSection(0x12, code(50)), efiSection(2, unknown)))
}

func intelHex() []byte {
	var b strings.Builder
	line := func(at, kind int, data []byte) {
		raw := append([]byte{byte(len(data)), byte(at >> 8), byte(at), byte(kind)}, data...)
		sum := byte(0)
		for _, x := range raw {
			sum -= x
		}
		fmt.Fprintf(&b, ":%X%02X\r\n", raw, sum)
	}
	line(0, 4, []byte{8, 0})
	line(0, 0, code(16))
	line(16, 0, code(16))
	line(0x400, 0, code(4))
	b.WriteString(":00000000FF\r\n")
	line(0, 1, nil)
	return []byte(b.String())
}

func srecord() []byte {
	var b strings.Builder
	line := func(kind byte, address []byte, data []byte) {
		raw := join([]byte{byte(len(address) + len(data) + 1)}, address, data)
		sum := byte(0)
		for _, x := range raw {
			sum += x
		}
		fmt.Fprintf(&b, "S%c%X%02X\n", kind, raw, ^sum)
	}
	line('0', []byte{0, 0}, []byte("pump"))
	line('3', []byte{8, 0, 0, 0}, code(16))
	line('3', []byte{8, 0, 0, 16}, code(16))
	line('7', []byte{8, 0, 0, 0}, nil)
	return []byte(b.String())
}

// vmlinux is an unpacked kernel with a packed initramfs in it.
func vmlinux() []byte {
	return join(noise(70000), gzipped(newcArchive("init", "#!/bin/sh\nexec pumpd\n")), code(500))
}

func zimage() []byte {
	h := make([]byte, 0x100)
	b := join(h, gzipped(vmlinux()), code(4096))
	copy(b[0x24:], words(le, 0x016f2818, 0, uint32(len(b)), 0x04030201))
	return b
}

func bzimage() []byte {
	payload := append(gzipped(vmlinux()), 0, 0, 1, 0)
	b := padTo(join(make([]byte, 1024), code(64), payload), 16)
	b[0x1f1] = 1
	le.PutUint32(b[0x1f4:], uint32((len(b)-1024)/16))
	copy(b[0x1fe:], "\x55\xaa")
	copy(b[0x202:], "HdrS\x0f\x02")
	copy(b[0x248:], words(le, 64, uint32(len(payload))))
	return b
}

func zboot() []byte {
	payload := gzipped(vmlinux())
	h := make([]byte, 128)
	copy(h, "MZ\x00\x00zimg")
	copy(h[8:], words(le, 128, uint32(len(payload))))
	copy(h[24:], "gzip")
	return append(h, payload...)
}

func armImage() []byte {
	b := vmlinux()
	clear(b[:64])
	le.PutUint64(b[16:], uint64(len(b)))
	copy(b[0x38:], "ARMd")
	return b
}

func verity() []byte {
	h := make([]byte, 512)
	copy(h, "verity\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00")
	copy(h[32:], "sha256")
	copy(h[64:], words(le, 4096, 4096, 200, 0))
	return fixed(string(h), 4096*4)
}

func pkcs7() []byte {
	body := join([]byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82"), code(287))
	b := join([]byte{0x30, 0x82, byte(len(body) >> 8), byte(len(body))}, body)
	return append(b, 0, 0, 0, 0, 0, 0, byte(len(b)>>8), byte(len(b)))
}

func shrs() []byte {
	h := make([]byte, 0x6dc)
	copy(h, "SHRS")
	copy(h[4:], words(be, 250, 256))
	return append(h, code(256)...)
}

func qnx() []byte {
	b := append([]byte("\xeb\x7e\xff\x00\x01\x00\x00\x00\x00\x01\x28\x00"), code(800)...)
	copy(b[32:], words(le, 400, uint32(len(b))))
	return b
}

func luks() []byte {
	h := fixed("LUKS\xba\xbe\x00\x02", 4096)
	be.PutUint64(h[8:], 16<<10)
	return append(h, code(100)...)
}

// samples are all of them by name.
func samples() []sample {
	broken := uimage(2, 0, code(200))
	broken[100] ^= 1
	return []sample{
		{"uimage-gzip", uimage(2, 1, gzipped(code(300)))},
		{"uimage-multi", uimage(4, 0, join(words(be, 10, 7, 0), code(12), code(7)))},
		{"uimage-multi-endless", uimage(4, 0, words(be, 9, 9, 9))},
		{"uimage-wrong-sum", broken},
		{"uimage-cut", uimage(2, 0, code(200))[:150]},
		{"fit", fit()},
		{"fit-external", fitExternal()},
		{"dtb", board()},
		{"env", environment(nil, 1024)},
		{"env-redundant", environment([]byte{1}, 1024)},
		{"trx", trx()},
		{"chk", chk()},
		{"seama", seama()},
		{"tplink", tplink()},
		{"tplink-2", tplink2()},
		{"android-2", android(2)},
		{"android-3", android(3)},
		{"vendorboot", vendorBoot()},
		{"mcuboot", mcuboot(0)},
		{"mcuboot-encrypted", mcuboot(4)},
		{"stm32", stm32(1, 0)},
		{"stm32-2-encrypted", stm32(2, stmEncrypted)},
		{"uf2", uf2Image()},
		{"dfuse", dfuse()},
		{"suffix.dfu", dfuSuffix(code(60))},
		{"esp", esp()},
		{"volume", volumes()},
		{"volume-tiano", tianoVolume()},
		{"fip", fipImage()},
		{"payload", payload()},
		{"esp-partitions", espPartitions()},
		{"hex", intelHex()},
		{"srec", srecord()},
		{"zimage", zimage()},
		{"bzimage", bzimage()},
		{"zboot", zboot()},
		{"arm64", armImage()},
		{"vmlinux.raw", vmlinux()},
		{"verity", verity()},
		{"pkcs7", pkcs7()},
		{"shrs", shrs()},
		{"luks", luks()},
		{"qnx", qnx()},
		{"salted", join([]byte("Salted__"), noise(2000))},
		{"nothing", code(3000)},
	}
}

type sample struct {
	name  string
	bytes []byte
}

func short(b []byte) string {
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%x", sum[:4])
}
