// Command gen writes linux.gz, by which options the source files of Linux come into a kernel, and busybox.tsv, by which applets those of
// BusyBox come into the program. It reads release archives and keeps facts of how they are built, never text.
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// release is one kernel to learn from: a long term branch each, as Debian's archive carries its source.
type release struct{ version, url, sha256 string }

var releases = []release{
	{"5.10.223", "http://deb.debian.org/debian/pool/main/l/linux/linux_5.10.223.orig.tar.xz", "5272175427d036677539b9ef88a6bc30e455aca2d4fe9a942b2926ef7967ad20"},
	{"6.1.176", "http://deb.debian.org/debian/pool/main/l/linux/linux_6.1.176.orig.tar.xz", "9aad4025973feea3f0d978e82ab7db97d8d5ce3f59fcc6b1f316153d66e3a504"},
	{"6.12.107", "http://deb.debian.org/debian/pool/main/l/linux/linux_6.12.107.orig.tar.xz", "efc76d3c78a5d65f42724118c437d11db1c9f6309a5f024ee9a8b1978fdc6919"},
	{"7.1.8", "http://deb.debian.org/debian/pool/main/l/linux/linux_7.1.8.orig.tar.xz", "47f9ce629bc14dd96c16a6a6a8cae4f7f3c3ff6138e2f64befc7bdad426e9728"},
}

func main() {
	dir := flag.String("cache", filepath.Join(os.TempDir(), "kbuild"), "folder where the archives are kept")
	out := flag.String("o", ".", "folder to write to")
	flag.Parse()
	tables := map[string]func(cache, out string) error{"busybox": busyboxTable, "linux": linuxTable}
	names := flag.Args()
	if len(names) == 0 {
		names = []string{"busybox", "linux"}
	}
	for _, n := range names {
		make, ok := tables[n]
		if !ok {
			log.Fatalf("%s is no table: busybox, linux", n)
		}
		if err := make(*dir, *out); err != nil {
			log.Fatal(err)
		}
	}
}

func busyboxTable(cache, out string) error {
	a := &applets{of: map[string]map[string]bool{}, options: map[string]map[string]bool{}, files: map[string]bool{}}
	for _, r := range busyboxes {
		if err := r.applets(cache, a); err != nil {
			return err
		}
	}
	return a.write(filepath.Join(out, "busybox.tsv"))
}

func linuxTable(cache, out string) error {
	var all []map[string][]term
	tristate := map[string]bool{}
	for _, r := range releases {
		t, err := r.read(cache)
		if err != nil {
			return err
		}
		known := t.resolve()
		log.Printf("%s: %d source files, %d of them understood", r.version, len(t.files), len(known))
		all = append(all, known)
		for o := range t.tristate {
			tristate[o] = true
		}
	}
	return write(filepath.Join(out, "linux.gz"), all, tristate)
}

func (r release) read(dir string) (t *tree, err error) {
	f, err := r.open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x, err := codec.NewReader(codec.XZ, bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	return readTree(tar.NewReader(x))
}

// open returns the archive, fetched where it is not there yet, and held against its digest.
func (r release) open(dir string) (*os.File, error) {
	name := filepath.Join(dir, path.Base(r.url))
	if _, err := os.Stat(name); err != nil {
		if err := fetch(r.url, name); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != r.sha256 {
		return nil, errors.Join(fmt.Errorf("%s has SHA-256 %s, want %s", name, got, r.sha256), f.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

func fetch(url, name string) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

var (
	includesSource = regexp.MustCompile(`(?m)^\s*#\s*include\s+["<]([^">\n]+\.c)[">]`)
	tristateOption = regexp.MustCompile(`(?m)^(?:menu)?config (\w+)\n\s+(?:tristate|def_tristate)\b`)
)

func readTree(r *tar.Reader) (*tree, error) {
	t := &tree{makefiles: map[string]string{}, files: map[string]bool{}, includes: map[string]bool{}, tristate: map[string]bool{}}
	for {
		h, err := r.Next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := t.file(name, r); err != nil {
			return nil, err
		}
	}
}

func (t *tree) file(name string, r io.Reader) error {
	base, ext := path.Base(name), path.Ext(name)
	source := ext == ".c" || ext == ".S" || ext == ".rs"
	if !source && ext != ".h" && base != "Makefile" && base != "Kbuild" && !strings.HasPrefix(base, "Kconfig") {
		return nil
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch {
	case base == "Makefile" || base == "Kbuild":
		t.makefiles[path.Dir(name)] += "\n" + string(b)
	case strings.HasPrefix(base, "Kconfig"):
		for _, m := range tristateOption.FindAllSubmatch(b, -1) {
			t.tristate[string(m[1])] = true
		}
	default:
		if source {
			t.files[name] = true
		}
		for _, m := range includesSource.FindAllSubmatch(b, -1) {
			t.includes[path.Base(string(m[1]))] = true
			t.includes[path.Join(path.Dir(name), string(m[1]))] = true
		}
	}
	return nil
}

// write writes the table that package kbuild reads: the versions, the options that can be modules, then one line for each file and
// what is the same in several versions once.
func write(name string, all []map[string][]term, tristate map[string]bool) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(z)
	var versions []string
	for _, r := range releases {
		versions = append(versions, r.version)
	}
	fmt.Fprintln(w, strings.Join(versions, " "))
	var modular []string
	for o := range tristate {
		modular = append(modular, o)
	}
	slices.Sort(modular)
	fmt.Fprintln(w, strings.Join(modular, " "))
	last := ""
	for _, file := range fileNames(all) {
		n := 0
		for n < len(last) && n < len(file) && last[n] == file[n] {
			n++
		}
		fmt.Fprintf(w, "%d %s%s\n", n, file[n:], ways(file, all))
		last = file
	}
	return errors.Join(w.Flush(), z.Close())
}

func fileNames(all []map[string][]term) []string {
	seen := map[string]bool{}
	for _, m := range all {
		for f := range m {
			seen[f] = true
		}
	}
	var out []string
	for f := range seen {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

// ways writes " MASK TERM TERM" for each set of versions: TERM is "OPTION,OPTION:BY:MODULE", the module empty where it is the file's
// own name.
func ways(file string, all []map[string][]term) string {
	own := strings.TrimSuffix(file, path.Ext(file))
	masks := map[string]int{}
	var order []string
	for i, m := range all {
		terms, ok := m[file]
		if !ok {
			continue
		}
		var words []string
		for _, t := range terms {
			module := t.name
			if module == own {
				module = ""
			}
			words = append(words, strings.Join(t.needs, ",")+":"+t.by+":"+module)
		}
		s := strings.Join(words, " ")
		if masks[s] == 0 {
			order = append(order, s)
		}
		masks[s] |= 1 << i
	}
	var b strings.Builder
	for _, s := range order {
		fmt.Fprintf(&b, " %d %s", masks[s], s)
	}
	return b.String()
}
