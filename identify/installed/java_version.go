package installed

import (
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// weighVersion applies rule 3.
func (j *jar) weighVersion(id *identity, fromName string) {
	if v := knownSingles()[id.group+":"+id.artifact]; v != "" {
		id.version = v
		return
	}
	said := first(j.probes[id.group+":"+id.artifact], j.probes[id.group+":*"], j.manifestVersion(), j.xpp, j.versionFile())
	if short, ok := strings.CutSuffix(said, ".0"); ok && knownShort()[id.group] && strings.Count(short, ".") == 1 {
		said = short
	}
	if fromName == "" {
		id.version = said
		return
	}
	id.version = fromName
	if said == "" {
		id.basis, id.confidence = biopsy.Filename, sureGuess
	} else if said != fromName && !strings.HasPrefix(said, fromName+".") && !strings.HasPrefix(fromName, said+".") {
		id.rival, id.confidence = said, sureGuess
	}
}

// manifestVersion applies the manifest's part of rule 3.
func (j *jar) manifestVersion() string {
	m := j.manifest
	if v := asVersion(m.main("Implementation-Version")); v != "" {
		return v
	}
	named := asVersion(j.section("Implementation-Version"))
	if v := bundleVersion(m.main("Bundle-Version")); v != "" && v != named+".0" { // OSGi pads versions to three numbers
		return v
	}
	if named != "" {
		return named
	}
	if v := asVersion(first(m.main("Specification-Version"), j.section("Specification-Version"), m.main("Version"))); v != "" {
		return v
	}
	// Ant is built by the very Ant that is being built, so in its own jars the builder's version is theirs.
	if v, ok := strings.CutPrefix(m.main("Ant-Version"), "Apache Ant "); ok && j.all("org/apache/tools/ant") {
		return asVersion(v)
	}
	return ""
}

// versionFile is what the files made for the purpose say, "" when they disagree.
func (j *jar) versionFile() string {
	version := ""
	for _, b := range j.versions {
		m := fileVersion.FindSubmatch(b)
		if m == nil {
			continue
		}
		if version != "" && version != string(m[1]) {
			return ""
		}
		version = string(m[1])
	}
	return version
}

// maxNamed is how many sections of a manifest may be about packages; those behind are about single files.
const maxNamed = 64

// section returns a key's value of the named section about the folder with most classes, "" when no section has the key.
func (j *jar) section(key string) string {
	best, most := "", -1
	for _, s := range j.manifest[min(1, len(j.manifest)):min(maxNamed, len(j.manifest))] {
		v := filled(s[key])
		if v == "" {
			continue
		}
		n, root := 0, strings.Trim(s["Name"], "/")
		for folder, classes := range j.folders {
			if under(folder, root) {
				n += classes
			}
		}
		if n > most {
			best, most = v, n
		}
	}
	return best
}

var (
	// A version as build tools put it into a file name: digits first, then the qualifiers in use.
	nameVersion = regexp.MustCompile(`^v?\d+(\.\d+)*([._-]?(?i:[a-z]?\d+[a-z]?|alpha|beta|a|b|c|m|rc|cr|ga|final|release|snapshot|sp|pre|ea|incubating|jre\d*|android|jdk\d+|java\d+|hadoop\d*|build|rev|r|v|jbossorg|redhat|fuse|stable|patch|p)[._-]?\d*)*$`)
	// What follows a version in the file name of an artifact with a classifier.
	nameClassifier = regexp.MustCompile(`^(?i)(sources|javadoc|tests|test|shaded|all|full|boot|jakarta|no_aop|jar-with-dependencies|exec|standalone|bundle|uber|(linux|osx|windows|mac|macos|win|natives)[\w-]*)$`)
	bundleName     = regexp.MustCompile(`^([A-Za-z][\w-]*(?:\.[\w-]+)+)_(\d+\.\d+\.\d+(?:\..+)?)$`) // Eclipse's plugins folder
	xppVersion     = regexp.MustCompile(`^[A-Z0-9]+_(\d+(?:\.\d+)+[a-z]?)_(?:[A-Z]+_)?VERSION$`)
	fileVersion    = regexp.MustCompile(`(?mi)^\s*(?:(?:[\w.-]*[._-])?version\s*[=:]\s*)?v?(\d+\.\d+[0-9A-Za-z.-]*)\s*$`)
	dashed         = regexp.MustCompile(`^(\d+\.\d+\.\d+)\.((?:SNAPSHOT|jre|android|GA|incubating)|(?:alpha|beta|rc|RC)[\w.-]*)$`) // qualifiers that Maven sets off by a dash
	versionStart   = regexp.MustCompile(`^[vV]?\d+([._-]?[0-9A-Za-z+]+)*$`)
)

// splitFileName splits "guava-31.1-jre" into name, version and classifier; the last two are "" when the name does not say.
func splitFileName(file string) (name, version, classifier string) {
	if m := bundleName.FindStringSubmatch(file); m != nil {
		return m[1], bundleVersion(m[2]), ""
	}
	for i := 1; i+1 < len(file); i++ {
		next := file[i+1]
		if file[i] != '-' || ((next < '0' || next > '9') && next != 'v') {
			continue
		}
		rest := file[i+1:]
		if len(rest) > 128 {
			continue
		}
		if nameVersion.MatchString(rest) {
			return file[:i], strings.TrimPrefix(rest, "v"), ""
		}
		for k := 1; k < len(rest); k++ {
			if rest[k] == '-' && nameVersion.MatchString(rest[:k]) && nameClassifier.MatchString(rest[k+1:]) {
				return file[:i], strings.TrimPrefix(rest[:k], "v"), rest[k+1:]
			}
		}
	}
	return file, "", ""
}

// asVersion takes the first word of a manifest's value when it is a version: "2.0.8 Sun, 08 Sep 2019" is 2.0.8, "r1234" is none.
func asVersion(v string) string {
	v = firstWord(v)
	if len(v) > 128 || !versionStart.MatchString(v) {
		return ""
	}
	return strings.TrimPrefix(v, "v")
}

// bundleVersion turns an OSGi version back into its Maven form as far as that is certain: "3.32.0.qualifier" lost nothing but
// the word, "9.4.0.SNAPSHOT" had a dash.
func bundleVersion(v string) string {
	v = asVersion(v)
	v = strings.TrimSuffix(v, ".qualifier")
	if m := dashed.FindStringSubmatch(v); m != nil {
		return m[1] + "-" + m[2]
	}
	return v
}

func firstWord(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return ""
}
