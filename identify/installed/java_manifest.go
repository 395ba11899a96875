package installed

import (
	"bytes"
	"strings"
)

// manifest is META-INF/MANIFEST.MF (JAR File Specification, Java SE 21): the main section first, then named ones. nil when the
// archive has none.
type manifest []map[string]string

const maxSections = 4096 // signed jars list every class as a section; the first ones are those of packages

// parseManifest reads sections of "Key: value" lines; a line that starts with a space goes on with the one before. Lines that
// are neither are skipped, as the JVM does.
func parseManifest(b []byte) manifest {
	m := manifest{{}}
	section, key, value := m[0], "", []byte(nil)
	done := func() {
		if key != "" {
			section[key] = strings.TrimPrefix(string(value), " ")
		}
		key, value = "", nil
	}
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		switch {
		case len(line) == 0:
			done()
			if len(section) > 0 {
				if len(m) == maxSections {
					return m
				}
				section = map[string]string{}
				m = append(m, section)
			}
		case line[0] == ' ':
			value = append(value, line[1:]...)
		default:
			done()
			if k, v, ok := bytes.Cut(line, []byte(":")); ok {
				key, value = string(k), bytes.Clone(v)
			}
		}
	}
	done()
	return m
}

// cutLine cuts at CR LF, LF or CR.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if b[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest
}

// main returns a value of the main section, "" when it is missing or a placeholder that no build filled in.
func (m manifest) main(key string) string {
	if len(m) == 0 {
		return ""
	}
	return filled(m[0][key])
}

// symbolicName is the OSGi name without its directives: "org.eclipse.jdt.core; singleton:=true".
func (m manifest) symbolicName() string {
	name, _, _ := strings.Cut(m.main("Bundle-SymbolicName"), ";")
	return strings.TrimSpace(name)
}

// filled drops values such as "${project.version}" and "@VERSION@".
func filled(v string) string {
	v = field(v)
	if strings.Contains(v, "${") || (strings.HasPrefix(v, "@") && strings.HasSuffix(v, "@")) {
		return ""
	}
	return v
}
