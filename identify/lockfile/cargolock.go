package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// CargoLock reads Cargo.lock, versions 1 to 4 (The Cargo Book, "Cargo.toml vs Cargo.lock", 2026).
var CargoLock = reader("cargo-lock", biopsy.Locked, cargoLock, "Cargo.lock")

type cargoPackage struct {
	Name         string   `toml:"name"`
	Version      string   `toml:"version"`
	Source       string   `toml:"source"`   // "registry+URL", "git+URL#commit"; "" for members of the workspace
	Checksum     string   `toml:"checksum"` // SHA-256 of the .crate file; versions 2 and up
	Dependencies []string `toml:"dependencies"`
}

func cargoLock(d *doc) error {
	var lock struct {
		Package  []cargoPackage    `toml:"package"`
		Metadata map[string]string `toml:"metadata"` // version 1: "checksum NAME VERSION (SOURCE)" = SHA-256
	}
	if err := d.toml(&lock); err != nil {
		return err
	}
	known := map[string]biopsy.Claim{} // by "name" and "name version"
	for _, p := range lock.Package {
		known[p.Name], known[p.Name+" "+p.Version] = p.claim(), p.claim()
	}
	lines := d.tables("package")
	for i, p := range lock.Package {
		c := p.claim()
		c.Hashes = hexHash(p.Checksum, "sha256")
		if sum := lock.Metadata["checksum "+p.Name+" "+p.Version+" ("+p.Source+")"]; sum != "" {
			c.Hashes = hexHash(sum, "sha256")
		}
		for _, dep := range p.Dependencies {
			c.Needs = append(c.Needs, cargoNeed(known, dep))
		}
		d.add(lines.of(i, len(lock.Package)), c)
	}
	return nil
}

// claim names a package of the lock. Members of the workspace are described by their Cargo.toml, and only their edges are added.
func (p cargoPackage) claim() biopsy.Claim {
	kind, address, _ := strings.Cut(p.Source, "+")
	switch {
	case p.Source == "":
		c := unnamed("cargo", p.Name, "")
		c.About = true
		return c
	case kind == "git":
		repo, commit, _ := strings.Cut(address, "#")
		repo, _, _ = strings.Cut(repo, "?")
		c := pkg("cargo", p.Name, p.Version)
		origin(&c, repo, commit)
		return c
	case strings.Contains(address, "github.com/rust-lang/crates.io-index") || strings.Contains(address, "index.crates.io"):
		return pkg("cargo", p.Name, p.Version)
	}
	return pkg("cargo", p.Name, p.Version, "repository_url", address)
}

// cargoNeed resolves "name", "name version" or "name version (source)".
func cargoNeed(known map[string]biopsy.Claim, dep string) biopsy.Need {
	dep, _, _ = strings.Cut(dep, " (")
	name, _, _ := strings.Cut(dep, " ")
	return biopsy.Need{Purl: known[dep].Purl, Name: name, Scope: biopsy.Runtime}
}
