package archive

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/spool"
)

// rar5 makes blocks of RAR 5.
type rar5 struct{ strings.Builder }

func vints(n ...uint64) (b []byte) {
	for _, v := range n {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func (r *rar5) block(header []byte, data string) {
	h := append(vints(uint64(len(header))), header...)
	r.Write(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(h)))
	r.Write(h)
	r.WriteString(data)
}

// file adds a file: info is how it is packed, extra a record.
func (r *rar5) file(name, plain, packed string, info uint64, extra string) {
	flags := uint64(2) // bytes follow
	if extra != "" {
		flags |= 1
	}
	h := vints(2, flags)
	if extra != "" {
		h = append(h, vints(uint64(len(extra)))...)
	}
	h = append(h, vints(uint64(len(packed)), 4, uint64(len(plain)), 0o100755)...)
	h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE([]byte(plain)))
	h = append(append(h, vints(info, 1, uint64(len(name)))...), name...)
	r.block(append(h, extra...), packed)
}

func newRAR5(mainFlags uint64) *rar5 {
	r := &rar5{}
	r.WriteString(rar5Magic)
	r.block(vints(1, 0, mainFlags), "")
	return r
}

func (r *rar5) end() []byte {
	r.block(vints(5, 0, 0), "")
	return []byte(r.String())
}

// rarPacked packs by method 1 in one block: each byte is a literal of eight bits, which is its own code.
func rarPacked(s string) string {
	var bits strings.Builder
	put := func(v, n int) {
		for n--; n >= 0; n-- {
			bits.WriteByte('0' + byte(v>>n&1))
		}
	}
	for i := range 20 { // code lengths of lengths: 8 has one bit; 18 and 19, which are runs of zeros, two
		put(map[int]int{8: 1, 18: 2, 19: 2}[i], 4)
	}
	put(0, 256)                           // 256 literals of length 8
	for _, n := range [...]int{127, 25} { // 138 and 36 times 0
		put(3, 2)
		put(n, 7)
	}
	for i := range len(s) {
		put(int(s[i]), 8)
	}
	all := bits.String()
	last := (len(all)-1)%8 + 1
	all += strings.Repeat("0", 8-last)
	body := make([]byte, len(all)/8)
	for i := range all {
		body[i/8] |= (all[i] - '0') << (7 - i%8)
	}
	flags := byte(0xc0 | 1<<3 | (last - 1)) // the last block, with tables, size in two bytes
	size := binary.LittleEndian.AppendUint16(nil, uint16(len(body)))
	return string(append([]byte{flags, 0x5a ^ flags ^ size[0] ^ size[1], size[0], size[1]}, body...))
}

// rar4File is a block of RAR 4; flags 4 is encrypted, 1 begun before.
func rar4File(name, body string, flags uint16) string {
	h := []byte{0x74}
	h = binary.LittleEndian.AppendUint16(h, 0x8000|flags)
	h = binary.LittleEndian.AppendUint16(h, uint16(32+len(name)))
	h = binary.LittleEndian.AppendUint32(h, uint32(len(body)))
	h = binary.LittleEndian.AppendUint32(h, uint32(len(body)))
	h = binary.LittleEndian.AppendUint32(append(h, 3), crc32.ChecksumIEEE([]byte(body)))
	h = append(h, 0, 0, 0, 0, 20, 0x30) // time, version, stored
	h = binary.LittleEndian.AppendUint16(h, uint16(len(name)))
	h = append(binary.LittleEndian.AppendUint32(h, 0o100644), name...)
	return rar4Sum(h) + body
}

func rar4Sum(h []byte) string {
	return string(append(binary.LittleEndian.AppendUint16(nil, uint16(crc32.ChecksumIEEE(h))), h...))
}

func rar4(flags byte, blocks ...string) []byte {
	main := rar4Sum([]byte{0x73, flags, 0, 13, 0, 0, 0, 0, 0, 0, 0})
	return []byte(rar4Magic + main + strings.Join(blocks, "") + rar4Sum([]byte{0x7b, 0, 0x40, 7, 0}))
}

const method1 = 1 << 7 // of RAR 5, with a dictionary of 128 KiB

func TestRAR(t *testing.T) {
	long := strings.Repeat("pump valve ", 700)
	five := newRAR5(0)
	five.file("dir/stored", "hello\n", "hello\n", 0, "")
	five.file("packed", long, rarPacked(long), method1, "")
	good := five.end()
	solid := newRAR5(4)
	solid.file("a", "alarm", rarPacked("alarm"), method1, "")
	solid.file("b", "battery", rarPacked("battery"), method1|0x40, "")
	secret := newRAR5(0)
	secret.file("open", "x", "x", 0, "")
	secret.file("closed", "0123456789abcdef", "0123456789abcdef", 0, "\x30\x01\x00\x00\x0f"+strings.Repeat("s", 44))
	hidden := newRAR5(0)
	hidden.block(vints(4, 0, 0, 0, 15), "")
	hidden.WriteString("0123456789")
	began := newRAR5(0)
	began.block(append(vints(2, 8|2, 1, 4, 1, 0o100644, 0, 0, 0, 0, 0, 1, 1), 'x'), "x")
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"5":                {good, "dir/stored -rwxr-xr-x transient \"hello\\n\"\npacked -rwxr-xr-x transient \"pump valve pump valve pump valve pump va\"\n"},
		"5 solid":          {solid.end(), "a -rwxr-xr-x transient \"alarm\"\nb -rwxr-xr-x transient \"battery\"\n"},
		"5 encrypted":      {secret.end(), "open -rwxr-xr-x transient \"x\"\ngap closed: encrypted\n"},
		"5 hidden":         {hidden.end(), "error encrypted"},
		"5 later volume":   {began.end(), "error a later volume"},
		"4":                {rar4(0, rar4File("a", "alarm", 0), rar4File("d\\b", "bat", 0)), "a -rw-r--r-- transient \"alarm\"\nd/b -rw-r--r-- transient \"bat\"\n"},
		"4 solid":          {rar4(8, rar4File("a", "alarm", 0), rar4File("b", "bat", 0x10)), "a -rw-r--r-- transient \"alarm\"\nb -rw-r--r-- transient \"bat\"\n"},
		"4 encrypted":      {rar4(0, rar4File("a", "alarm", 4), rar4File("b", "bat", 0)), "gap a: encrypted\nb -rw-r--r-- transient \"bat\"\n"},
		"4 hidden":         {rar4(0x80, "0123456789abcdef"), "error encrypted"},
		"4 later volume":   {rar4(1, rar4File("a", "alarm", 1)), "error a later volume"},
		"4 without end":    {rar4(0, rar4File("a", "alarm", 0))[:7+13+33+5], "a -rw-r--r-- transient \"alarm\"\nerror no end mark"},
		"5 wrong checksum": {[]byte(strings.Replace(string(good), "hello", "jello", 1)), "dir/stored -rwxr-xr-x transient: bad file checksum\npacked -rwx"},
		"5 large window":   {large(), "dictionary too large"},
		"header":           {[]byte(rar5Magic + "\x00\x00\x00\x00\xff\xff\xff\xff\x0f"), "no rar block"},
	} {
		if got := list(newSpool(t), &RAR, "x.rar", c.b); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %s", name, got, c.want)
		}
		if name != "header" {
			unpackAll(t, RAR, "x.rar", c.b).covers(t, name, len(c.b))
		}
	}
	if got := sum(unpackAll(t, RAR, "x.rar", []byte(secret.String())), "encrypted"); got != 16 {
		t.Errorf("%d bytes are encrypted, want 16", got)
	}
}

// large claims a dictionary of 4 GiB for a file that claims to be as large.
func large() []byte {
	r := newRAR5(4)
	h := append(vints(2, 2, 4, 4, 1<<40, 0o100644, 0, 0, 0, 0), vints(method1|15<<10, 1, 1)...)
	r.block(append(h, 'x'), "abcd")
	return r.end()
}

// FuzzRARPacked fuzzes what stands behind the check sums: packed bytes, for all generations of packing.
func FuzzRARPacked(f *testing.F) {
	f.Add(byte(50), uint16(method1), rarPacked("pump valve"))
	f.Add(byte(50), uint16(method1|0x40), rarPacked("pump valve"))
	for _, version := range []byte{15, 20, 26, 29} {
		f.Add(version, uint16(0x33), rarPacked("pump valve"))
		f.Add(version, uint16(0x35), "\x80\x20\x00\xff\x00\x12pump")
	}
	s, err := spool.Open(f.TempDir(), 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, version byte, method uint16, packed string) {
		plain := strings.Repeat("x", 300_000) // the sum will be wrong, the size be reached
		if version >= 50 {
			r := newRAR5(4)
			r.file("a", plain, packed, uint64(method), "")
			r.file("b", plain, packed, uint64(method)|0x40, "")
			hold(t, s, RAR, r.end())
			return
		}
		block := []byte(rar4File("a", packed, 0)[:32+1])
		le.PutUint32(block[11:], uint32(len(plain)))
		block[24], block[25] = version, byte(method)
		le.PutUint16(block, uint16(crc32.ChecksumIEEE(block[2:])))
		hold(t, s, RAR, rar4(byte(method>>8)&8, string(block)+packed, string(block)+packed))
	})
}
