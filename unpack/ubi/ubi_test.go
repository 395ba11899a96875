package ubi

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/internal/flash"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// maker writes an image block by block, as UBI would.
type maker struct {
	block, volumeAt, dataAt int
	image                   []byte
	id                      uint32
}

func newMaker() *maker { return &maker{block: 16 << 10, volumeAt: 512, dataAt: 2048, id: 7} }

// add appends an erase block that holds a logical block.
func (m *maker) add(h volumeHeader, data []byte) int {
	b := m.erase()
	v := b[m.volumeAt:]
	clear(v[:headerSize])
	be.PutUint32(v, 0x55424921)
	v[4], v[5] = 1, 1
	if h.static {
		v[5] = 2
	}
	if h.copied {
		v[6] = 1
	}
	be.PutUint32(v[8:], h.volume)
	be.PutUint32(v[12:], h.block)
	be.PutUint32(v[24:], h.used)
	be.PutUint32(v[28:], h.pad)
	be.PutUint64(v[40:], h.sequence)
	if h.static || h.copied {
		be.PutUint32(v[20:], uint32(len(data)))
		be.PutUint32(v[32:], flash.CRC1(data))
	}
	be.PutUint32(v[60:], flash.CRC1(v[:60]))
	copy(b[m.dataAt:], data)
	m.image = append(m.image, b...)
	return len(m.image) - m.block
}

// erase returns a free erase block.
func (m *maker) erase() []byte {
	b := bytes.Repeat([]byte{0xff}, m.block)
	clear(b[:headerSize])
	copy(b, "UBI#\x01")
	be.PutUint32(b[16:], uint32(m.volumeAt))
	be.PutUint32(b[20:], uint32(m.dataAt))
	be.PutUint32(b[24:], m.id)
	be.PutUint32(b[60:], flash.CRC1(b[:60]))
	return b
}

// table appends both copies of the volume table.
func (m *maker) table(records ...record) {
	b := make([]byte, recordSize*((m.block-m.dataAt)/recordSize))
	for i := range len(b) / recordSize {
		e := b[i*recordSize:][:recordSize]
		if i < len(records) {
			be.PutUint32(e, records[i].reserved)
			e[12] = 1
			if records[i].updating {
				e[13] = 1
			}
			be.PutUint16(e[14:], uint16(len(records[i].name)))
			copy(e[16:], records[i].name)
		}
		be.PutUint32(e[168:], flash.CRC1(e[:168]))
	}
	m.add(volumeHeader{volume: firstInternal}, b)
	m.add(volumeHeader{volume: firstInternal, block: 1}, b)
}

// room is what a logical block holds.
func (m *maker) room() int { return m.block - m.dataAt }

func check(t *testing.T, r flashtest.Result, want map[string][]byte, gaps string) {
	t.Helper()
	for p, b := range want {
		if r.Files[p] != flashtest.Sum(b) {
			t.Errorf("%s: got %q, want the digest of %d bytes", p, r.Files[p], len(b))
		}
	}
	if len(r.Files) != len(want) || r.Err != nil {
		t.Errorf("got %v, error %v, want %d volumes", r.Order, r.Err, len(want))
	}
	if got := r.Reasons(); (gaps == "") != (got == "") || !strings.Contains(got, gaps) {
		t.Errorf("got gaps %q, want %q", got, gaps)
	}
}

func blank(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }

func TestCopies(t *testing.T) {
	m := newMaker()
	m.table(record{name: "data", reserved: 10}, record{name: "gone", reserved: 4}, record{name: "half", reserved: 2, updating: true})
	n := m.room()
	one, two := flashtest.Words(n), flashtest.Noise(n)
	m.add(volumeHeader{block: 0, sequence: 9}, two)
	m.add(volumeHeader{block: 0, sequence: 5}, one)
	m.image = append(m.image, m.erase()...)
	m.image = append(m.image, blank(m.block)...) // a bad block
	m.add(volumeHeader{block: 2, sequence: 6}, one)
	at := m.add(volumeHeader{block: 2, sequence: 8, copied: true}, two) // power was lost while it was copied
	m.image[at+m.dataAt+99] ^= 1
	m.add(volumeHeader{block: 3, sequence: 6}, one)
	m.add(volumeHeader{block: 3, sequence: 7, copied: true}, two)
	m.add(volumeHeader{volume: 2, sequence: 10}, one)
	m.add(volumeHeader{volume: 9, sequence: 11, pad: uint32(n - 512)}, one)
	m.add(volumeHeader{volume: firstInternal + 1, sequence: 12}, one) // a fast map
	r := flashtest.Unpack(Image, spool.Bytes(m.image))
	check(t, r, map[string][]byte{
		"data.bin": bytes.Join([][]byte{two, blank(n), one, two}, nil), "half.bin": one, "volume-9.bin": one[:512],
	}, "gone: volume 1 is in the volume table and has no block")
	if !strings.Contains(r.Reasons(), "half: an update") || len(r.Gaps) != 2 {
		t.Errorf("gaps: %s", r.Reasons())
	}
	flashtest.Covers(t, r, int64(len(m.image)))
}

func TestDamage(t *testing.T) {
	m := newMaker()
	n := m.room()
	one := flashtest.Words(n)
	m.add(volumeHeader{static: true, used: 3}, one)
	at := m.add(volumeHeader{static: true, used: 3, block: 1}, one)
	m.image[at+m.dataAt] ^= 1
	at = m.add(volumeHeader{static: true, used: 3, block: 2}, one[:100])
	m.image[at+m.volumeAt+9] ^= 1
	r := flashtest.Unpack(Image, spool.Bytes(m.image))
	broken := bytes.Clone(one)
	broken[0] ^= 1
	check(t, r, map[string][]byte{"volume-0.bin": append(bytes.Clone(one), broken...)}, "1 of 3 blocks are missing")
	for _, want := range []string{"volume header fails its checksum", "block 1, at offset 16384 of the image, fails", "no copy of the volume table"} {
		if !strings.Contains(r.Reasons(), want) {
			t.Errorf("got %s, want %q", r.Reasons(), want)
		}
	}
}

// TestOthersBehind leaves to the carver what follows a device, a second one too.
func TestOthersBehind(t *testing.T) {
	m := newMaker()
	m.table(record{name: "a", reserved: 1})
	m.add(volumeHeader{}, []byte("first"))
	end := len(m.image)
	m.id = 8
	m.table(record{name: "b", reserved: 1})
	m.add(volumeHeader{}, []byte("second"))
	if n, ok := extent(bytes.NewReader(m.image), 0, int64(len(m.image))); !ok || n != int64(end) {
		t.Errorf("extent: got %d, %v, want %d", n, ok, end)
	}
	if n, ok := extent(bytes.NewReader(m.image), int64(end), int64(len(m.image)-end)); !ok || n != int64(len(m.image)-end) {
		t.Errorf("second extent: got %d, %v", n, ok)
	}
	if n, ok := extent(bytes.NewReader(m.image), 5, 1000); ok {
		t.Errorf("extent of nothing: got %d", n)
	}
}

// made has ubinize make an image of a static and a dynamic volume, and tells what they hold.
func made(t testing.TB, args ...string) ([]byte, map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	kernel, root := flashtest.Noise(300_000), flashtest.Words(500_000)
	os.WriteFile(filepath.Join(dir, "kernel"), kernel, 0o600)
	os.WriteFile(filepath.Join(dir, "root"), root, 0o600)
	config := fmt.Sprintf("[k]\nmode=ubi\nimage=%s/kernel\nvol_id=3\nvol_type=static\nvol_name=kernel\n[r]\nmode=ubi\nimage=%s/root\nvol_id=0\nvol_type=dynamic\nvol_name=root fs\nvol_size=4MiB\n[e]\nmode=ubi\nvol_id=5\nvol_type=dynamic\nvol_name=empty\nvol_size=1MiB\n", dir, dir)
	os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600)
	flashtest.Run(t, "ubinize", append(args, "-o", filepath.Join(dir, "out"), filepath.Join(dir, "config"))...)
	b, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return b, map[string][]byte{"kernel.bin": kernel, "root fs.bin": root}
}

func TestMade(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		room int // of a logical block
	}{
		{"2048 with subpages", []string{"-m", "2048", "-p", "128KiB", "-s", "512"}, 129024},
		{"2048", []string{"-m", "2048", "-p", "128KiB"}, 126976},
		{"4096", []string{"-m", "4096", "-p", "256KiB"}, 253952},
		{"512", []string{"-m", "512", "-p", "16KiB"}, 15360},
		{"nor", []string{"-m", "1", "-p", "64KiB"}, 65408},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, want := made(t, c.args...)
			root := want["root fs.bin"]
			want["root fs.bin"] = append(root, blank((c.room-len(root)%c.room)%c.room)...)
			r := flashtest.Unpack(Image, spool.Bytes(b))
			check(t, r, want, "empty: volume 5")
			if len(r.Gaps) != 1 {
				t.Errorf("gaps: %s", r.Reasons())
			}
			flashtest.Covers(t, r, int64(len(b)))
			if c.name == "nor" {
				return
			}
			for _, g := range flash.Geometries {
				if !strings.HasPrefix(c.name, fmt.Sprint(g.Page)) {
					continue
				}
				spare := flashtest.Unpack(Image, spool.Bytes(flashtest.Spare(b, g)))
				if !maps.Equal(spare.Files, r.Files) || spare.Err != nil || !strings.Contains(spare.Spans[0].What, fmt.Sprint(g.Spare, " spare")) {
					t.Errorf("%+v: got %v, %v, %+v, want %v", g, spare.Files, spare.Err, spare.Spans, r.Files)
				}
			}
		})
	}
}

func TestHostile(t *testing.T) {
	b := small()
	whole := flashtest.Unpack(Image, spool.Bytes(b))
	for i := range b {
		if b[i] == 0xff || i%16384 >= 2048 && i%13 > 0 {
			continue
		}
		c := bytes.Clone(b)
		c[i] ^= 0x55
		r := flashtest.Touch(Image, spool.Bytes(c))
		if r.Err == nil && len(r.Gaps) == 0 && !maps.Equal(r.Files, whole.Files) && i%16384 < 2048 {
			t.Errorf("byte %d: got %v without a gap", i, r.Files)
		}
	}
	for n := 0; n < len(b); n += 61 {
		flashtest.Touch(Image, spool.Bytes(b[:n]))
		extent(bytes.NewReader(b), 0, int64(n))
	}
}

// small is an image of a table and a volume.
func small() []byte {
	m := newMaker()
	m.table(record{name: "data", reserved: 2})
	m.add(volumeHeader{sequence: 1}, flashtest.Words(3000))
	m.add(volumeHeader{sequence: 2, volume: 1, static: true, used: 1}, flashtest.Words(300))
	return m.image
}

func FuzzImage(f *testing.F) {
	f.Add(small())
	f.Add(flashtest.Spare(small(), flash.Geometry{Page: 512, Spare: 16}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := flashtest.Touch(Image, spool.Bytes(b))
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && (n > int64(len(b)) || n <= 0) {
			t.Errorf("extent: got %d of %d bytes", n, len(b))
		}
		flashtest.Covers(t, r, int64(len(b)))
	})
}

func BenchmarkUnpack(b *testing.B) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		b.Skip("BIOPSY_CORPORA is not set")
	}
	c := flashtest.File(b, filepath.Join(dir, "firmware/ubi.img"))
	b.SetBytes(c.Size())
	b.ReportAllocs()
	for b.Loop() {
		if r := flashtest.Unpack(Image, c); r.Err != nil || len(r.Files) == 0 {
			b.Fatal(r.Err)
		}
	}
}
