package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

var kinds = []biopsy.Unpacker{Zip, Gzip, Bzip2, XZ, Zstd, LZMA, LZ4, Lzip, Lzop, Compress, SevenZip, RAR, Cab, MSI, Ar, Cpio, RPM, Tar, Closed}

// unpackerOf finds the unpacker of a file by its first bytes.
func unpackerOf(name string, b []byte) *biopsy.Unpacker {
	for i := range kinds {
		if kinds[i].Match(biopsy.File{Path: name}, b[:min(len(b), 4096)]) {
			return &kinds[i]
		}
	}
	return nil
}

func newSpool(t testing.TB) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// list unpacks and writes members and gaps, one a line; what an unpacker returns comes last.
func list(s biopsy.Spool, u *biopsy.Unpacker, name string, b []byte) string {
	if u == nil {
		return "no unpacker\n"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "by %s\n", u.Name)
	err := u.Unpack(context.Background(), biopsy.File{Path: name}, spool.Bytes(b), biopsy.UnpackOptions{
		Limits: biopsy.DefaultLimits, Spool: s,
		Yield: func(f biopsy.File) error {
			fmt.Fprintf(&out, "%s %v", f.Path, f.Mode)
			if f.Transient {
				out.WriteString(" transient")
			}
			c, err := f.Open()
			if err != nil {
				fmt.Fprintf(&out, ": %v\n", err)
				return nil
			}
			defer c.Close()
			got, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
			if err != nil || f.Size >= 0 && int64(len(got)) != f.Size {
				fmt.Fprintf(&out, " READ %d OF %d: %v", len(got), f.Size, err)
			}
			fmt.Fprintf(&out, " %.40q\n", got)
			return nil
		},
		Gap: func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s: %s\n", g.Place, g.Reason) },
		Ledger: func(spans []biopsy.Span) {
			at := int64(0)
			for _, s := range spans {
				if s.Offset != at || s.Size <= 0 {
					fmt.Fprintf(&out, "LEDGER %+v at %d\n", s, at)
				}
				at += s.Size
			}
			if at != int64(len(b)) {
				fmt.Fprintf(&out, "LEDGER ends at %d of %d\n", at, len(b))
			}
		},
	})
	if err != nil {
		fmt.Fprintf(&out, "error %v\n", err)
	}
	return out.String()
}

// TestMembers lists testdata/members/*, which GNU tar, zip, cpio, ar and others wrote; the wanted answer is in X.want.
func TestMembers(t *testing.T) {
	files, err := filepath.Glob("testdata/members/*")
	if err != nil {
		t.Fatal(err)
	}
	s, n := newSpool(t), 0
	for _, path := range files {
		if strings.HasSuffix(path, ".want") {
			continue
		}
		n++
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := list(s, unpackerOf(filepath.Base(path), b), filepath.Base(path), b)
		if *update {
			if err := os.WriteFile(path+".want", []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path + ".want")
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s want\n%s", path, got, want)
		}
	}
	if n < 20 {
		t.Errorf("only %d files in testdata/members", n)
	}
}

// TestLedger holds that whole archives have no unknown bytes, and tells what damage, junk and encryption leave.
func TestLedger(t *testing.T) {
	spans := func(name string, b []byte) string {
		var out []string
		for _, s := range unpackAll(t, *unpackerOf(name, b), name, b).spans {
			out = append(out, fmt.Sprintf("%d-%d %s %s", s.Offset, s.Offset+s.Size, cmp.Or(string(s.Status), "unknown"), s.What))
		}
		return strings.Join(out, ", ")
	}
	files, err := filepath.Glob("testdata/members/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".want") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := spans(filepath.Base(path), b); got == "" || strings.Contains(got, "unknown") {
			t.Errorf("%s of %d bytes: %s", path, len(b), got)
		}
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata/members", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	secret := zipOf(t, zip.Store, "a", "0123456789")
	secret[6] |= 1
	secret[bytes.Index(secret, []byte("PK\x01\x02"))+8] |= 1
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"junk.zip":   {append(bytes.Clone(read("unix.zip")), "junk"...), "0-817 parsed zip, 817-821 unknown behind the container"},
		"lost.zip":   {read("unix.zip")[:400], "unknown"},
		"secret.zip": {secret, "0-31 parsed zip, 31-41 encrypted zip, 41-126 parsed zip"},
		"junk.tar":   {append(bytes.Clone(read("ustar.tar")), "junk"...), "0-6656 parsed tar, 6656-6660 unknown behind the container"},
		"cut.tar":    {read("ustar.tar")[:3000], "unknown"},
		"big.tar":    {append(bytes.Clone(read("ustar.tar")), make([]byte, 8192)...), "parsed tar"},
		"pump.deb":   {append(bytes.Clone(read("pump.deb")), "junk"...), "0-402 parsed ar, 402-406 unknown behind the container"},
		"a.cpio":     {append(bytes.Clone(read("newc.cpio")), read("newc.cpio.gz")...), "parsed packed archive"},
		"junk.cpio":  {append(bytes.Clone(read("newc.cpio")), "junk"...), "unknown behind the container"},
		"cut.gz":     {read("gnu.tar.gz")[:100], "0-100 parsed gzip"},
		"long.lzma":  {append(append(bytes.Clone(read("gnu.tar.lzma")), make([]byte, 100<<10)...), "junk"...), "junk"},
	} {
		if got := spans(name, c.b); !strings.Contains(got, c.want) && c.want != "junk" || c.want == "junk" && !strings.Contains(got, "padding") {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestCut cuts every sample at each byte: no panic, no wrong member, and silence only where nothing is missing. The formats of ar
// and compress have no end mark: a cut between two members, or anywhere, cannot be seen.
func TestCut(t *testing.T) {
	s := newSpool(t)
	files, _ := filepath.Glob("testdata/members/*")
	for _, path := range files {
		if strings.HasSuffix(path, ".want") || strings.Contains(path, "climbing") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := 1
		switch {
		case len(b) > 2000:
			step = 128
		case strings.HasSuffix(path, "xz"), strings.HasSuffix(path, "lzma"): // their decoders begin slowly
			step = 9
		}
		u := unpackerOf(path, b)
		if u.Name == "compress" {
			continue
		}
		whole := list(s, u, filepath.Base(path), b)
		for n := 16; n < len(b); n += step {
			got := list(s, u, filepath.Base(path), b[:n])
			if !strings.Contains(got, "error") && !strings.Contains(got, "gap") && !strings.HasPrefix(whole, got) {
				t.Errorf("%s cut at %d of %d: got\n%s", path, n, len(b), got)
			}
			if !strings.Contains(got, "error") && !strings.Contains(got, "gap") && !onlyPadding(b[n:]) && got != whole && u.Name != "ar" {
				t.Errorf("%s cut at %d of %d: silently less:\n%s", path, n, len(b), got)
			}
		}
	}
}

func onlyPadding(b []byte) bool { return len(bytes.Trim(b, "\x00\n")) == 0 }

func zipOf(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileZip(t *testing.T) {
	s := newSpool(t)
	good := zipOf(t, zip.Deflate, "a", strings.Repeat("pump ", 100), "b", strings.Repeat("valve ", 100))
	central := bytes.Index(good, []byte("PK\x01\x02"))
	spoil := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"encrypted":          {spoil(func(b []byte) { b[central+8] |= 1 }), "gap a: encrypted"},
		"unknown method":     {spoil(func(b []byte) { b[central+10] = 9 }), "gap a: packed by method 9"},
		"wrong checksum":     {spoil(func(b []byte) { b[central+16] ^= 1 }), "checksum is wrong"},
		"size too small":     {spoil(func(b []byte) { b[central+24]-- }), "more than the"},
		"size too large":     {spoil(func(b []byte) { b[central+24]++ }), "bytes came out"},
		"size absurd":        {spoil(func(b []byte) { binary.LittleEndian.PutUint32(b[central+24:], 0xfffffff0) }), "which deflate cannot"},
		"packed beyond end":  {spoil(func(b []byte) { binary.LittleEndian.PutUint32(b[central+20:], 0x7fffffff) }), "reach beyond"},
		"offset beyond end":  {spoil(func(b []byte) { binary.LittleEndian.PutUint32(b[central+42:], 0x7fffffff) }), "reach beyond"},
		"offset at nonsense": {spoil(func(b []byte) { b[central+42] = 1 }), "no member's header"},
		"more records":       {spoil(func(b []byte) { b[len(b)-12]++ }), "holds 2 records and says 3"},
		"damaged data":       {spoil(func(b []byte) { b[40] ^= 0xff }), "a -rwxr-xr-x: "},
		"directory is lost":  {good[:central], "members found by their own headers"},
		"directory is cut":   {good[:central+20], "b -rwxr-xr-x \"valve"},
	} {
		if got := list(s, &Zip, "x.zip", c.b); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
}

// TestStoredChecksum reads a member that is not packed: whole, in pieces, and only its start.
func TestStoredChecksum(t *testing.T) {
	good := zipOf(t, zip.Store, "a", strings.Repeat("pump ", 100))
	bad := bytes.Clone(good)
	bad[40] ^= 1
	for _, c := range []struct {
		name   string
		b      []byte
		pieces [][2]int64
		want   string
	}{
		{"good", good, [][2]int64{{0, 500}}, "[<nil>]"},
		{"whole", bad, [][2]int64{{0, 500}}, "[checksum is wrong]"},
		{"pieces that overlap", bad, [][2]int64{{0, 100}, {50, 200}, {250, 250}}, "[<nil> <nil> checksum is wrong]"},
		{"not all", bad, [][2]int64{{0, 100}, {200, 300}}, "[<nil> <nil>]"},
	} {
		var got []error
		err := Zip.Unpack(context.Background(), biopsy.File{Path: "x.zip"}, spool.Bytes(c.b), biopsy.UnpackOptions{Spool: newSpool(t), Gap: func(biopsy.Gap) {}, Yield: func(f biopsy.File) error {
			m, err := f.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			for _, p := range c.pieces {
				_, err := m.ReadAt(make([]byte, p[1]), p[0])
				got = append(got, err)
			}
			return nil
		}})
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, error %v; want %s", c.name, got, err, c.want)
		}
	}
}

// TestOverlap lets many directory records share one member, as overlap bombs do.
func TestOverlap(t *testing.T) {
	one := zipOf(t, zip.Deflate, "a", strings.Repeat("x", 1<<20))
	central := bytes.Index(one, []byte("PK\x01\x02"))
	end := bytes.Index(one, []byte("PK\x05\x06"))
	record := one[central:end]
	bomb := append(bytes.Clone(one[:central]), bytes.Repeat(record, 1000)...)
	tail := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], 1000)
	binary.LittleEndian.PutUint16(tail[10:], 1000)
	binary.LittleEndian.PutUint32(tail[12:], uint32(1000*len(record)))
	got := list(newSpool(t), &Zip, "bomb.zip", append(bomb, tail...))
	if n := strings.Count(got, "a -rw"); n > 60 || !strings.Contains(got, "overlap") {
		t.Errorf("got %d members:\n%.300s", n, got)
	}
}

func TestHostileTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "../../etc/shadow", Size: 1}, {Name: "/abs", Size: 1}, {Name: "twice", Size: 1}, {Name: "twice", Size: 1},
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, {Name: "link/below", Size: 1}, {Name: "hard", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"},
		{Name: "dev", Typeflag: tar.TypeBlock}, {Name: "..", Size: 1}, {Name: "new\nline", Size: 1},
	} {
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, strings.Repeat("x", int(h.Size)))
	}
	w.Close()
	want := `by tar
%2E%2E/%2E%2E/etc/shadow -rw-r--r-- "x"
abs -rw-r--r-- "x"
twice -rw-r--r-- "x"
twice -rw-r--r-- "x"
link/below -rw-r--r-- "x"
gap : name is empty
new%0Aline -rw-r--r-- "x"
`
	if got := list(newSpool(t), &Tar, "x.tar", b.Bytes()); got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
}

// TestHostileAr has names and sizes that lie.
func TestHostileAr(t *testing.T) {
	member := func(name string, size any, body string) string {
		return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10v`\n%s", name, 0, 0, 0, "100644", size, body)
	}
	for name, c := range map[string]struct{ b, want string }{
		"BSD names":      {member("#1/8", 11, "long nam") + "abc\n" + member("b", 1, "x"), "long nam -rw-r--r-- \"abc\"\nb -rw"},
		"BSD name lies":  {member("#1/99", 2, "ab") + member("b", 1, "x"), "gap : at offset 8: name of \"99\" bytes in a member of 2\nb -rw"},
		"GNU name lies":  {member("/77", 2, "ab") + member("b", 1, "x"), "gap : at offset 8: name at \"77\" of a table of 0 bytes\nb -rw"},
		"linker's table": {member("/<XFGHASHMAP>/", 2, "ab") + member("b", 1, "x"), "by ar\nb -rw"},
		"size lies":      {member("a", 99, "ab"), "says it has \"99\" bytes, 2 are left"},
		"size negative":  {member("a", -1, "ab"), "says it has"},
		"no header":      {strings.Repeat("x", 80), "no ar header"},
	} {
		if got := list(newSpool(t), &Ar, "x.a", []byte(arMagic+c.b)); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s want %q", name, got, c.want)
		}
	}
	if got := list(newSpool(t), &Ar, "x.a", []byte(arThinMagic)); !strings.Contains(got, "thin archive") {
		t.Errorf("got %s", got)
	}
}

// TestInitramfs reads archives behind each other as the kernel loads them: one plain, one packed.
func TestInitramfs(t *testing.T) {
	b, err := os.ReadFile("testdata/members/newc.cpio")
	if err != nil {
		t.Fatal(err)
	}
	both := append(append(append(bytes.Clone(b), make([]byte, 700)...), b...), make([]byte, 512)...)
	got := list(newSpool(t), &Cpio, "initrd", append(both, gz(b)...))
	if strings.Count(got, "tree/sub/run -rwxr-xr-x") != 2 || !strings.Contains(got, "segment-3 -rw-r--r-- \"\\x1f\\x8b") {
		t.Errorf("got\n%s", got)
	}
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// TestTornStream keeps what comes out before a stream breaks off.
func TestTornStream(t *testing.T) {
	text := make([]byte, 200_000)
	for i := range text {
		text[i] = byte(i * i >> 7)
	}
	b := gz(text)
	var got int64
	err := Gzip.Unpack(context.Background(), biopsy.File{Path: "x.gz"}, spool.Bytes(b[:len(b)/2]), biopsy.UnpackOptions{
		Spool: newSpool(t), Gap: func(biopsy.Gap) {},
		Yield: func(f biopsy.File) error {
			c, err := f.Open()
			if err != nil {
				return err
			}
			got = c.Size()
			return c.Close()
		},
	})
	if got == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d bytes, %v", got, err)
	}
}

// TestYieldStops ends each kind at the first member when the walk says so.
func TestYieldStops(t *testing.T) {
	stop := errors.New("stop")
	s := newSpool(t)
	files, _ := filepath.Glob("testdata/members/*")
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		u := unpackerOf(path, b)
		if u == nil || strings.Contains(path, "empty") || strings.Contains(path, "closed.") {
			continue
		}
		n := 0
		err = u.Unpack(context.Background(), biopsy.File{Path: path}, spool.Bytes(b), biopsy.UnpackOptions{
			Spool: s, Gap: func(biopsy.Gap) {}, Yield: func(biopsy.File) error { n++; return stop },
		})
		if n != 1 || !errors.Is(err, stop) {
			t.Errorf("%s: %d members, %v", path, n, err)
		}
	}
}

// TestCancelled does the same by the context, where a walk may be long.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"gnu.a", "newc.cpio", "unix.zip"} {
		b, err := os.ReadFile("testdata/members/" + name)
		if err != nil {
			t.Fatal(err)
		}
		err = unpackerOf(name, b).Unpack(ctx, biopsy.File{Path: name}, spool.Bytes(b), biopsy.UnpackOptions{
			Spool: newSpool(t), Gap: func(biopsy.Gap) {}, Yield: func(biopsy.File) error { return nil },
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLargeMember(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 6<<20/16)
	s := newSpool(t)
	b := zipOf(t, zip.Deflate, "big", big)
	err := Zip.Unpack(context.Background(), biopsy.File{}, spool.Bytes(b), biopsy.UnpackOptions{Spool: s, Gap: func(biopsy.Gap) {}, Yield: func(f biopsy.File) error {
		for range 2 {
			c, err := f.Open()
			if err != nil {
				return err
			}
			got, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
			if err != nil || string(got) != big {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			c.Close()
		}
		return nil
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestInner(t *testing.T) {
	for name, want := range map[string]string{"a/b.tar.gz": "b.tar", "x.tgz": "x.tar", "core.XZ": "core", ".gz": ".gz", "vmlinuz": "vmlinuz", "p.svgz": "p.svg"} {
		if got := inner(name); got != want {
			t.Errorf("inner(%q): got %q, want %q", name, got, want)
		}
	}
}

// fuzz runs one kind over hostile bytes: no panic, clean names, no member larger than it says.
func fuzz(f *testing.F, u biopsy.Unpacker, pattern string) {
	files, err := filepath.Glob("testdata/members/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s, err := spool.Open(f.TempDir(), 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) { hold(t, s, u, b) })
}

// hold holds what one kind makes of some bytes against what must be true of any.
func hold(t *testing.T, s biopsy.Spool, u biopsy.Unpacker, b []byte) {
	t.Helper()
	spent := spent(0)
	err := u.Unpack(context.Background(), biopsy.File{Path: "x"}, spool.Bytes(b), biopsy.UnpackOptions{
		Limits: biopsy.Limits{FileSize: 1 << 20}, Spool: s, Budget: &spent,
		Yield: func(m biopsy.File) error {
			if strings.HasPrefix(m.Path, "/") || strings.Contains("/"+m.Path+"/", "/../") || strings.ContainsAny(m.Path, "!\n") || m.Path == "" {
				t.Errorf("path %q", m.Path)
			}
			if m.Size > 1<<20 {
				return nil
			}
			c, err := m.Open()
			if err != nil {
				return nil
			}
			if m.Size >= 0 && c.Size() != m.Size {
				t.Errorf("%s: size %d, content %d", m.Path, m.Size, c.Size())
			}
			io.Copy(io.Discard, io.NewSectionReader(c, 0, c.Size()))
			return c.Close()
		},
		Gap: func(biopsy.Gap) {},
		Ledger: func(spans []biopsy.Span) {
			at := int64(0)
			for _, s := range spans {
				if s.Offset != at || s.Size <= 0 {
					t.Errorf("span %+v at %d", s, at)
				}
				at += s.Size
			}
			if at != int64(len(b)) {
				t.Errorf("the ledger ends at %d of %d", at, len(b))
			}
		},
	})
	_ = err // any bytes may be in error
}

// spent allows 4 MiB out of a stream.
type spent int64

func (s *spent) Spend(n int64) error {
	if *s += spent(n); *s > 4<<20 {
		return errors.New("spent")
	}
	return nil
}

func FuzzZip(f *testing.F)      { fuzz(f, Zip, "*.zip") }
func FuzzTar(f *testing.F)      { fuzz(f, Tar, "*.tar") }
func FuzzAr(f *testing.F)       { fuzz(f, Ar, "*.a") }
func FuzzCpio(f *testing.F)     { fuzz(f, Cpio, "*.cpio") }
func FuzzGzip(f *testing.F)     { fuzz(f, Gzip, "*.gz") }
func FuzzBzip2(f *testing.F)    { fuzz(f, Bzip2, "*.bz2") }
func FuzzXZ(f *testing.F)       { fuzz(f, XZ, "*.txz") }
func FuzzZstd(f *testing.F)     { fuzz(f, Zstd, "*.zst") }
func FuzzLZMA(f *testing.F)     { fuzz(f, LZMA, "*.lzma") }
func FuzzLZ4(f *testing.F)      { fuzz(f, LZ4, "*.lz4") }
func FuzzLzip(f *testing.F)     { fuzz(f, Lzip, "*.lz") }
func FuzzLzop(f *testing.F)     { fuzz(f, Lzop, "*.lzo") }
func FuzzCompress(f *testing.F) { fuzz(f, Compress, "*.Z") }
func FuzzSevenZip(f *testing.F) { fuzz(f, SevenZip, "*.7z") }
func FuzzRAR(f *testing.F)      { fuzz(f, RAR, "*.rar") }
func FuzzCab(f *testing.F)      { fuzz(f, Cab, "*.cab") }
func FuzzMSI(f *testing.F)      { fuzz(f, MSI, "*.msi") }
func FuzzRPM(f *testing.F)      { fuzz(f, RPM, "*.rpm") }

// BenchmarkZip opens every member of an archive like a jar.
func BenchmarkZip(b *testing.B) {
	var files []string
	for i := range 1000 {
		files = append(files, fmt.Sprintf("com/acme/pump/C%d.class", i), strings.Repeat(fmt.Sprintf("const %d ", i), 400))
	}
	packed := zipOf(b, zip.Deflate, files...)
	s := newSpool(b)
	for _, open := range []bool{false, true} {
		b.Run(map[bool]string{false: "list", true: "read"}[open], func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				err := Zip.Unpack(context.Background(), biopsy.File{}, spool.Bytes(packed), biopsy.UnpackOptions{Spool: s, Gap: func(biopsy.Gap) {}, Yield: func(f biopsy.File) error {
					if !open {
						return nil
					}
					c, err := f.Open()
					if err != nil {
						return err
					}
					return c.Close()
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
