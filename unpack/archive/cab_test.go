package archive

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cabOf makes a cabinet of one folder and one file.
func cabOf(method uint16, name string, plain []byte, packed [][]byte) []byte {
	data := []byte{}
	left := len(plain)
	for _, p := range packed {
		n := min(left, cabBlock)
		left -= n
		sizes := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(len(p))), uint16(n))
		data = binary.LittleEndian.AppendUint32(data, cabSum(p)^le.Uint32(sizes))
		data = append(append(data, sizes...), p...)
	}
	files := cabHead + 8
	start := files + 16 + len(name) + 1
	b := append([]byte(cabMagic), make([]byte, cabHead-8)...)
	le.PutUint32(b[8:], uint32(start+len(data)))
	le.PutUint32(b[16:], uint32(files))
	b[24], b[25], b[26], b[28] = 3, 1, 1, 1
	b = binary.LittleEndian.AppendUint32(b, uint32(start))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(packed)))
	b = binary.LittleEndian.AppendUint16(b, method)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(plain)))
	b = append(b, make([]byte, 4+2+2+2)...)
	b = append(append(append(b, 0x20, 0), name...), 0)
	return append(b, data...)
}

// lzxWriter packs by LZX with codes of equal length. It knows all kinds of block.
type lzxWriter struct {
	b      []byte
	bits   uint32
	n      uint
	recent [3]uint32
	main   int // how many symbols there are
}

func (w *lzxWriter) put(v uint32, n uint) {
	for n > 0 {
		n--
		w.bits = w.bits<<1 | v>>n&1
		if w.n++; w.n == 16 {
			w.b = binary.LittleEndian.AppendUint16(w.b, uint16(w.bits))
			w.n = 0
		}
	}
}

func (w *lzxWriter) align() {
	for w.n > 0 {
		w.put(0, 1)
	}
}

// code is that of symbol i of n whose codes are as long as they can be without one being missing: some are a bit shorter.
func code(i, n int) (v uint32, length uint) {
	for 1<<length < n {
		length++
	}
	short := 1<<length - n
	if i < short {
		return uint32(i), length - 1
	}
	return uint32(short + i), length
}

// codes writes the lengths of symbols from to to of n, as they differ from those before: 0 in the first block.
func (w *lzxWriter) codes(from, to, n int, first bool) {
	differences := []uint32{0, 7, 8, 9, 10, 17, 18, 19} // whose codes have three bits
	for i := range uint32(20) {
		length := uint32(0)
		if slices.Contains(differences, i) {
			length = 3
		}
		w.put(length, 4)
	}
	for i := from; i < to; i++ {
		d := uint32(0)
		if first {
			_, length := code(i, n)
			d = 17 - uint32(length)
		}
		w.put(uint32(slices.Index(differences, d)), 3)
	}
}

// lzxPack returns one run of bytes for each frame.
func lzxPack(plain []byte, slots int, intel bool) (frames [][]byte) {
	w := &lzxWriter{recent: [3]uint32{1, 1, 1}, main: 256 + slots*8}
	if intel {
		plain = intelCalls(plain)
		w.put(1, 1)
		w.put(uint32(len(plain))>>16, 16)
		w.put(uint32(len(plain))&0xffff, 16)
	} else {
		w.put(0, 1)
	}
	seen := map[string]int{}
	kinds, kind := []uint32{1, 2, 3, 2, 1}, uint32(0)
	first := true
	for i, block, k := 0, 0, 0; i < len(plain); {
		if block == 0 {
			kind = kinds[k%len(kinds)]
			block = min(20001+k*1000, len(plain)-i)
			k++
			w.header(kind, block, &first)
		}
		frame := (i/cabBlock + 1) * cabBlock
		end := min(frame, i+block, len(plain))
		if kind == 3 {
			w.b = append(w.b, plain[i:end]...)
			block -= end - i
			i = end
			if block == 0 && (20001+(k-1)*1000)&1 != 0 {
				w.b = append(w.b, 0)
			}
		} else {
			n := w.symbol(plain, i, end, seen)
			block -= n
			i += n
		}
		if i == frame || i == len(plain) {
			w.align()
			frames = append(frames, w.b)
			w.b = nil
		}
	}
	return frames
}

func (w *lzxWriter) header(kind uint32, block int, first *bool) {
	w.put(kind, 3)
	w.put(uint32(block)>>8, 16)
	w.put(uint32(block)&0xff, 8)
	switch kind {
	case 3:
		if w.n == 0 {
			w.put(0, 16)
		}
		w.align()
		for _, r := range w.recent {
			w.b = binary.LittleEndian.AppendUint32(w.b, r)
		}
		return
	case 2:
		for range 8 {
			w.put(3, 3)
		}
	}
	w.codes(0, 256, w.main, *first)
	w.codes(256, w.main, w.main, *first)
	w.codes(0, 249, 249, *first)
	*first = false
}

// symbol writes a literal or a match and returns how many bytes it stands for.
func (w *lzxWriter) symbol(plain []byte, i, end int, seen map[string]int) int {
	if end-i >= 3 {
		key := string(plain[i : i+3])
		at, ok := seen[key]
		seen[key] = i
		if d := i - at; ok && d < 30<<10 {
			n := 3
			for n < 257 && i+n < end && plain[i+n] == plain[at+n] {
				n++
			}
			w.match(uint32(d), n)
			return n
		}
	}
	w.put(code(int(plain[i]), w.main))
	return 1
}

func (w *lzxWriter) match(d uint32, n int) {
	slot := uint32(3)
	base := func(s uint32) uint32 {
		if s < 4 {
			return s
		}
		return (2 + s&1) << (s/2 - 1)
	}
	r := &w.recent
	switch d {
	case r[0]:
		slot = 0
	case r[1]:
		slot, r[0], r[1] = 1, r[1], r[0]
	case r[2]:
		slot, r[0], r[2] = 2, r[2], r[0]
	default:
		for base(slot+1) <= d+2 {
			slot++
		}
		r[2], r[1], r[0] = r[1], r[0], d
	}
	w.put(code(256+int(slot)*8+min(n-2, 7), w.main))
	if n-2 >= 7 {
		w.put(code(n-2-7, 249))
	}
	if slot < 4 {
		return
	}
	extra := uint(slot/2 - 1)
	w.put(d+2-base(slot), extra) // the last three bits by the codes of an aligned block are the same bits
}

// intelCalls turns targets of calls from relative to absolute.
func intelCalls(plain []byte) []byte {
	b := bytes.Clone(plain)
	size := int32(len(b))
	for start := 0; start < len(b); start += cabBlock {
		for i := start; i < min(start+cabBlock, len(b))-10; i++ {
			if b[i] != 0xe8 {
				continue
			}
			v, here := int32(le.Uint32(b[i+1:])), int32(i)
			if v >= -here && v < size {
				if v < size-here {
					v += here
				} else {
					v -= size
				}
				le.PutUint32(b[i+1:], uint32(v))
			}
			i += 4
		}
	}
	return b
}

func TestLZX(t *testing.T) {
	dir := plant(t)
	plain, err := os.ReadFile(filepath.Join(dir, "usr/bin/pumpd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 3, 1000, cabBlock, cabBlock + 1, 300_000} {
		for _, c := range []struct {
			bits, slots int
			intel       bool
		}{{15, 30, false}, {17, 34, true}, {21, 50, true}} {
			want := plain[len(plain)-size:]
			b := cabOf(uint16(3|c.bits<<8), "pumpd", want, lzxPack(want, c.slots, c.intel))
			got := unpackAll(t, Cab, "x.cab", b)
			if !bytes.Equal(got.files["pumpd"], want) || got.err != nil {
				t.Errorf("%d bytes, %+v: got %d, gaps %v, %v", size, c, len(got.files["pumpd"]), got.gaps, got.err)
			}
			got.covers(t, "lzx", len(b))
			checkBy7zz(t, b, want)
		}
	}
}

// checkBy7zz sees to it that what the test's own packer makes is LZX.
func checkBy7zz(t *testing.T, cab, want []byte) {
	t.Helper()
	if _, err := exec.LookPath("7zz"); err != nil {
		return
	}
	path := filepath.Join(t.TempDir(), "x.cab")
	if err := os.WriteFile(path, cab, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("7zz", "e", "-so", path).Output()
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("7zz: got %d bytes, %v, want %d", len(out), err, len(want))
	}
}

func TestCab(t *testing.T) {
	dir := plant(t)
	for _, packing := range [][]string{{"gcab", "-c", "-z"}, {"gcab", "-c"}} { // MSZIP; none
		path := filepath.Join(t.TempDir(), "x.cab")
		run(t, dir, append(packing, path, "usr/bin/pumpd", "usr/lib/libpump.so", "one", "etc/größe.txt", "etc/b.txt")...)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := unpackAll(t, Cab, "x.cab", b)
		got.files["empty"] = nil
		got.same(t, strings.Join(packing, " "), dir, true)
		got.covers(t, "gcab", len(b))
		if n, ok := Cab.Extent(bytes.NewReader(b), 0, int64(len(b))); !ok || n != int64(len(b)) {
			t.Errorf("extent: %d, %v, want %d", n, ok, len(b))
		}
	}
}

func TestHostileCab(t *testing.T) {
	good := cabOf(0, "a", []byte("pump"), [][]byte{[]byte("pump")})
	spoil := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	const folder, file, data = cabHead, cabHead + 8, cabHead + 8 + 18
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"good":           {good, "by cab\na -rwxr-xr-x transient \"pump\"\n"},
		"Quantum":        {spoil(folder+6, 2), "gap a: packed by Quantum"},
		"other method":   {spoil(folder+6, 7), "gap a: packed by method 7"},
		"LZX window":     {spoil(folder+6, 3, 30), "a -rwxr-xr-x transient: lzx window of 30 bits"},
		"LZX":            {spoil(folder+6, 3, 15), "lzx data is damaged"},
		"MSZIP":          {spoil(folder+6, 1), "no mszip block"},
		"other folder":   {spoil(file+8, 9), "gap a: is in folder 10 of 1"},
		"other cabinet":  {spoil(file+8, 0xfe, 0xff), "gap a: a part of it is in another cabinet"},
		"file too large": {spoil(file, 5), "gap a: 5 bytes at offset 0 reach beyond the 4"},
		"block is cut":   {spoil(data+4, 9), "gap a: at offset 62: 5 bytes of a block are missing"},
		"block too big":  {spoil(data+4, 0, 0xff), "gap a: at offset 62: block of 4 bytes packed in 65280"},
		"checksum":       {spoil(data, 1), "wrong check sum"},
		"more blocks":    {spoil(folder+4, 2), "a -rwxr-xr-x transient \"pump\""},
		"more files":     {spoil(28, 2), "file 2 of 2: "},
		"other version":  {spoil(25, 2), "no unpacker"},
		"set":            {spoil(30, 1), "gap "},
	} {
		got := list(newSpool(t), unpackerOf("x.cab", c.b), "x.cab", c.b)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
}
