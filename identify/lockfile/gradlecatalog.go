package lockfile

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// GradleCatalog reads version catalogs (Gradle 9 User Manual, "Version Catalogs").
var GradleCatalog = reader("gradle-catalog", biopsy.Declared, gradleCatalog, "*.versions.toml")

func gradleCatalog(d *doc) error {
	var m struct {
		Versions, Libraries, Plugins map[string]any
	}
	if err := d.toml(&m); err != nil {
		return err
	}
	lines := d.libraryLines()
	for _, alias := range slices.Sorted(maps.Keys(m.Libraries)) {
		d.add(lines[alias], catalogLibrary(m.Libraries[alias], m.Versions))
	}
	for _, alias := range slices.Sorted(maps.Keys(m.Plugins)) {
		id, version := catalogPlugin(m.Plugins[alias], m.Versions)
		c := pkg("maven", id+":"+id+".gradle.plugin", version)
		c.Scope = biopsy.Development
		if id != "" {
			d.add(lines[alias], c)
		}
	}
	return nil
}

// libraryLines are the lines of the aliases behind "[libraries]": versions often have the same.
func (d *doc) libraryLines() map[string]int {
	at := max(0, bytes.Index(d.text, []byte("[libraries]")))
	rest := doc{text: d.text[at:]}
	lines, before := rest.keyLines(), d.lines.at(at)-1
	for k := range lines {
		lines[k] += before
	}
	return lines
}

// catalogLibrary reads "group:name:version", {module = ...} or {group = ..., name = ...}.
func catalogLibrary(v any, versions map[string]any) biopsy.Claim {
	if s, ok := v.(string); ok {
		parts := strings.Split(s, ":")
		if len(parts) != 3 {
			return biopsy.Claim{}
		}
		return pkg("maven", parts[0]+":"+parts[1], known(parts[2]))
	}
	t, _ := v.(map[string]any)
	module := text(t["module"])
	if module == "" && text(t["group"]) != "" {
		module = text(t["group"]) + ":" + text(t["name"])
	}
	return pkg("maven", module, catalogVersion(t["version"], versions))
}

func catalogPlugin(v any, versions map[string]any) (id, version string) {
	if s, ok := v.(string); ok {
		id, version, _ = strings.Cut(s, ":")
		return id, known(version)
	}
	t, _ := v.(map[string]any)
	return text(t["id"]), catalogVersion(t["version"], versions)
}

// catalogVersion is "1.0", {ref = alias} or {strictly = ..., require = ..., prefer = ...}; "" when that is a range.
func catalogVersion(v any, versions map[string]any) string {
	if t, ok := v.(map[string]any); ok && text(t["ref"]) != "" {
		v = versions[text(t["ref"])]
	}
	if t, ok := v.(map[string]any); ok {
		v = first(text(t["strictly"]), text(t["require"]), text(t["prefer"]))
	}
	return known(text(v))
}
