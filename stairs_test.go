package biopsy_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/biopsy-sca/biopsy"

// floors are the stairs from the ground up; a room may import rooms of lower floors only. "x/*" is the children of x.
var floors = [][]string{
	{"."},
	{"eco", "license"},
	{"internal/*"},
	{"format/cpe"}, // names of products, which other formats and the book are written in
	{"format/*", "refdb", "kb"},
	{"refdb/*", "kb/*"},
	{"source/*", "unpack/*", "identify/*", "report/*", "feed/*"},
	{"source", "unpack", "identify", "reconcile", "enrich", "match", "judge", "report", "feed"},
	{"scan", "learn"},
	{"watch"},
	{"web/*"},
	{"web"},
	{"cmd/*", "truth"},
}

// sealed rooms see no network, process, clock, environment or randomness.
var sealed = []string{".", "eco", "license", "format/*", "unpack", "unpack/*", "identify", "identify/*", "reconcile", "enrich", "match", "judge"}

// shut are the standard packages that open a window, and why a sealed room has none.
var shut = map[string]string{
	"net": "network", "net/http": "network", "os/exec": "processes", "math/rand": "randomness", "math/rand/v2": "randomness", "crypto/rand": "randomness",
}

// shutCalls are the functions that look at clock or environment.
var shutCalls = []string{"time.Now(", "time.Since(", "os.Getenv(", "os.LookupEnv(", "os.Environ("}

// windows are the only rooms that may reach out over the network; internal/download is handed its client, internal/feedtest serves tests.
var windows = []string{"source/*", "feed", "feed/*", "internal/download", "internal/feedtest", "web", "web/*", "cmd/*"}

// foreign is our SOUP list: import path prefix, the one room that may import it, and why.
var foreign = []struct{ prefix, room, why string }{
	{"github.com/package-url/packageurl-go", "eco", "the purl specification's own Go library"},
	{"github.com/CycloneDX/cyclonedx-go", "format/cyclonedx", "the specification's own Go types"},
	{"github.com/spdx/tools-golang", "format/spdx", "reads the RDF form of SPDX 2"},
	{"github.com/santhosh-tekuri/jsonschema/", "internal/schemas", "official schemas in tests"},
	{"github.com/klauspost/compress/", "internal/codec internal/table", "gzip and deflate, faster than the standard library's"},
	{"github.com/mikelolasagasti/xz", "internal/codec", "xz streams"},
	{"github.com/pierrec/lz4/v4", "internal/codec", "lz4 frames and blocks"},
	{"github.com/anchore/go-lzo", "internal/codec", "lzo blocks"},
	{"github.com/nwaples/rardecode/v2", "unpack/archive", "decoders of RAR"},
	{"github.com/google/go-containerregistry/", "source/image", "images in registries"},
	{"github.com/go-git/", "source/git", "commits and trees of git repositories, without running git"},
	{"golang.org/x/sys/unix", "source/dir", "opens below a directory without following links"},
	{"github.com/spf13/", "cmd/biopsy", "command line: flags, help, completion, man pages"},
	{"github.com/schollz/progressbar/", "cmd/biopsy", "the moving line of long work"},
	{"aead.dev/minisign", "internal/bundle", "keys and signatures of bundles"},
	{"golang.org/x/term", "cmd/biopsy", "whether a stream is a terminal"},
	{"github.com/pandatix/go-cvss/", "internal/cvss", "scores of CVSS vectors"},
	{"github.com/BurntSushi/toml", "identify/lockfile", "lock files in TOML"},
	{"golang.org/x/text/language", "format/csaf", "language tags of documents against the registry of subtags"},
	{"github.com/ProtonMail/go-crypto/openpgp", "feed/csaf", "signatures of providers of advisories"},
	{"go.yaml.in/yaml/v3", "identify/lockfile format/spdx cmd/biopsy", "YAML, with the lines of entries"},
}

func TestImportsOnlyGoDown(t *testing.T) {
	for file, imports := range sources(t) {
		room := path.Dir(file)
		from := floor(room)
		if from < 0 {
			t.Errorf("%s: room %q stands on no floor; add it to floors", file, room)
			continue
		}
		for _, imp := range imports {
			to, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			to = strings.TrimPrefix(to, "/")
			if to == "" {
				to = "."
			}
			if up := floor(to); up >= from && !within(room, to) {
				t.Errorf("%s: %s (floor %d) imports %s (floor %d): imports only go down", file, room, from, to, up)
			}
		}
	}
}

func TestSealedRooms(t *testing.T) {
	for file, imports := range sources(t) {
		room := path.Dir(file)
		for _, imp := range imports {
			if why := shut[imp]; why != "" && inRooms(room, sealed) {
				t.Errorf("%s: sealed room imports %s (%s)", file, imp, why)
			}
			if shut[imp] == "network" && !inRooms(room, windows) {
				t.Errorf("%s: imports %s; only %v reach out", file, imp, windows)
			}
		}
		if inRooms(room, sealed) {
			text := read(t, file)
			for _, call := range shutCalls {
				if strings.Contains(text, call) {
					t.Errorf("%s: sealed room calls %s)", file, call)
				}
			}
		}
	}
}

func TestOneRoomPerForeignModule(t *testing.T) {
	for file, imports := range sources(t) {
		room := path.Dir(file)
		for _, imp := range imports {
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") || imp == module || strings.HasPrefix(imp, module+"/") {
				continue
			}
			i := slices.IndexFunc(foreign, func(f struct{ prefix, room, why string }) bool { return strings.HasPrefix(imp, f.prefix) })
			switch {
			case i < 0:
				t.Errorf("%s: imports %s, which is not in the table of foreign modules", file, imp)
			case !inRooms(room, strings.Fields(foreign[i].room)):
				t.Errorf("%s: %s belongs to room %s (%s)", file, imp, foreign[i].room, foreign[i].why)
			}
		}
	}
}

func TestNoInitAndNoLumberRooms(t *testing.T) {
	for file := range sources(t) {
		for _, lumber := range []string{"util", "utils", "common", "types", "helpers", "manager"} {
			if path.Base(path.Dir(file)) == lumber {
				t.Errorf("%s: a package named %s says nothing", file, lumber)
			}
		}
		if strings.Contains(read(t, file), "\nfunc init()") {
			t.Errorf("%s: no registration by init()", file)
		}
	}
}

// floor returns the index of the floor that room stands on, or -1.
func floor(room string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return inRooms(room, f) })
}

// inRooms tells whether room is in the list; "x/*" also holds deeper rooms below x.
func inRooms(room string, list []string) bool {
	return slices.ContainsFunc(list, func(r string) bool {
		if parent, ok := strings.CutSuffix(r, "/*"); ok {
			return strings.HasPrefix(room, parent+"/")
		}
		return room == r
	})
}

// within tells whether two places are one room, or both tools: tools may use each other, and the compiler keeps them from circles.
func within(room, to string) bool {
	return strings.HasPrefix(to, room+"/") && strings.Count(room, "/") > 0 || strings.HasPrefix(to, "internal/") && strings.HasPrefix(room, "internal/")
}

// sources returns the imports of every Go file that is not a test, by slash path.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "examples" || name == "gen") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, s := range f.Imports {
			imp, _ := strconv.Unquote(s.Path.Value)
			imports = append(imports, imp)
		}
		all[filepath.ToSlash(p)] = imports
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("reading sources: %v (%d files)", err, len(all))
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
