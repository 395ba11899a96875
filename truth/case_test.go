package truth

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// labelled is one file of trees/: a small tree, and what is right to say of it.
type labelled struct {
	file   string
	files  []txtar.File // the tree's own files, before anything is built of them
	build  []string     // lines of section "build", see build
	target string       // the file of the built tree that is scanned; "" is all of it
	truth  map[string]label
	edges  map[string]bool // "purl -> purl"; nil when the case says nothing of edges
	gaps   map[string]bool // paths of files that cannot be read
}

// label is one line of section "truth".
type label struct {
	reader  string
	scope   string // "" when the line does not say
	licence string // "" when the line does not say
}

func load(t testing.TB, file string) labelled {
	t.Helper()
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	l := labelled{file: file, gaps: map[string]bool{}}
	for _, f := range ar.Files {
		switch f.Name {
		case "truth":
			l.truth = labels(t, file, f.Data)
		case "edges":
			l.edges = map[string]bool{}
			for _, line := range lines(f.Data) {
				l.edges[line] = true
			}
		case "gaps":
			for _, line := range lines(f.Data) {
				l.gaps[line] = true
			}
		case "target":
			l.target = strings.TrimSpace(string(f.Data))
		case "build":
			l.build = lines(f.Data)
		default:
			l.files = append(l.files, f)
		}
	}
	if l.truth == nil {
		t.Fatalf("%s has no section truth", file)
	}
	return l
}

// lines returns the lines of a section without blank ones and comments.
func lines(text []byte) []string {
	var all []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") {
			all = append(all, line)
		}
	}
	return all
}

// labels reads lines "reader component [scope=S] [licence=L]".
func labels(t testing.TB, file string, text []byte) map[string]label {
	want := map[string]label{}
	for _, line := range lines(text) {
		reader, component, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("%s: truth line %q is not \"reader component\"", file, line)
		}
		l := label{reader: reader}
		if c, licence, ok := strings.Cut(component, " licence="); ok {
			component, l.licence = c, licence
		}
		if c, scope, ok := strings.Cut(component, " scope="); ok {
			component, l.scope = c, scope
		}
		component = strings.TrimSpace(component)
		if _, twice := want[component]; twice {
			t.Fatalf("%s: %s is labelled twice", file, component)
		}
		want[component] = l
	}
	return want
}

// write puts the built tree into a new folder and returns what to scan. Every file, before and after it is built into another, passes through change, which
// may be nil.
func (l labelled) write(t testing.TB, change func(name string, data []byte) []byte) string {
	t.Helper()
	if change == nil {
		change = func(_ string, data []byte) []byte { return data }
	}
	stage := map[string][]byte{}
	for _, f := range l.files {
		stage[f.Name] = change(f.Name, f.Data)
	}
	for _, line := range l.build {
		if err := build(stage, line, change); err != nil {
			t.Fatalf("%s: %q: %v", l.file, line, err)
		}
	}
	dir := t.TempDir()
	for name, data := range stage {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, l.target)
}

// builders make one file of the parts below a folder, whose names they get sorted and relative to it.
var builders = map[string]func([]part) ([]byte, error){
	"zip": zipped, "tar": tarred, "tar.gz": targzipped, "ar": archived, "cpio": cpioed, "image": imaged, "elf": linked,
}

// changers make one file of another.
var changers = map[string]func([]byte) []byte{
	"gzip": gzipped,
	"bom":  func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) },
	"crlf": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) },
	"utf16": func(b []byte) []byte {
		out := []byte("\xff\xfe")
		for _, r := range string(b) { // the cases keep to the basic plane
			out = append(out, byte(r), byte(r>>8))
		}
		return out
	},
	"no-final-newline": func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\n")) },
}

// build runs one line "how target source": the source, a file or a folder, leaves the stage, and the target that was made of it enters.
func build(stage map[string][]byte, line string, change func(string, []byte) []byte) error {
	words := strings.Fields(line)
	if len(words) != 3 {
		return fmt.Errorf("want \"how target source\"")
	}
	how, target, source := words[0], words[1], words[2]
	if f := changers[how]; f != nil {
		data, ok := stage[source]
		if !ok {
			return fmt.Errorf("no file %s", source)
		}
		delete(stage, source)
		stage[target] = change(target, f(data))
		return nil
	}
	f := builders[how]
	if f == nil {
		return fmt.Errorf("no builder %s", how)
	}
	parts := take(stage, source+"/")
	if len(parts) == 0 {
		return fmt.Errorf("no files below %s", source)
	}
	data, err := f(parts)
	if err != nil {
		return err
	}
	stage[target] = change(target, data)
	return nil
}
