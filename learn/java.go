package learn

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy/kb"
)

// pack is one package while it is learned.
type pack struct {
	learner *Learner
	entry   kb.Entry
	links   map[string]string // path to target, both without leading slash
	jars    []heldJar
	repo    []string // paths below usr/share/maven-repo that end in .jar
}

type heldJar struct {
	path  string
	bytes []byte
}

// mavenRepo is where Debian's Java policy keeps what Maven may ask for: group/as/folders/artifact/version/artifact-version.jar.
const mavenRepo = "usr/share/maven-repo/"

// take looks at one file of the package.
func (p *pack) take(h *tar.Header, r io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	isJar := strings.HasSuffix(name, ".jar")
	if isJar && strings.HasPrefix(name, mavenRepo) {
		p.repo = append(p.repo, name)
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		to := h.Linkname
		if !strings.HasPrefix(to, "/") {
			to = path.Join("/"+path.Dir(name), to)
		}
		p.links[name] = strings.TrimPrefix(path.Clean(to), "/")
	case tar.TypeReg:
		if h.Size < 64 || h.Size > maxFile || strings.HasPrefix(name, "usr/lib/debug/") {
			return nil
		}
		head := make([]byte, 8)
		if _, err := io.ReadFull(r, head); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !wanted(name, head) || sourceFile(name) {
			return nil // headers say what is used, not what is there
		}
		b := make([]byte, h.Size)
		copy(b, head)
		if _, err := io.ReadFull(r, b[8:]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if isJar {
			p.jars = append(p.jars, heldJar{name, b})
			return nil
		}
		return p.learner.bytes(p.entry, name, b)
	}
	return nil
}

// java learns the jars by their coordinates; a jar that has none is not learned.
func (p *pack) java() error {
	coords := map[string][]kb.Entry{}
	for _, name := range p.repo {
		parts := strings.Split(strings.TrimPrefix(name, mavenRepo), "/")
		if len(parts) < 4 {
			continue
		}
		n := len(parts)
		e := kb.Entry{Component: kb.Component{Eco: "maven", Namespace: strings.Join(parts[:n-3], "."), Name: parts[n-3]}, Version: parts[n-2], Origins: p.entry.Origins}
		if e.Version == "debian" || strings.HasSuffix(e.Version, ".x") {
			continue // what Debian's own packages ask for; no such version was published
		}
		to := p.follow(name)
		coords[to] = append(coords[to], e)
	}
	for _, j := range p.jars {
		all := coords[j.path]
		if len(all) == 0 {
			continue
		}
		base := strings.TrimSuffix(path.Base(j.path), ".jar")
		slices.SortFunc(all, func(a, b kb.Entry) int {
			return cmp.Or(cmp.Compare(far(base, a), far(base, b)), cmp.Compare(len(b.Version), len(a.Version)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
		})
		if err := p.learner.bytes(all[0], j.path, j.bytes); err != nil {
			return err
		}
	}
	return nil
}

// far tells how little a file's name speaks for coordinates.
func far(base string, e kb.Entry) int {
	switch base {
	case e.Name + "-" + e.Version:
		return 0
	case e.Name:
		return 1
	}
	return 2
}

func (p *pack) follow(name string) string {
	for range 8 {
		to, ok := p.links[name]
		if !ok {
			break
		}
		name = to
	}
	return name
}
