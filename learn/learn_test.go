package learn

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/elf/elftest"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/internal/traits"
	"github.com/biopsy-sca/biopsy/kb"
)

func program(text string) []byte {
	return elftest.Image{Wide: true, Little: true, Type: elf.Dyn, Soname: "libpump.so.2", Data: []byte(text + "\x00")}.Bytes()
}

// tarred packs files; a name with "->" is a link.
func tarred(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		h := &tar.Header{Name: "./" + n, Size: int64(len(files[n])), Mode: 0o644, Typeflag: tar.TypeReg}
		if files[n] == nil {
			from, to, _ := bytes.Cut([]byte(n), []byte("->"))
			h = &tar.Header{Name: "./" + string(from), Linkname: string(to), Typeflag: tar.TypeSymlink}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[n]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func deb(t testing.TB, control string, files map[string][]byte) []byte {
	t.Helper()
	b := bytes.NewBufferString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", tarred(t, map[string][]byte{"control": []byte(control)})}, {"data.tar.gz", tarred(t, files)}} {
		fmt.Fprintf(b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o644, len(m.data))
		b.Write(m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func learner(t testing.TB) (*Learner, *kb.Builder) {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sp.Close() })
	b := kb.NewBuilder(t.TempDir())
	return New(b, sp, func(g biopsy.Gap) { t.Errorf("gap: %s: %s", g.Place, g.Reason) }), b
}

// known lists a book's entries with their files.
func known(t testing.TB, b *kb.Builder) []string {
	t.Helper()
	data, err := b.Bytes(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	book, err := kb.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range uint32(book.Size().Entries) {
		e, err := book.Entry(i)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %s@%s:", e.Eco, e.Namespace, e.Name, e.Version)
		for u, end := book.UnitsOf(i); u < end; u++ {
			if book.KindOf(u) != kb.Whole {
				line += fmt.Sprintf(" %s(%d)", book.Unit(u).Path, book.TraitsOf(u))
			}
		}
		out = append(out, line)
	}
	return out
}

func TestDeb(t *testing.T) {
	l, b := learner(t)
	file := write(t, "x.deb", deb(t, "Package: libpump2\nSource: pump (1:2.4.1+dfsg-3)\nVersion: 1:2.4.1+dfsg-3+b1\nArchitecture: amd64\n", map[string][]byte{
		"usr/lib/libpump.so.2.4.1":               program("the pump ran dry"),
		"usr/lib/libpump.so.2->libpump.so.2.4.1": nil,
		"usr/share/doc/libpump2/copyright":       []byte("the pump ran dry"),
	}))
	if err := l.Deb(context.Background(), file, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"generic  pump@2.4.1: usr/lib/libpump.so.2.4.1(2)"}
	if got := known(t, b); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDebWithJars(t *testing.T) {
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	for _, n := range []string{"p/A.class", "p/B.class"} {
		f, err := w.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(n))
	}
	w.Close()
	l, b := learner(t)
	file := write(t, "x.deb", deb(t, "Package: libpump-java\nVersion: 3.1-1\nArchitecture: all\n", map[string][]byte{
		"usr/share/java/pump-core-3.1.jar":                                                                          z.Bytes(),
		"usr/share/java/pump-core.jar->pump-core-3.1.jar":                                                           nil,
		"usr/share/maven-repo/org/acme/pump-core/3.1/pump-core-3.1.jar->../../../../../java/pump-core.jar":          nil,
		"usr/share/maven-repo/org/acme/pump-core/debian/pump-core-debian.jar->../../../../../java/pump-core.jar":    nil,
		"usr/share/maven-repo/org/acme/old/pump-all/3.1/pump-all-3.1.jar->../../../../../../java/pump-core-3.1.jar": nil,
	}))
	if err := l.Deb(context.Background(), file, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"maven org.acme pump-core@3.1: usr/share/java/pump-core-3.1.jar(1)"} // one class of the two is kept
	if got := known(t, b); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUpstreamVersion(t *testing.T) {
	for debian, want := range map[string]string{
		"1:1.2.13.dfsg-1": "1.2.13", "2.36-9+deb12u10": "2.36", "7.88.1-10+deb12u5": "7.88.1", "3.0.17": "3.0.17", "1:9.2p1-2+deb12u3": "9.2p1",
		"30+20221128-1": "30+20221128", "1:1.3.dfsg+really1.3.1-1": "1.3.1", "6.4-4": "6.4", "2.9.14+dfsg-1.3~deb12u1": "2.9.14", "0.8~rc1-2": "0.8~rc1",
		"4.3.4-6": "4.3.4", "2.1.12-stable-8": "2.1.12-stable", "3.0.13+ds1-1": "3.0.13",
	} {
		if got := UpstreamVersion(debian); got != want {
			t.Errorf("%s: got %s, want %s", debian, got, want)
		}
	}
}

// TestSourceTree: a program is known by what its source says.
func TestSourceTree(t *testing.T) {
	l, b := learner(t)
	dir := t.TempDir()
	src := "#include <stdio.h>\nint main(void) { puts(\"the pump ran dry\" \" at once\"); return 0; } // \"a remark that is none\"\n"
	if err := os.WriteFile(filepath.Join(dir, "pump.c"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	e := kb.Entry{Component: kb.Component{Eco: "generic", Name: "pump"}, Version: "2.4.1"}
	if err := l.Path(context.Background(), e, dir); err != nil {
		t.Fatal(err)
	}
	data, err := b.Bytes(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	book, err := kb.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := book.Look(kb.Traits, traits.Of(traits.Text, "the pump ran dry at once")); !ok || book.Size().Traits[kb.Traits] != 1 {
		t.Errorf("known %v, %d traits; want the one text", ok, book.Size().Traits[kb.Traits])
	}
}

func TestArchives(t *testing.T) {
	l, b := learner(t)
	file := write(t, "pump.tar.gz", tarred(t, map[string][]byte{"lib/libpump.so.2": program("the pump ran dry"), "README": []byte("read me")}))
	e := kb.Entry{Component: kb.Component{Eco: "generic", Name: "pump"}, Version: "2.4.1"}
	if err := l.Path(context.Background(), e, file); err != nil {
		t.Fatal(err)
	}
	if got := known(t, b); len(got) != 1 || l.Files() != 1 {
		t.Errorf("got %q of %d files, want one", got, l.Files())
	}
}

func FuzzDeb(f *testing.F) {
	f.Add(deb(f, "Package: pump\nVersion: 1-1\n", map[string][]byte{"usr/lib/libpump.so.2": program("the pump ran dry")}))
	f.Add([]byte("!<arch>\n"))
	dir := f.TempDir()
	sp, err := spool.Open(dir, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(t.TempDir(), "x.deb")
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		builder := kb.NewBuilder("")
		l := New(builder, sp, func(biopsy.Gap) {})
		if err := l.Deb(context.Background(), file, nil); err != nil {
			return
		}
		if _, err := builder.Bytes(time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	})
}
