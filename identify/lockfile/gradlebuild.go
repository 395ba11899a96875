package lockfile

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/biopsy-sca/biopsy"
)

// GradleBuild reads the literal coordinates of build.gradle and build.gradle.kts; the files are programs, and are not run.
var GradleBuild = reader("gradle-build", biopsy.Declared, gradleBuild, "build.gradle", "build.gradle.kts")

// gradlePatterns: `implementation "g:a:1"`, `api(platform("g:a:1"))`; `implementation group: 'g', name: 'a', version: '1'`; and
// `def x = "1"`.
var gradlePatterns = sync.OnceValue(func() (p struct{ short, long, set *regexp.Regexp }) {
	p.short = regexp.MustCompile(`^\s*["']?(\w+)["']?\s*\(?\s*(?:(?:enforcedPlatform|platform)\s*\(\s*)?["']([\w.\-]+:[\w.\-]+(?::[^"'\s:@]+)?)(?:[:@][^"'\s]*)?["']`)
	p.long = regexp.MustCompile(`^\s*(\w+)\s*\(?\s*group\s*[:=]\s*["']([\w.\-]+)["']\s*,\s*name\s*[:=]\s*["']([\w.\-]+)["'](?:\s*,\s*version\s*[:=]\s*["']([^"']+)["'])?`)
	p.set = regexp.MustCompile(`^\s*(?:ext\s*\{\s*)?(?:def|val|var|ext\.|ext\[["'])?\s*([A-Za-z_]\w*)(?:["']\])?\s*=\s*["']([^"'$]+)["']\s*\}?\s*$`)
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
	case low == "classpath", low == "kapt", low == "ksp", strings.HasSuffix(low, "annotationprocessor"),
		strings.HasSuffix(low, "compileonly"): // comes with the machine it runs on, or is gone after the build
		return biopsy.Development, true
	}
	for _, end := range []string{"implementation", "api", "compile", "runtime", "runtimeonly"} {
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
