package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/codec"
)

// What is not learned: packages without programs or libraries of the component itself, and ones too large for what they tell.
var (
	barren    = regexp.MustCompile(`-(dbg|dbgsym|doc|docs|udeb|tests?|examples|data|source|locale|debug|l10n|cross)$|testsuite|-pic$|^libx?32|^lib64|-cross|-mingw|-(aarch64|arm|xtensa|mips|hppa|alpha|sparc|powerpc|m68k|s390|riscv|sh4|ia64|i686|gnux32)`)
	compilers = regexp.MustCompile(`^lib(gcc-s1|stdc\+\+6|gomp1|atomic1|quadmath0|itm1|gfortran5|objc4|gcc-\d+-dev)$`)
	javaLib   = regexp.MustCompile(`^lib.*-java$`)
	sourceOf  = regexp.MustCompile(`^\S+`)
	depends   = regexp.MustCompile(`(?:^|[,|]) *([a-z0-9.+-]+)`)
)

// Bytes of the largest package that is learned; of components that are marked with "!" also larger ones.
const (
	largest        = 1_500_000
	largestMarked  = 10_000_000
	archive        = 250_000 // of those that hold static archives
	archivesMarked = 4_000_000
	largestJava    = 1_500_000
)

// component is one line of components.txt.
type component struct {
	name   string
	marked bool
}

func (c component) fits(p map[string]string) bool {
	n, dev := size(p), strings.HasSuffix(p["Package"], "-dev")
	switch {
	case c.marked && dev:
		return n <= archivesMarked
	case c.marked:
		return n <= largestMarked
	case dev:
		return n <= archive
	}
	return n <= largest
}

// pin writes packages.tsv from the mirror's indexes of the suites.
func pin(ctx context.Context, o options, suites []string) error {
	if len(suites) == 0 {
		return errors.New("pin: want suites, as in: pin bookworm bullseye trixie")
	}
	want, err := readComponents(filepath.Join(o.dir, "components.txt"))
	if err != nil {
		return err
	}
	var list []pinned
	for _, s := range suites {
		packages, err := index(ctx, o, s)
		if err != nil {
			return err
		}
		list = append(append(list, natives(packages, want)...), javas(packages)...)
	}
	slices.SortFunc(list, func(a, b pinned) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.path, b.path))
	})
	list = slices.Compact(list)
	var text strings.Builder
	for _, p := range list {
		fmt.Fprintf(&text, "%s\t%s\t%s\n", p.component, p.sum, p.path)
	}
	fmt.Printf("%d packages\n", len(list))
	return os.WriteFile(filepath.Join(o.dir, "packages.tsv"), []byte(text.String()), 0o644)
}

// readComponents reads "name" or "name: source source": which source packages a component is built from. "name!" is worth large packages.
func readComponents(file string) (map[string]component, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	want := map[string]component{}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		name, sources, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		for _, s := range sourcesOf(strings.TrimSuffix(name, "!"), sources) {
			want[s] = component{strings.TrimSuffix(name, "!"), strings.HasSuffix(name, "!")}
		}
	}
	return want, nil
}

// index returns the paragraphs of a suite's list of packages.
func index(ctx context.Context, o options, suite string) ([]map[string]string, error) {
	body, err := get(ctx, o.mirror+"/dists/"+suite+"/main/binary-amd64/Packages.xz")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	z, err := codec.NewReader(codec.XZ, body)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return paragraphs(z)
}

func paragraphs(r io.Reader) ([]map[string]string, error) {
	var all []map[string]string
	cur := map[string]string{}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		line := s.Text()
		if line == "" && len(cur) > 0 {
			all, cur = append(all, cur), map[string]string{}
		} else if key, value, ok := strings.Cut(line, ":"); ok && line[0] != ' ' {
			cur[key] = strings.TrimSpace(value)
		}
	}
	return all, s.Err()
}

func natives(packages []map[string]string, want map[string]component) []pinned {
	var list []pinned
	for _, p := range packages {
		source := sourceOf.FindString(cmp.Or(p["Source"], p["Package"]))
		c := want[source]
		switch {
		case c.name == "", p["Architecture"] == "all", barren.MatchString(p["Package"]), !c.fits(p):
		case c.name == "gcc" && !compilers.MatchString(p["Package"]):
		default:
			list = append(list, pinned{c.name, p["SHA256"], p["Filename"]})
		}
	}
	return list
}

// javas takes the Java libraries that some other package needs.
func javas(packages []map[string]string) []pinned {
	needed := map[string]bool{}
	for _, p := range packages {
		for _, field := range []string{"Depends", "Recommends", "Suggests"} {
			for _, m := range depends.FindAllStringSubmatch(p[field], -1) {
				needed[m[1]] = true
			}
		}
	}
	var list []pinned
	for _, p := range packages {
		if javaLib.MatchString(p["Package"]) && needed[p["Package"]] && size(p) <= largestJava {
			list = append(list, pinned{"java", p["SHA256"], p["Filename"]})
		}
	}
	return list
}

func size(p map[string]string) int {
	n, err := strconv.Atoi(p["Size"])
	if err != nil {
		return 1 << 40 // an index without sizes is none we know
	}
	return n
}

func sourcesOf(name, sources string) []string {
	if list := strings.Fields(sources); len(list) > 0 {
		return list
	}
	return []string{name}
}
