package distro

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Apk reads the database of installed packages of Alpine Linux and newer OpenWrt (apk-tools 2.14, apk(5) "installed database"):
// one letter, a colon and a value per line; an empty line ends a package. Virtual packages are not claimed: there are no bytes of them.
var Apk = biopsy.Extractor{
	Name:    "apk",
	Basis:   biopsy.Manifest,
	Names:   []string{"lib/apk/db/installed"},
	History: true,
	Extract: apkInstalled,
}

// apkPackage is one package of the database, before its needs are resolved.
type apkPackage struct {
	claim    biopsy.Claim
	line     int
	depends  []string // as asked: "so:libc.musl-x86_64.so.1", "cmd:sh", "musl"
	provides []string // capabilities without their versions
}

func apkInstalled(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	packages, err := apkPackages(ctx, in)
	providers := map[string][]string{}
	for _, p := range packages {
		for _, capability := range p.provides {
			if by := providers[capability]; len(by) < maxAlternatives {
				providers[capability] = append(by, p.claim.Name)
			}
		}
		providers[p.claim.Name] = []string{p.claim.Name}
	}
	for _, p := range packages {
		p.claim.Needs = resolve(p.claim.Name, p.depends, providers)
		emit(evidence(in, "apk", p.line, p.claim))
	}
	return err
}

// apkPackages reads all packages. What was read before an error is returned with it.
func apkPackages(ctx context.Context, in biopsy.Input) ([]apkPackage, error) {
	root := rootOf(in.Path, "lib/apk/db/", "usr/lib/apk/db/")
	root = strings.TrimSuffix(strings.TrimSuffix(root, "usr"), "/")
	var all []apkPackage
	var p apkPackage
	files := owned{root: root}
	var dir []byte
	end := func() {
		if p.claim.Name != "" && !apkVirtual(p.claim) {
			p.claim.Owns = slices.Clone(files.paths)
			setRoot(&p.claim, root)
			all = append(all, p)
		}
		p, files.paths, dir = apkPackage{}, files.paths[:0], dir[:0]
	}
	r := readLines(in)
	for ctx.Err() == nil {
		b, err := r.next()
		if err != nil {
			end()
			if err == io.EOF {
				return all, nil
			}
			return all, err
		}
		if len(all) > maxPackages {
			return all, errMany
		}
		switch key, value := apkField(b); {
		case len(b) == 0:
			end()
		case key == 'F':
			dir = append(append(dir[:0], value[:min(len(value), maxPath)]...), '/')
		case key == 'R':
			files.add(append(bytes.TrimLeft(dir, "/"), value...))
		default:
			p.take(key, value, r.n)
		}
	}
	return all, ctx.Err()
}

// apkVirtual knows what "apk add --virtual" makes of a wish list: ".build-deps" by custom, and always this description (apk-tools 2.14,
// app_add.c).
func apkVirtual(c biopsy.Claim) bool {
	return strings.HasPrefix(c.Name, ".") || c.Description == "virtual meta package"
}

// apkField splits "K:value"; key 0 for a line of another shape.
func apkField(b []byte) (byte, []byte) {
	if len(b) < 2 || b[1] != ':' {
		return 0, nil
	}
	return b[0], b[2:]
}

func (p *apkPackage) take(key byte, v []byte, line int) {
	if p.claim.Eco == "" {
		p.claim.Eco, p.claim.State, p.line = "apk", biopsy.Installed, line
	}
	c := &p.claim
	switch key {
	case 'P':
		c.Name, p.line = string(v), line
	case 'V':
		c.Version = string(v)
	case 'A':
		c.Arch = string(v)
	case 'T':
		c.Description = string(v)
	case 'U':
		c.Homepage = string(v)
	case 'L':
		c.Licenses = declared(string(v))
	case 'm':
		c.Supplier = string(v)
	case 'o':
		if o := string(v); o != c.Name {
			c.Source = &biopsy.Upstream{Name: o}
		}
	case 'c':
		setExtra(c, "apk:commit", string(v))
	case 'C':
		setExtra(c, "apk:checksum", string(v))
	case 's':
		setExtra(c, "apk:repository-tag", string(v))
	case 'D':
		p.depends = apkNames(string(v))
	case 'p':
		p.provides = apkNames(string(v))
	}
}

// apkNames cuts the version restrictions off a list of dependencies. Conflicts ("!name") are left out.
func apkNames(s string) []string {
	var names []string
	for f := range strings.FieldsSeq(s) {
		if f[0] == '!' {
			continue
		}
		if i := strings.IndexAny(f, "<>=~@"); i > 0 {
			f = f[:i]
		}
		names = append(names, f)
	}
	return names
}

// resolve turns capabilities into needs of the packages that provide them, each need once, in the order asked. Several providers
// are alternatives. A capability nobody provides stays as it was asked; one that the package itself provides is no need.
func resolve(name string, wanted []string, providers map[string][]string) []biopsy.Need {
	var needs []biopsy.Need
	seen := map[string]bool{}
	for _, w := range wanted {
		need := w
		if by := providers[w]; len(by) > 0 {
			if slices.Contains(by, name) {
				continue
			}
			need = alternatives(by)
		}
		if !seen[need] {
			seen[need] = true
			needs = append(needs, biopsy.Need{Name: need, Scope: biopsy.Runtime})
		}
	}
	return needs
}

// maxAlternatives bounds how many providers of a capability are remembered, and how many names one need has.
const maxAlternatives = 32

func alternatives(by []string) string {
	if len(by) == 1 {
		return by[0]
	}
	names := slices.Clone(by)
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(names, " | ")
}
