package installed

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// NodeModule reads package.json (npm 11, 2025) of packages that Node's resolution would find: in node_modules, and in Debian's
// usr/share/nodejs. Those of tests and examples inside a package are nobody's dependency and are left out.
var NodeModule = biopsy.Extractor{
	Name:    "node-module",
	Basis:   biopsy.Manifest,
	Names:   []string{"package.json"},
	Wants:   nodeResolves,
	Extract: nodeModule,
}

// nodeRoots are the folders that packages stand in.
var nodeRoots = []string{"node_modules", "usr/share/nodejs", "usr/lib/nodejs"}

// nodeResolves tells whether the file is .../node_modules/NAME/package.json or .../node_modules/@SCOPE/NAME/package.json, with no
// test folder between one node_modules and the next.
func nodeResolves(p string) bool {
	if !directPackage(path.Dir(p)) {
		return false
	}
	elements := strings.Split(p, "/")
	outer := slices.Index(elements, "node_modules")
	for _, e := range elements[max(outer, 0):max(len(elements)-3, max(outer, 0))] {
		switch e {
		case "test", "tests", "__tests__", "fixture", "fixtures", "__fixtures__", "testdata", "example", "examples", "spec", "mock", "mocks", "__mocks__":
			if outer >= 0 && !isPackageName(elements, e) {
				return false
			}
		}
	}
	return true
}

// isPackageName tells whether e is a package of that name and not a folder inside one: it stands right behind node_modules.
func isPackageName(elements []string, e string) bool {
	i := slices.Index(elements, e)
	return i > 0 && elements[i-1] == "node_modules"
}

// directPackage tells whether a folder stands right under one of the roots, or under a scope there.
func directPackage(folder string) bool {
	parent := path.Dir(folder)
	if strings.HasPrefix(path.Base(parent), "@") {
		parent = path.Dir(parent)
	}
	for _, root := range nodeRoots {
		if parent == root || strings.HasSuffix(parent, "/"+root) {
			return true
		}
	}
	return false
}

// packageJSON are the fields we read. Fields that people write in several shapes stay raw.
type packageJSON struct {
	Name         json.RawMessage `json:"name"`
	Version      json.RawMessage `json:"version"`
	Description  json.RawMessage `json:"description"`
	Homepage     json.RawMessage `json:"homepage"`
	License      json.RawMessage `json:"license"`
	Licenses     json.RawMessage `json:"licenses"`
	Author       json.RawMessage `json:"author"`
	Repository   json.RawMessage `json:"repository"`
	Dependencies json.RawMessage `json:"dependencies"`
	Optional     json.RawMessage `json:"optionalDependencies"`
	Peers        json.RawMessage `json:"peerDependencies"`
	Integrity    json.RawMessage `json:"_integrity"` // npm before 7 wrote these
	Resolved     json.RawMessage `json:"_resolved"`
}

func nodeModule(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	c, err := readPackageJSON(b, path.Dir(in.Path))
	if err != nil || c.Name == "" || c.Version == "" {
		return err // without name and version it only says how to load a folder
	}
	c.State = biopsy.Installed
	sheet{in, "node-module", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}

// readPackageJSON makes a claim of package.json in a folder. Name is "" when the file does not say it.
func readPackageJSON(b []byte, folder string) (biopsy.Claim, error) {
	var p packageJSON
	if err := json.Unmarshal(b, &p); err != nil {
		return biopsy.Claim{}, fmt.Errorf("parse: %w", err)
	}
	c := biopsy.Claim{
		Eco: "npm", Version: strings.TrimPrefix(text(p.Version), "v"), Description: text(p.Description), Homepage: text(p.Homepage),
		Supplier: person(p.Author), Repository: repository(p.Repository), Download: text(p.Resolved),
		Licenses: append(nodeLicenses(p.License), nodeLicenses(p.Licenses)...),
		Hashes:   integrity(text(p.Integrity)),
	}
	c.Namespace, c.Name = npmName(text(p.Name))
	c.Needs = append(c.Needs, nodeNeeds(p.Dependencies, folder, biopsy.Runtime)...)
	c.Needs = append(c.Needs, nodeNeeds(p.Optional, folder, biopsy.Optional)...)
	c.Needs = append(c.Needs, nodeNeeds(p.Peers, folder, biopsy.Optional)...)
	slices.SortStableFunc(c.Needs, func(a, b biopsy.Need) int { return strings.Compare(a.Name, b.Name) })
	c.Needs = slices.CompactFunc(c.Needs, func(a, b biopsy.Need) bool { return a.Name == b.Name })
	return c, nil
}

// npmName splits "@scope/name".
func npmName(s string) (namespace, name string) {
	if scope, rest, ok := strings.Cut(s, "/"); ok && strings.HasPrefix(scope, "@") {
		return scope, rest
	}
	return "", s
}

// text returns a JSON string; "" for everything else.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return field(s)
}

// member returns a string member of a JSON object; "" for everything else.
func member(raw json.RawMessage, keys ...string) string {
	var o map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &o) != nil {
		return ""
	}
	for _, k := range keys {
		if s := text(o[k]); s != "" {
			return s
		}
	}
	return ""
}

// person reads "Name <mail> (url)" or {"name": ...}: the name, or what there is.
func person(raw json.RawMessage) string {
	s := first(text(raw), member(raw, "name", "email"))
	if name, _, ok := strings.Cut(s, "<"); ok {
		s = first(name, strings.Trim(s, "<>"))
	}
	name, _, _ := strings.Cut(s, "(")
	return strings.TrimSpace(name)
}

// repository reads a URL, {"url": ...}, or npm's short form "owner/name" and "github:owner/name".
func repository(raw json.RawMessage) string {
	s := first(text(raw), member(raw, "url"))
	if rest, ok := strings.CutPrefix(s, "github:"); ok {
		s = rest
	}
	if !strings.Contains(s, ":") && strings.Count(s, "/") == 1 {
		return "https://github.com/" + s
	}
	return strings.TrimPrefix(s, "git+")
}

// nodeLicenses reads "MIT", {"type": "MIT"}, or a list of either.
func nodeLicenses(raw json.RawMessage) []biopsy.License {
	var list []json.RawMessage
	if len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &list) == nil {
		var ls []biopsy.License
		for _, r := range list[:min(len(list), 64)] {
			if len(r) == 0 || r[0] != '[' {
				ls = append(ls, nodeLicenses(r)...)
			}
		}
		return ls
	}
	return declared(first(text(raw), member(raw, "type", "name"), member(raw, "url")))
}

// nodeNeeds lists the names of a dependency object, or of the list that some write, sorted.
func nodeNeeds(raw json.RawMessage, folder string, scope biopsy.Scope) []biopsy.Need {
	var o map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &o) != nil {
		return nil
	}
	var needs []biopsy.Need
	for name := range o {
		if name != "" {
			needs = append(needs, biopsy.Need{Name: name, Path: folder, Scope: scope})
		}
	}
	slices.SortFunc(needs, func(a, b biopsy.Need) int { return strings.Compare(a.Name, b.Name) })
	return needs
}

// integrityAlgs are the algorithms of subresource integrity (W3C, 2016) and npm's older sha1.
var integrityAlgs = map[string]struct {
	name string
	size int
}{"sha1": {"SHA-1", 20}, "sha256": {"SHA-256", 32}, "sha384": {"SHA-384", 48}, "sha512": {"SHA-512", 64}}

// integrity reads "sha512-BASE64 sha1-BASE64". Parts of other shapes say nothing.
func integrity(s string) []biopsy.Hash {
	var hs []biopsy.Hash
	for _, part := range strings.Fields(s) {
		alg, value, _ := strings.Cut(part, "-")
		value, _, _ = strings.Cut(value, "?")
		sum, err := base64.StdEncoding.DecodeString(value)
		if known, ok := integrityAlgs[alg]; ok && err == nil && len(sum) == known.size {
			hs = append(hs, biopsy.Hash{Alg: known.name, Value: hex.EncodeToString(sum)})
		}
	}
	return hs
}
