package lockfile

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// GradleLock reads gradle.lockfile, its older form in gradle/dependency-locks, and the lock of build scripts (Gradle 9 User Manual,
// "Locking Versions").
var GradleLock = reader("gradle-lockfile", biopsy.Locked, gradleLock, "gradle.lockfile", "buildscript-gradle.lockfile", "gradle/dependency-locks/*.lockfile")

func gradleLock(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		s, configurations, _ := strings.Cut(strings.TrimSpace(string(raw)), "=")
		parts := strings.Split(s, ":")
		if len(parts) != 3 || strings.HasPrefix(s, "#") {
			continue
		}
		c := pkg("maven", parts[0]+":"+parts[1], parts[2])
		c.Scope = gradleScope(d.Path, configurations)
		d.add(line, c)
	}
	return nil
}

// gradleScope: what only tests, annotation processors or the build itself resolve is not shipped. "" when no configuration is named.
func gradleScope(path, configurations string) biopsy.Scope {
	if strings.Contains(path, "buildscript") {
		return biopsy.Development
	}
	if configurations == "" {
		return ""
	}
	for c := range strings.SplitSeq(configurations, ",") {
		if low := strings.ToLower(c); !strings.HasPrefix(low, "test") && !strings.Contains(low, "androidtest") && !strings.Contains(low, "annotationprocessor") {
			return biopsy.Runtime
		}
	}
	return biopsy.Development
}

// GradleVerification reads gradle/verification-metadata.xml (Gradle 9 User Manual, "Verifying Dependencies"). It lists all that a build
// may fetch, plugins and old versions too, so its claims are wishes.
var GradleVerification = reader("gradle-verification", biopsy.Declared, gradleVerification, "verification-metadata.xml")

func gradleVerification(d *doc) error {
	root, err := d.xml()
	if err != nil {
		return err
	}
	for _, e := range root.get("components").all("component") {
		c := pkg("maven", e.attr("group")+":"+e.attr("name"), e.attr("version"))
		for _, a := range e.all("artifact") {
			if a.attr("name") != e.attr("name")+"-"+e.attr("version")+".jar" {
				continue
			}
			for _, sum := range a.kids {
				c.Hashes = append(c.Hashes, hexHash(sum.attr("value"), sum.name)...)
			}
		}
		d.add(e.line, c)
	}
	return nil
}

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

// GradleBuild reads the literal coordinates of build.gradle and build.gradle.kts; the files are programs, and are not run.
var GradleBuild = reader("gradle-build", biopsy.Declared, gradleBuild, "build.gradle", "build.gradle.kts")

// gradlePatterns: `implementation "g:a:1"`, `api(platform("g:a:1"))`; `implementation group: 'g', name: 'a', version: '1'`; and
// `def x = "1"`.
var gradlePatterns = sync.OnceValue(func() (p struct{ short, long, set *regexp.Regexp }) {
	p.short = regexp.MustCompile(`^\s*["']?(\w+)["']?\s*\(?\s*(?:(?:enforcedPlatform|platform)\s*\(\s*)?["']([\w.\-]+:[\w.\-]+(?::[^"'\s:@]+)?)(?:[:@][^"'\s]*)?["']`)
	p.long = regexp.MustCompile(`^\s*(\w+)\s*\(?\s*group\s*[:=]\s*["']([\w.\-]+)["']\s*,\s*name\s*[:=]\s*["']([\w.\-]+)["'](?:\s*,\s*version\s*[:=]\s*["']([^"']+)["'])?`)
	p.set = regexp.MustCompile(`^\s*(?:def|val|var|ext\.|ext\[["'])?\s*([A-Za-z_]\w*)(?:["']\])?\s*=\s*["']([^"'$]+)["']\s*$`)
	return p
})

func gradleBuild(d *doc) error {
	p := gradlePatterns()
	values := map[string]string{}
	for raw := range bytes.Lines(d.text) {
		if m := p.set.FindSubmatch(bytes.TrimRight(raw, "\r\n")); m != nil {
			values[string(m[1])] = string(m[2])
		}
	}
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		var configuration, coordinate string
		if m := p.short.FindSubmatch(raw); m != nil {
			configuration, coordinate = string(m[1]), string(m[2])
		} else if m := p.long.FindSubmatch(raw); m != nil {
			configuration, coordinate = string(m[1]), string(m[2])+":"+string(m[3])+":"+string(m[4])
		}
		if scope, ok := gradleConfiguration(configuration); ok {
			parts := append(strings.Split(coordinate, ":"), "")
			c := pkg("maven", parts[0]+":"+parts[1], known(gradleValue(parts[2], values)))
			c.Scope = scope
			d.add(line, c)
		}
	}
	return nil
}

// gradleConfiguration tells whether a word declares dependencies, and what for.
func gradleConfiguration(name string) (biopsy.Scope, bool) {
	low := strings.ToLower(name)
	switch {
	case low == "classpath", low == "kapt", low == "ksp", strings.HasSuffix(low, "annotationprocessor"):
		return biopsy.Development, true
	}
	for _, end := range []string{"implementation", "api", "compile", "compileonly", "runtime", "runtimeonly"} {
		if strings.HasSuffix(low, end) {
			if strings.HasPrefix(low, "test") || strings.HasPrefix(low, "androidtest") {
				return biopsy.Development, true
			}
			return biopsy.Runtime, true
		}
	}
	return "", false
}

// gradleValue replaces "$name" or "${name}" by what the file sets; "${" stays for what it does not.
func gradleValue(version string, values map[string]string) string {
	name, ok := strings.CutPrefix(version, "$")
	if !ok {
		return version
	}
	if v := values[strings.Trim(name, "{}")]; v != "" {
		return v
	}
	return "${" + name
}

// SBT reads the literal coordinates of build.sbt (sbt 1.x documentation, "Library dependencies"); the file is a program, and is not run.
var SBT = reader("sbt-build", biopsy.Declared, sbtBuild, "build.sbt")

var sbtPatterns = sync.OnceValue(func() (p struct{ dependency, scala *regexp.Regexp }) {
	p.dependency = regexp.MustCompile(`"([\w.\-]+)"\s*(%{1,2})\s*"([\w.\-]+)"\s*%\s*"([\w.\-]+)"(\s*%\s*"?[Tt]est)?`)
	p.scala = regexp.MustCompile(`scalaVersion\s*:=\s*"(\d+)\.(\d+)`)
	return p
})

func sbtBuild(d *doc) error {
	p := sbtPatterns()
	suffix := ""
	if m := p.scala.FindSubmatch(d.text); m != nil {
		if suffix = "_" + string(m[1]); suffix != "_3" {
			suffix += "." + string(m[2])
		}
	}
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		code, _, _ := bytes.Cut(raw, []byte("//"))
		for _, m := range p.dependency.FindAllSubmatch(code, -1) {
			name := string(m[3])
			if len(m[2]) == 2 {
				name += suffix // "" when another file sets the Scala version: the name is then a part of the real one
			}
			c := pkg("maven", string(m[1])+":"+name, string(m[4]))
			c.Scope = biopsy.Runtime
			if len(m[5]) > 0 {
				c.Scope = biopsy.Development
			}
			d.add(line, c)
		}
	}
	return nil
}
