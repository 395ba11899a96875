package archive

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// newcOf writes an archive of "inode links name content"; a name ends the archive's part when it is the trailer's.
func newcOf(lines ...string) []byte {
	var b bytes.Buffer
	pad := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	for _, line := range append(lines, "0 1 TRAILER!!! ") {
		w := strings.SplitN(line, " ", 4)
		var ino, links int
		fmt.Sscan(w[0], &ino)
		fmt.Sscan(w[1], &links)
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			ino, 0o100644, 0, 0, links, 0, len(w[3]), 8, 1, 0, 0, len(w[2])+1, 0, w[2])
		pad()
		b.WriteString(w[3])
		pad()
	}
	return b.Bytes()
}

func gzipOf(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCpioLinks(t *testing.T) {
	s := newSpool(t)
	behind := newcOf("7 3 bin/sh ", "8 1 etc/pump on", "7 3 bin/ls ", "7 3 bin/busybox ELF...", "9 2 empty-a ", "9 2 empty-b ")
	first := newcOf("7 2 bin/busybox ELF...", "7 2 bin/sh ")
	// inode numbers mean nothing in the archive behind
	two := append(newcOf("7 2 a "), newcOf("7 2 b bytes")...)
	cut := behind[:bytes.Index(behind, []byte("ELF..."))+3]
	headless := behind[:bytes.Index(behind, []byte("bin/busybox"))]
	for _, c := range []struct {
		name string
		b    []byte
		want string // of the plain archive
		gz   string // of the packed one, without "transient"; "" when it is the same
	}{
		{"behind", behind, "etc/pump \"on\"|bin/sh \"ELF...\"|bin/ls \"ELF...\"|bin/busybox \"ELF...\"|empty-a \"\"|empty-b \"\"", ""},
		{"first", first, "bin/busybox \"ELF...\"|bin/sh \"ELF...\"",
			"bin/busybox \"ELF...\"|gap bin/sh: hard link whose bytes went by before it in a packed stream"},
		{"two", two, "a \"\"|b \"bytes\"", ""},
		{"cut", cut, "etc/pump \"on\"|gap bin/sh: hard link whose bytes are cut off|gap bin/ls: hard link whose bytes are cut off|error",
			"etc/pump \"on\"|bin/sh: unexpected EOF|bin/ls: unexpected EOF|bin/busybox: unexpected EOF|error"},
		{"headless", headless, "etc/pump \"on\"|gap bin/sh: hard link whose bytes are behind the damage|gap bin/ls: hard link whose bytes are behind the damage|error", ""},
	} {
		if c.gz == "" {
			c.gz = c.want
		}
		if got := shortList(list(s, &Cpio, "a.cpio", c.b)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if got := shortList(list(s, &Gzip, "a.cpio.gz", gzipOf(t, c.b))); got != c.gz {
			t.Errorf("%s packed: got %s, want %s", c.name, got, c.gz)
		}
	}
}

// shortList makes one line of a list, without modes and the words of errors.
func shortList(s string) string {
	var all []string
	for line := range strings.Lines(s) {
		line = strings.NewReplacer(" -rw-r--r--", "", " transient", "", "\n", "").Replace(line)
		if strings.HasPrefix(line, "error ") {
			line = "error"
		}
		if !strings.HasPrefix(line, "by ") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "|")
}

// TestCpioLinksOutlive reads what was opened in a stream after the unpacking, and closes each twice.
func TestCpioLinksOutlive(t *testing.T) {
	big := strings.Repeat("pump", 1<<20) // more than a spool keeps in memory
	s := newSpool(t)
	var opened []biopsy.Content
	spent := &counted{}
	err := Gzip.Unpack(context.Background(), biopsy.File{Path: "a.cpio.gz"}, spool.Bytes(gzipOf(t, newcOf("7 3 a ", "7 3 b ", "7 3 c "+big))),
		biopsy.UnpackOptions{Limits: biopsy.DefaultLimits, Spool: s, Budget: spent, Gap: func(g biopsy.Gap) { t.Errorf("gap %+v", g) },
			Yield: func(f biopsy.File) error {
				c, err := f.Open()
				opened = append(opened, c)
				return err
			}})
	if err != nil || len(opened) != 3 {
		t.Fatalf("got %d members, error %v, want 3", len(opened), err)
	}
	for i, c := range opened {
		b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if err != nil || string(b) != big {
			t.Errorf("content %d: got %d bytes, error %v, want %d", i, len(b), err, len(big))
		}
		for range 2 {
			if err := c.Close(); err != nil {
				t.Errorf("close content %d: %v", i, err)
			}
		}
	}
	if least := int64(3 * len(big)); spent.n < least {
		t.Errorf("got %d bytes spent, want at least %d", spent.n, least)
	}
}

type counted struct{ n int64 }

func (c *counted) Spend(n int64) error {
	c.n += n
	return nil
}
