package ubifs

import (
	"bytes"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/flash"
	"github.com/biopsy-sca/biopsy/internal/flash/flashtest"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// makeVolume makes a volume out of a folder.
func makeVolume(t testing.TB, dir string, args ...string) biopsy.Content {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	flashtest.Run(t, "mkfs.ubifs", append([]string{"-r", dir, "-o", img}, args...)...)
	return flashtest.File(t, img)
}

func TestMade(t *testing.T) {
	dir := flashtest.Tree(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"lzo", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "lzo"}},
		{"zlib", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "zlib"}},
		{"zstd", []string{"-m", "4096", "-e", "253952", "-c", "200", "-x", "zstd"}},
		{"none", []string{"-m", "512", "-e", "15872", "-c", "400", "-x", "none"}},
		{"favor lzo", []string{"-m", "2048", "-e", "126976", "-c", "200", "-x", "favor_lzo"}},
		{"fanout", []string{"-m", "2048", "-e", "126976", "-c", "200", "-f", "3"}},
		{"nor", []string{"-m", "8", "-e", "65408", "-c", "200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := makeVolume(t, dir, c.args...)
			r := flashtest.Unpack(Volume, content)
			flashtest.Same(t, r, dir)
			if len(r.Gaps) > 0 {
				t.Errorf("gaps: %s", r.Reasons())
			}
			flashtest.Together(t, Volume, content)
			if n, ok := extent(content, 0, content.Size()); !ok || n != content.Size() {
				t.Errorf("extent: got %d, %v, want %d", n, ok, content.Size())
			}
		})
	}
}

func check(t *testing.T, r flashtest.Result, want map[string][]byte, gaps string) {
	t.Helper()
	for p, b := range want {
		if r.Files[p] != flashtest.Sum(b) {
			t.Errorf("%s: got %q, want the digest of %d bytes", p, r.Files[p], len(b))
		}
	}
	if len(r.Files) != len(want) || r.Err != nil {
		t.Errorf("got %v, error %v, want %d files", r.Order, r.Err, len(want))
	}
	if got := r.Reasons(); (gaps == "") != (got == "") || !strings.Contains(got, gaps) {
		t.Errorf("got gaps %q, want %q", got, gaps)
	}
}

// smallFiles are those of testdata/small.ubifs.gz.
func smallFiles() map[string][]byte {
	return map[string][]byte{"etc/os-release": []byte("ID=pumpos\nVERSION_ID=4.2\n"), "usr/bin/pumpd": flashtest.Words(9000), "etc/empty": nil}
}

func TestSmall(t *testing.T) {
	b := small(t)
	r := flashtest.Unpack(Volume, spool.Bytes(b))
	check(t, r, smallFiles(), "")
	flashtest.Covers(t, r, int64(len(b)))
}

// numbers finds the inodes of a volume by their paths.
func numbers(t *testing.T, b []byte) map[string]uint32 {
	t.Helper()
	all := map[string]uint32{}
	s, _ := parseSuper(b)
	v := &volume{UnpackOptions: biopsy.UnpackOptions{Gap: func(g biopsy.Gap) { t.Errorf("gap: %+v", g) }}, super: s, content: spool.Bytes(b), size: int64(len(b))}
	if err := v.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := v.names.Walk(rootInode, flash.Visitor{Visit: func(p string, ino uint32, _ flash.Kind) error { all[p] = ino; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestJournal reads what was written after the last commit, as after power was lost.
func TestJournal(t *testing.T) {
	m := newMaker(t)
	at := numbers(t, m.image)
	words, noise := flashtest.Words(9000), flashtest.Noise(4096)
	const file, dir = 0, 1
	m.inode(500, 4096+100, 1, 0o100600, 0) // a new file
	m.data(500, 0, noise)
	m.data(500, 1, noise[:100])
	m.name(at["etc"], "new", 500, file)
	m.data(at["usr/bin/pumpd"], 1, noise) // a part that is written anew
	m.name(at["etc"], "os-release", 0, file)
	m.name(at["usr"], "moved", uint64(at["etc/os-release"]), file)
	m.flush()
	m.inode(501, 9000, 1, 0o100644, 0)
	m.name(at["etc"], "cut", 501, file)
	m.data(501, 0, words[:4096])
	m.data(501, 1, words[4096:8192])
	m.data(501, 2, words[8192:])
	m.truncate(501, 5000)
	m.data(501, 1, words[4096:5000])
	m.inode(501, 9000, 1, 0o100644, 0)
	m.inode(502, 10, 1, 0o100644, 0) // its size was not yet written
	m.name(at["etc"], "grown", 502, file)
	m.data(502, 1, noise[:50])
	m.inode(503, 4096, 1, 0o100644, 0)
	m.data(503, 0, noise)
	m.name(at["etc"], "deleted", 503, file)
	m.name(at["etc"], "deleted", 0, file)
	m.inode(503, 4096, 0, 0o100644, 0)
	m.inode(504, 77, 1, 0o100644, flagEncrypted)
	m.name(at["etc"], "secret", 504, file)
	m.inode(505, 0, 2, 0o040755, flagEncrypted)
	m.name(at["etc"], "secrets", 505, dir)
	m.name(505, "\x01\x02", 500, file)
	m.flush()
	want := smallFiles()
	want["etc/new"] = append(bytes.Clone(noise), noise[:100]...)
	want["usr/bin/pumpd"] = bytes.Join([][]byte{words[:4096], noise, words[8192:]}, nil)
	want["usr/moved"] = want["etc/os-release"]
	delete(want, "etc/os-release")
	want["etc/cut"] = append(bytes.Clone(words[:5000]), make([]byte, 4000)...)
	want["etc/grown"] = append(make([]byte, 4096), noise[:50]...)
	r := flashtest.Unpack(Volume, spool.Bytes(m.image))
	check(t, r, want, "etc/secret: encrypted (fscrypt)")
	if !strings.Contains(r.Reasons(), "etc/secrets: encrypted directory (fscrypt) with 1 files") || len(r.Gaps) != 2 {
		t.Errorf("gaps: %s", r.Reasons())
	}

	// Without index, all nodes tell the same. The superblock stays.
	for lnum := masterBlock; lnum < firstLog; lnum++ {
		clear(m.image[int64(lnum)*m.block:][:m.block])
	}
	check(t, flashtest.Unpack(Volume, spool.Bytes(m.image)), want, "index is damaged (no valid master node)")
}

// TestDamagedData reads an error where data is damaged, with the index and without.
func TestDamagedData(t *testing.T) {
	b := small(t)
	at, inum := -1, numbers(t, b)["usr/bin/pumpd"]
	for i := 0; i+dataSize < len(b) && at < 0; i += 8 {
		if le.Uint32(b[i:]) == magic && b[i+20] == nodeData && le.Uint32(b[i+24:]) == inum {
			at = i
		}
	}
	b[at+dataSize+5] ^= 1
	for range 2 {
		r := flashtest.Unpack(Volume, spool.Bytes(b))
		if !strings.Contains(r.Files["usr/bin/pumpd"], "node fails its checks") || len(r.Files) != 3 {
			t.Errorf("got %v, %s", r.Files, r.Reasons())
		}
		clear(b[15872:][:2*15872])
	}
}

func TestHostile(t *testing.T) {
	b := small(t)
	whole := flashtest.Unpack(Volume, spool.Bytes(b))
	for i := 0; i < len(b); i++ {
		if b[i] == 0xff || b[i] == 0 && i%5 > 0 {
			continue
		}
		c := bytes.Clone(b)
		c[i] ^= 0x55
		r := flashtest.Touch(Volume, spool.Bytes(c))
		said := r.Err != nil || len(r.Gaps) > 0
		for _, sum := range r.Files {
			said = said || strings.HasPrefix(sum, "read: ") || strings.HasPrefix(sum, "open: ")
		}
		if !said && !maps.Equal(r.Files, whole.Files) {
			t.Errorf("byte %d: got %v without a gap", i, r.Files)
		}
	}
	for n := 0; n < len(b); n += 509 {
		flashtest.Touch(Volume, spool.Bytes(b[:n]))
		extent(bytes.NewReader(b), 0, int64(n))
	}
}

func FuzzVolume(f *testing.F) {
	f.Add(small(f), uint32(0), []byte{})
	f.Add(small(f), uint32(3*15872), make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, over []byte) {
		if int64(at) < int64(len(b)) {
			copy(b[at:], over)
		}
		r := flashtest.Touch(Volume, spool.Bytes(b))
		flashtest.Covers(t, r, int64(len(b)))
		if n, ok := extent(bytes.NewReader(b), 0, int64(len(b))); ok && n > int64(len(b)) {
			t.Errorf("extent: got %d of %d bytes", n, len(b))
		}
	})
}
