package installed

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// The facts of maven.txt: what Maven Central's well-known artifacts are called. Each line says what it is about in its first word.
//
//go:embed maven.txt
var mavenText string

// groupRule gives the group of artifacts whose classes stand under a folder.
type groupRule struct {
	root, artifact, group string
	before                string // only versions before this one; "" is all
}

// marker is a class that only one artifact has.
type marker struct {
	class, coordinate string
	moved             bool // found below another folder: relocated when the archive was made
}

// probe is a file whose bytes state the version of an artifact.
type probe struct {
	coordinate string
	pattern    *regexp.Regexp
	class      bool
}

type mavenFacts struct {
	groups  []groupRule
	bundles map[string]string   // OSGi name -> "group:artifact"
	singles map[string]string   // "group:artifact" -> the only version there is
	short   map[string]bool     // groups whose versions never end in a third number that is zero
	markers map[string][]marker // by base name
	probes  map[string]probe    // by path
}

var known = sync.OnceValue(func() mavenFacts { return parseFacts(mavenText) })

func knownGroups() []groupRule          { return known().groups }
func knownBundles() map[string]string   { return known().bundles }
func knownSingles() map[string]string   { return known().singles }
func knownShort() map[string]bool       { return known().short }
func knownMarkers() map[string][]marker { return known().markers }
func knownProbes() map[string]probe     { return known().probes }

// parseFacts reads the lines of maven.txt. A line it does not know is a bug in that file, and panics in the first test.
func parseFacts(text string) mavenFacts {
	f := mavenFacts{bundles: map[string]string{}, singles: map[string]string{}, short: map[string]bool{}, markers: map[string][]marker{}, probes: map[string]probe{}}
	for n, line := range strings.Split(text, "\n") {
		w := strings.Fields(line)
		if len(w) == 0 || strings.HasPrefix(w[0], "#") {
			continue
		}
		switch {
		case w[0] == "group" && len(w) == 4:
			f.groups = append(f.groups, groupRule{w[1], w[2], w[3], ""})
		case w[0] == "group" && len(w) == 5 && w[4][0] == '<':
			f.groups = append(f.groups, groupRule{w[1], w[2], w[3], w[4][1:]})
		case w[0] == "bundle" && len(w) == 3:
			f.bundles[w[1]] = w[2]
		case w[0] == "single" && len(w) == 3:
			f.singles[w[1]] = w[2]
		case w[0] == "short" && len(w) == 2:
			f.short[w[1]] = true
		case w[0] == "class" && len(w) == 3:
			base := w[1][strings.LastIndexByte(w[1], '/')+1:]
			f.markers[base] = append(f.markers[base], marker{class: w[1], coordinate: w[2]})
		case w[0] == "version" && len(w) >= 4:
			f.probes[w[1]] = probe{w[2], regexp.MustCompile(strings.Join(w[3:], " ")), strings.HasSuffix(w[1], ".class")}
		default:
			panic(fmt.Sprintf("maven.txt:%d: %q", n+1, line))
		}
	}
	return f
}

// version returns the first group of the pattern's first match, "" when nothing matches.
func (p probe) version(b []byte) string {
	if !p.class {
		if m := p.pattern.FindSubmatch(b); m != nil {
			return string(m[1])
		}
		return ""
	}
	version := ""
	eachString(b, func(s []byte) bool {
		if m := p.pattern.FindSubmatch(s); m != nil {
			version = string(m[1])
		}
		return version == ""
	})
	return version
}

// Sizes behind the tag of constant pool entries (JVM Specification, Java SE 21, 4.4); 0 is no tag or the variable-length Utf8.
var constantSizes = [...]int{3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}

// eachString visits the Utf8 constants of a class file until visit returns false. A file that is none has no constants.
func eachString(b []byte, visit func([]byte) bool) {
	if len(b) < 10 || string(b[:4]) != "\xca\xfe\xba\xbe" {
		return
	}
	count := int(b[8])<<8 | int(b[9])
	b = b[10:]
	for i := 1; i < count && len(b) > 0; i++ {
		tag := int(b[0])
		b = b[1:]
		if tag == 1 {
			if len(b) < 2 {
				return
			}
			n := int(b[0])<<8 | int(b[1])
			if n > len(b)-2 || !visit(b[2:2+n]) {
				return
			}
			b = b[2+n:]
			continue
		}
		if tag >= len(constantSizes) || constantSizes[tag] == 0 || constantSizes[tag] > len(b) {
			return
		}
		if b = b[constantSizes[tag]:]; tag == 5 || tag == 6 {
			i++ // long and double take two places
		}
	}
}
