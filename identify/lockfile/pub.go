package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// PubLock reads pubspec.lock of Dart and Flutter (dart.dev, "pubspec.lock", 2026).
var PubLock = reader("pubspec-lock", biopsy.Locked, pubLock, "pubspec.lock")

func pubLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("packages").each(func(name, e node) {
		c := pkg("pub", name.str(), e.get("version").str())
		from := e.get("description")
		switch e.get("source").str() {
		case "hosted":
			c.Hashes = hexHash(from.get("sha256").str(), "sha256")
		case "git":
			origin(&c, from.get("url").str(), from.get("resolved-ref").str())
		case "path":
			c.Purl = ""
		case "sdk": // a part of Dart or Flutter, not what pub.dev holds under its name; its version is 0.0.0
			c.Purl = ""
			extra(&c, "pub:sdk", from.str())
		}
		switch e.get("dependency").str() {
		case "direct main":
			c.Scope = biopsy.Runtime
		case "direct dev":
			c.Scope = biopsy.Development
		}
		d.add(name.line(), c)
	})
	return y.err
}

// PubManifest reads pubspec.yaml: the project itself.
var PubManifest = reader("pubspec-yaml", biopsy.Declared, pubManifest, "pubspec.yaml")

func pubManifest(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	c := pkg("pub", root.get("name").str(), root.get("version").str())
	if root.get("publish_to").str() == "none" {
		c.Purl = ""
	}
	c.Description, c.Homepage, c.Repository = root.get("description").str(), root.get("homepage").str(), webURL(root.get("repository").str())
	root.get("dependencies").each(func(name, _ node) {
		c.Needs = append(c.Needs, biopsy.Need{Name: name.str(), Scope: biopsy.Runtime})
	})
	root.get("dev_dependencies").each(func(name, _ node) {
		c.Needs = append(c.Needs, biopsy.Need{Name: name.str(), Scope: biopsy.Development})
	})
	d.project(root.get("name").line(), c)
	return y.err
}
