package lockfile

import (
	"bytes"
	"strings"

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
		case "sdk": // a part of Dart or Flutter; its version is 0.0.0
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

// SwiftLock reads Package.resolved, versions 1 to 3 (Swift Package Manager documentation, 2026).
var SwiftLock = reader("swift-package-resolved", biopsy.Locked, swiftLock, "Package.resolved", ".package.resolved")

func swiftLock(d *doc) error {
	j, root := d.json()
	for _, pins := range []value{root.get("pins"), root.get("object", "pins")} {
		pins.each(func(_ string, e value) {
			repo := first(e.get("location").str(), e.get("repositoryURL").str())
			version := first(e.get("state", "version").str(), e.get("state", "revision").str())
			_, address, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(repo, "/"), ".git"), "://")
			if at := strings.IndexByte(repo, '@'); address == "" && at >= 0 { // git@host:owner/name
				address = strings.Replace(strings.TrimSuffix(repo[at+1:], ".git"), ":", "/", 1)
			}
			c := pkg("swift", address, version)
			if c.Name == "" {
				c = unnamed("swift", first(e.get("identity").str(), e.get("package").str()), version)
			}
			origin(&c, repo, e.get("state", "revision").str())
			d.add(e.line(), c)
		})
	}
	return j.close(root)
}

// PodLock reads Podfile.lock (CocoaPods 1.16). Subspecs "Pod/Part" are parts of one pod and count as it.
var PodLock = reader("podfile-lock", biopsy.Locked, podLock, "Podfile.lock")

func podLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	versions, lines := map[string]string{}, map[string]int{}
	var order []string
	edges := map[string][]string{}
	root.get("PODS").each(func(_, e node) {
		spec, needs := e, node{}
		e.each(func(key, list node) { spec, needs = key, list })
		name, version := podSpec(spec.str())
		if _, known := versions[name]; !known {
			order = append(order, name)
			versions[name], lines[name] = version, spec.line()
		}
		for _, s := range needs.strs() {
			if to, _ := podSpec(s); to != name {
				edges[name] = append(edges[name], to)
			}
		}
	})
	for _, name := range order {
		c := pkg("cocoapods", name, versions[name])
		c.Scope = biopsy.Runtime
		checkout := root.get("CHECKOUT OPTIONS", name)
		origin(&c, checkout.get(":git").str(), checkout.get(":commit").str())
		if root.get("EXTERNAL SOURCES", name, ":path").str() != "" {
			c.Purl = ""
		}
		seen := map[string]bool{}
		for _, to := range edges[name] {
			if !seen[to] {
				seen[to] = true
				c.Needs = append(c.Needs, biopsy.Need{Purl: exact(pkg("cocoapods", to, versions[to])), Name: to, Scope: biopsy.Runtime})
			}
		}
		d.add(lines[name], c)
	}
	return y.err
}

// podSpec splits "Name/Part (1.0)" into the pod and its version.
func podSpec(s string) (name, version string) {
	name, rest, _ := strings.Cut(s, " (")
	name, _, _ = strings.Cut(name, "/")
	return name, strings.TrimSuffix(rest, ")")
}

// CartfileLock reads Cartfile.resolved (Carthage 0.40).
var CartfileLock = reader("cartfile-resolved", biopsy.Locked, cartfileLock, "Cartfile.resolved")

func cartfileLock(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		words := strings.Fields(strings.ReplaceAll(string(raw), `"`, " "))
		if len(words) != 3 {
			continue
		}
		switch words[0] {
		case "github":
			repo := words[1]
			if !strings.Contains(repo, "://") {
				repo = "https://github.com/" + repo
			}
			d.add(line, hosted(repo, words[2]))
		case "git":
			d.add(line, hosted(words[1], words[2]))
		case "binary":
			c := unnamed("generic", strings.TrimSuffix(words[1][strings.LastIndexByte(words[1], '/')+1:], ".json"), words[2])
			c.Download = webURL(words[1])
			d.add(line, c)
		}
	}
	return nil
}
