package installed

import (
	"context"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// JavaArchive identifies jars and their kin by Maven's files, the manifest, the file name and the packages of the classes, one
// level deep: jars inside are shown to it by the walk. The rules of choice stand in java_identify.go.
var JavaArchive = biopsy.Extractor{
	Name:    "java-archive",
	Basis:   biopsy.Manifest,
	Names:   javaEndings,
	Extract: javaArchive,
}

var javaEndings = []string{"*.jar", "*.war", "*.ear", "*.aar", "*.jpi", "*.hpi", "*.par", "*.sar", "*.kar"}

// Limits of one archive: what honest ones need, many times over.
const (
	maxJavaMeta    = 4096     // Maven files and markers of a fat jar
	maxJavaBytes   = 64 << 20 // unpacked metadata of one archive
	maxJavaFolders = 1 << 13  // folders that hold classes; all of AWS's SDK has 6,000. Every pom is held against every folder
)

// jar is what one archive shows.
type jar struct {
	file     string // base name without its ending
	ending   string // ".jar"
	manifest manifest
	poms     []*pom
	roots    []string       // first two elements of the poms' groups, as folders
	folders  map[string]int // classes per folder: "org/apache/log4j"
	classes  int
	words    map[string]int    // classes under folders with that element, lower case; filled by count
	tops     map[string]int    // classes under the first one or two elements; filled by count
	markers  map[string]marker // well-known classes seen, by the artifact they show
	probes   map[string]string // "group:artifact" -> version read from a well-known file
	xpp      string            // version in the name of a top-level marker file; "" in nearly all
	versions [][]byte          // contents of files that hold a version: "org/example/version.properties"
	nested   int               // archives inside
}

func javaArchive(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	dir, err := openZip(in.Content, in.Size())
	if err != nil {
		return err
	}
	ending := path.Ext(in.Path)
	j := &jar{file: strings.TrimSuffix(path.Base(in.Path), ending), ending: ending, folders: map[string]int{}, markers: map[string]marker{}, probes: map[string]string{}}
	bad := j.look(dir)
	if len(j.poms) == 0 && j.manifest == nil && j.classes == 0 && j.nested == 0 {
		return bad // a zip by another name
	}
	j.say(sheet{in, "java-archive", biopsy.Manifest, emit})
	return bad
}

// look goes through the directory once, then reads the few files that matter. An error costs one of them only.
func (j *jar) look(dir *zipDir) error {
	var meta []zipEntry
	var bad several
	bad.add(dir.each(func(e zipEntry) bool {
		if j.note(e.name) && len(meta) < maxJavaMeta {
			meta = append(meta, e)
		}
		return true
	}))
	poms := map[string]*pom{}
	left := int64(maxJavaBytes)
	for _, e := range meta {
		b, err := dir.read(e, min(maxZipEntry, left))
		if err != nil {
			bad.add(err)
			continue
		}
		left -= int64(len(b))
		bad.add(j.take(e.name, b, poms))
	}
	j.gather(poms)
	return bad.err()
}

// note counts a name and tells whether its bytes are needed.
func (j *jar) note(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case strings.HasSuffix(base, ".class"):
		return j.noteClass(name, base)
	case base == "":
		return false
	case strings.HasPrefix(name, "META-INF/"):
		if name == "META-INF/MANIFEST.MF" {
			return true
		}
		if strings.HasPrefix(name, "META-INF/maven/") {
			return base == "pom.properties" || base == "pom.xml"
		}
	case isJavaArchive(base):
		j.nested++
	case len(base) == len(name) && strings.HasSuffix(name, "_VERSION"):
		if m := xppVersion.FindStringSubmatch(name); m != nil {
			j.xpp = m[1]
		}
	}
	_, probed := knownProbes()[name]
	return probed || isVersionFile(base)
}

// isVersionFile tells whether a file's name promises a version.
func isVersionFile(base string) bool {
	stem, ok := strings.CutSuffix(strings.ToLower(base), ".properties")
	if !ok {
		stem = strings.TrimSuffix(stem, ".txt")
	}
	return stem == "version" || strings.HasSuffix(stem, "-version")
}

func (j *jar) noteClass(name, base string) bool {
	folder := strings.TrimSuffix(strings.TrimSuffix(name, base), "/")
	if strings.HasPrefix(folder, "META-INF") {
		return false
	}
	for _, app := range []string{"BOOT-INF/classes/", "WEB-INF/classes/"} {
		folder, name = strings.TrimPrefix(folder, app), strings.TrimPrefix(name, app)
	}
	j.classes++
	if _, seen := j.folders[folder]; seen || len(j.folders) < maxJavaFolders {
		j.folders[folder]++
	}
	for _, m := range knownMarkers()[base] {
		if name == m.class {
			j.markers[m.coordinate] = m
		} else if _, seen := j.markers[m.coordinate]; !seen && strings.HasSuffix(name, "/"+m.class) {
			m.moved = true
			j.markers[m.coordinate] = m
		}
	}
	_, probed := knownProbes()[name]
	return probed
}

// take files the bytes of one metadata file.
func (j *jar) take(name string, b []byte, poms map[string]*pom) error {
	if p, ok := knownProbes()[name]; ok {
		if v := p.version(b); v != "" {
			j.probes[p.coordinate] = v
		}
		return nil
	}
	if name == "META-INF/MANIFEST.MF" {
		j.manifest = parseManifest(b)
		return nil
	}
	if isVersionFile(path.Base(name)) {
		if len(b) <= 4096 && len(j.versions) < 8 {
			j.versions = append(j.versions, b)
		}
		return nil
	}
	folder := path.Dir(name)
	p := poms[folder]
	if p == nil {
		p = &pom{folder: folder}
		poms[folder] = p
	}
	if strings.HasSuffix(name, ".properties") {
		p.properties(b)
		return nil
	}
	return p.xml(b, name)
}

// isJavaArchive tells whether a name is one that the walk shows to this reader again.
func isJavaArchive(base string) bool {
	for _, n := range javaEndings {
		if strings.HasSuffix(base, n[1:]) {
			return true
		}
	}
	return false
}
