package installed

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// How an archive gets its coordinates, in this order:
//
//  1. Of the Maven files inside, the pom that the file name or the manifest names is the archive itself; a single pom also when
//     most classes stand under its group. All other poms are embedded.
//  2. Without such a pom the artifact is the file name without its version, unless the manifest's bundle name is a well-known
//     one and the file name does not extend it.
//  3. The version is that of the file name, else of a well-known version file, else Implementation-Version, else Bundle-Version
//     of the manifest, else of the named section about most classes, else Specification-Version, else of a version file. Where
//     file name and manifest disagree, the file name wins, and Extra "jar:manifest-version" keeps the other.
//  4. The group is looked up in maven.txt by class folder and artifact, else it is what the bundle name has in front of the
//     artifact, else Implementation-Vendor-Id when the classes stand under it, else the folder all classes share.

// Confidence by basis.
const (
	sureProperties = 0.99 // pom.properties
	surePom        = 0.95 // pom.xml only
	sureManifest   = 0.9  // version from the manifest, group from the table
	sureGuess      = 0.7  // version from the file name, or a group that was inferred
	sureBare       = 0.5  // no version at all
	sureMoved      = 0.6  // a relocated class
)

// identity is the outcome.
type identity struct {
	group, artifact, version string
	classifier               string
	rival                    string // a version that lost; "" in most archives
	basis                    biopsy.Basis
	confidence               float64
	pom                      *pom // nil without Maven files
}

// gather settles all poms and sorts them.
func (j *jar) gather(poms map[string]*pom) {
	for _, p := range poms {
		p.settle()
		j.poms = append(j.poms, p)
	}
	slices.SortFunc(j.poms, func(a, b *pom) int { return cmp.Compare(a.folder, b.folder) })
}

// say emits the archive itself and what is embedded in it.
func (j *jar) say(s sheet) {
	own := j.identify()
	inside := j.embedded(own)
	if own.artifact != "" {
		c := own.claim(j.file + j.ending)
		if c.Kind == "" || j.kind() == biopsy.Application {
			c.Kind = j.kind()
		}
		c.State = biopsy.Installed
		j.tell(&c)
		if own.pom != nil {
			own.pom.tell(&c)
		}
		if len(c.Licenses) == 0 {
			c.Licenses = j.bundleLicenses()
		}
		for _, e := range inside {
			c.Needs = append(c.Needs, biopsy.Need{Purl: eco.Purl("maven", e.group, e.artifact, e.version), Scope: biopsy.Runtime})
		}
		s.basis = own.basis
		s.say(c, own.confidence)
	}
	for _, e := range inside {
		c := e.claim(j.file + j.ending)
		c.State = biopsy.Embedded
		if e.pom != nil {
			e.pom.tell(&c)
		}
		s.basis = e.basis
		s.say(c, e.confidence)
	}
}

// claim names the artifact; without a group and a version there is nothing but a file of that name, and no purl.
func (id identity) claim(file string) biopsy.Claim {
	if id.group == "" && id.version == "" {
		return biopsy.Claim{Kind: biopsy.FileKind, Name: file}
	}
	c := biopsy.Claim{Eco: "maven", Namespace: id.group, Name: id.artifact, Version: id.version}
	c.Purl = eco.Purl("maven", id.group, id.artifact, id.version, "classifier", id.classifier)
	if id.rival != "" {
		c.Extra = map[string]string{"jar:manifest-version": id.rival}
	}
	return c
}

// identify decides what the archive itself is. An empty artifact means that nothing tells.
func (j *jar) identify() identity {
	name, version, classifier := splitFileName(j.file)
	if p := j.ownPom(name); p != nil {
		id := identity{group: p.group, artifact: p.artifact, version: p.version, basis: biopsy.Manifest, confidence: sureProperties, pom: p}
		if !p.exact {
			id.confidence = surePom
		}
		if version != "" && strings.HasPrefix(j.file, p.artifact+"-") {
			id.classifier = classifier
		}
		if id.version == "" {
			id.version = j.manifestVersion()
		}
		return id
	}
	if j.plugin() != "" {
		return identity{group: first(j.manifest.main("Group-Id"), "org.jenkins-ci.plugins"), artifact: j.plugin(),
			version: firstWord(j.manifest.main("Plugin-Version")), basis: biopsy.Manifest, confidence: sureManifest}
	}
	id := identity{artifact: name, classifier: classifier, basis: biopsy.Manifest, confidence: sureManifest}
	if known := knownBundles()[j.manifest.symbolicName()]; known != "" {
		group, artifact, _ := strings.Cut(known, ":")
		if !strings.HasPrefix(name, artifact) {
			id.group, id.artifact = group, artifact
		}
	}
	inferred := false
	if id.group == "" {
		id.group, inferred = j.group(id.artifact)
	}
	j.weighVersion(&id, version)
	switch {
	case id.version == "":
		id.confidence = sureBare
		if inferred && !j.about(id.artifact) { // nothing says that such an artifact was ever published
			id.group = ""
		}
	case inferred:
		id.confidence = min(id.confidence, sureGuess)
	}
	return id
}

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

// ownPom applies rule 1; nil when no pom is the archive itself.
func (j *jar) ownPom(name string) *pom {
	var best *pom
	score, tie := 0, false
	for _, p := range j.poms {
		n := j.fits(p, name)
		switch {
		case n > score:
			best, score, tie = p, n, false
		case n == score && best != nil && (p.group != best.group || p.artifact != best.artifact):
			tie = true
		}
	}
	if tie && score < 8 {
		return nil // many modules of one project: the archive is their bundle, not one of them
	}
	return best
}

// fits scores a pom: 8 for the file name, 4 for the manifest, 1 for the majority of classes (or none at all).
func (j *jar) fits(p *pom, name string) int {
	score := 0
	if strings.EqualFold(p.artifact, name) || strings.EqualFold(p.artifact, j.file) {
		score += 8
	}
	bundle := j.manifest.symbolicName()
	titles := []string{bundle, j.manifest.main("Implementation-Title"), j.manifest.main("Automatic-Module-Name"), j.manifest.main("Extension-Name")}
	for _, t := range titles {
		if t != "" && (t == p.artifact || t == p.group+"."+p.artifact || t == p.group+":"+p.artifact) {
			score += 4
			break
		}
	}
	if len(j.poms) == 1 && score == 0 && name != "" && strings.HasPrefix(name, p.artifact) {
		score += 4
	}
	if j.mostly(p.group, p.artifact) {
		score++
	}
	return score
}

// umbrellas are group prefixes that many unrelated projects share: standing under one says little.
var umbrellas = map[string]bool{"org.apache": true, "com.google": true, "org.eclipse": true, "com.sun": true, "org.codehaus": true, "com.github": true,
	"io.github": true, "com.ibm": true, "com.oracle": true, "net.sf": true, "net.sourceforge": true, "javax.xml": true, "org.w3c": true}

// genericWords are parts of artifact names that say nothing about the project.
var genericWords = map[string]bool{"api": true, "all": true, "base": true, "client": true, "common": true, "commons": true, "core": true, "ext": true, "impl": true,
	"java": true, "lib": true, "main": true, "server": true, "util": true, "utils": true}

// words are the telling parts of names.
func words(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		for _, w := range strings.FieldsFunc(n, func(r rune) bool { return r == '-' || r == '.' || r == '_' }) {
			if w = strings.ToLower(w); !genericWords[w] && len(w) > 1 {
				m[w] = true
			}
		}
	}
	return m
}

// mostly tells whether at least half of the classes stand under the first two elements of a group, or, where these are an
// umbrella, in a folder named for the rest of the group or the artifact. An archive without classes is mostly anything.
func (j *jar) mostly(group, artifact string) bool {
	parts := strings.SplitN(group, ".", 3)
	first := strings.Join(parts[:min(2, len(parts))], ".")
	root, rest := strings.ReplaceAll(first, ".", "/"), ""
	if len(parts) == 3 {
		rest = parts[2]
	}
	if umbrellas[first] || len(parts) < 2 {
		root = "" // the words must tell
	}
	wanted := words(rest, artifact)
	n := 0
	for folder, classes := range j.folders {
		if root != "" && under(folder, root) || named(folder, wanted) {
			n += classes
		}
	}
	return 2*n >= j.classes
}

// about tells whether some folder of classes is named for the artifact.
func (j *jar) about(artifact string) bool {
	wanted := words(artifact)
	for folder := range j.folders {
		if named(folder, wanted) {
			return true
		}
	}
	return false
}

// named tells whether an element of the folder is one of the words.
func named(folder string, wanted map[string]bool) bool {
	for e := range strings.SplitSeq(folder, "/") {
		if wanted[strings.ToLower(e)] {
			return true
		}
	}
	return false
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

// section returns a key's value of the named section about the folder with most classes, "" when no section has the key.
func (j *jar) section(key string) string {
	best, most := "", -1
	for _, s := range j.manifest[min(1, len(j.manifest)):] {
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

// group applies rule 4 and tells whether the answer is inferred.
func (j *jar) group(artifact string) (group string, inferred bool) {
	for _, r := range knownGroups() {
		if ok, err := path.Match(r.artifact, artifact); err == nil && ok && (r.root == "*" || j.holds(r.root)) {
			if r.group == "=" {
				return artifact, false
			}
			return r.group, false
		}
	}
	if group, ok := strings.CutSuffix(j.manifest.symbolicName(), "."+artifact); ok && strings.Contains(group, ".") && !umbrellas[group] {
		return group, true
	}
	if strings.Count(artifact, ".") >= 2 && j.holds(strings.ReplaceAll(artifact, ".", "/")) { // org.eclipse.jdt.core
		return artifact[:strings.LastIndexByte(artifact, '.')], true
	}
	if v := j.manifest.main("Implementation-Vendor-Id"); strings.Contains(v, ".") && !strings.ContainsAny(v, " /") && j.mostly(v, "") && !umbrellas[v] {
		return v, true
	}
	return j.shared(artifact), true
}

// shared is the folder that all classes share but those of embedded poms, at most three deep, without a last element that only
// repeats the artifact's name. "" when they share less than two elements.
func (j *jar) shared(artifact string) string {
	common := ""
	for folder := range j.folders {
		switch {
		case folder == "" || j.foreign(folder):
		case common == "":
			common = folder
		default:
			common = commonFolder(common, folder)
			if common == "" {
				return ""
			}
		}
	}
	parts := strings.Split(common, "/")
	if parts = parts[:min(3, len(parts))]; len(parts) < 2 {
		return ""
	}
	if last := parts[len(parts)-1]; len(parts) == 3 && strings.Contains(artifact, last) && parts[0] != "com" {
		parts = parts[:2]
	}
	if group := strings.Join(parts, "."); !umbrellas[group] {
		return group
	}
	return ""
}

// foreign tells whether a folder belongs to an embedded pom: it stands under the first two elements of its group.
func (j *jar) foreign(folder string) bool {
	for _, p := range j.poms {
		parts := strings.SplitN(p.group, ".", 3)
		if under(folder, strings.Join(parts[:min(2, len(parts))], "/")) {
			return true
		}
	}
	return false
}

// holds tells whether some class stands under root.
func (j *jar) holds(root string) bool {
	for folder := range j.folders {
		if under(folder, root) {
			return true
		}
	}
	return len(j.folders) == 0 // an archive of resources: only the name can tell
}

// all tells whether every class in a package stands under root.
func (j *jar) all(root string) bool {
	for folder := range j.folders {
		if folder != "" && !under(folder, root) {
			return false
		}
	}
	return len(j.folders) > 0
}

// embedded lists what the archive carries inside it beyond itself, sorted.
func (j *jar) embedded(own identity) []identity {
	var ids []identity
	for _, p := range j.poms {
		if p == own.pom || (p.group == own.group && p.artifact == own.artifact) || p.version == "" {
			continue
		}
		id := identity{group: p.group, artifact: p.artifact, version: p.version, basis: biopsy.Manifest, confidence: 0.9, pom: p}
		if !p.exact {
			id.confidence = 0.8
		}
		ids = append(ids, id)
	}
	if len(j.poms) == 0 { // where Maven's files were kept, they tell more than classes can
		ids = j.recognised(own)
	}
	slices.SortFunc(ids, compareIdentity)
	return slices.CompactFunc(ids, func(a, b identity) bool { return compareIdentity(a, b) == 0 })
}

// recognised turns well-known classes into identities, with a version where a well-known file of the same artifact tells it.
func (j *jar) recognised(own identity) []identity {
	var ids []identity
	for _, m := range j.markers {
		group, artifact, _ := strings.Cut(m.coordinate, ":")
		if group == own.group || artifact == own.artifact {
			continue
		}
		id := identity{group: group, artifact: artifact, version: j.probes[m.coordinate], basis: biopsy.Binary, confidence: 0.8}
		if m.moved {
			id.confidence = sureMoved
		}
		ids = append(ids, id)
	}
	return ids
}

func compareIdentity(a, b identity) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.artifact, b.artifact), cmp.Compare(a.version, b.version))
}

// tell adds what the manifest knows beyond coordinates.
func (j *jar) tell(c *biopsy.Claim) {
	m := j.manifest
	c.Supplier = first(m.main("Bundle-Vendor"), m.main("Implementation-Vendor"), m.main("Specification-Vendor"))
	c.Description = m.main("Bundle-Description")
	if u := first(m.main("Bundle-DocURL"), m.main("Implementation-URL"), m.main("Url")); strings.HasPrefix(u, "http") {
		c.Homepage = u
	}
}

// bundleLicenses reads Bundle-License (OSGi Core 8, 3.2.1.10): clauses split by ",", each with attributes behind ";".
func (j *jar) bundleLicenses() []biopsy.License {
	var ls []biopsy.License
	for _, clause := range splitClauses(j.manifest.main("Bundle-License")) {
		name, attributes, _ := strings.Cut(clause, ";")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if name == "" {
			continue
		}
		l := licence(name)
		for _, a := range strings.Split(attributes, ";") {
			if link, ok := strings.CutPrefix(strings.TrimSpace(a), "link="); ok {
				l.URL = strings.Trim(link, `"`)
			}
		}
		ls = append(ls, l)
	}
	return ls
}

// splitClauses splits at commas outside quotes.
func splitClauses(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// kind is application for what a server runs or a launcher starts together with what it carries.
func (j *jar) kind() biopsy.Kind {
	switch j.ending {
	case ".war", ".ear":
		return biopsy.Application
	case ".jar":
		if j.nested > 0 && j.manifest.main("Main-Class") != "" {
			return biopsy.Application
		}
	}
	return biopsy.Library
}

// plugin is the artifact of a Jenkins plugin, "" for everything else.
func (j *jar) plugin() string {
	if j.ending == ".jpi" || j.ending == ".hpi" {
		return first(j.manifest.main("Short-Name"), j.manifest.main("Extension-Name"))
	}
	return ""
}

var (
	// A version as build tools put it into a file name: digits first, then the qualifiers in use.
	nameVersion = regexp.MustCompile(`^v?\d+(\.\d+)*([._-]?(?i:[a-z]?\d+[a-z]?|alpha|beta|a|b|c|m|rc|cr|ga|final|release|snapshot|sp|pre|ea|incubating|jre\d*|android|jdk\d+|java\d+|hadoop\d*|build|rev|r|v|jbossorg|redhat|fuse|stable|patch|p)[._-]?\d*)*$`)
	// What follows a version in the file name of an artifact with a classifier.
	nameClassifier = regexp.MustCompile(`^(?i)(sources|javadoc|tests|test|shaded|all|full|boot|jakarta|no_aop|jar-with-dependencies|exec|standalone|bundle|uber|(linux|osx|windows|mac|macos|win|natives)[\w-]*)$`)
	bundleName     = regexp.MustCompile(`^([A-Za-z][\w-]*(?:\.[\w-]+)+)_(\d+\.\d+\.\d+(?:\..+)?)$`) // Eclipse's plugins folder
	xppVersion     = regexp.MustCompile(`^[A-Z0-9]+_(\d+(?:\.\d+)+[a-z]?)_(?:[A-Z]+_)?VERSION$`)
	fileVersion    = regexp.MustCompile(`(?mi)^\s*(?:(?:[\w.-]*[._-])?version\s*[=:]\s*)?v?(\d+\.\d+[0-9A-Za-z.-]*)\s*$`)
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
	if base, ok := strings.CutSuffix(v, ".SNAPSHOT"); ok {
		return base + "-SNAPSHOT"
	}
	return v
}

func firstWord(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return ""
}

// under tells whether a folder is root or inside it.
func under(folder, root string) bool {
	return strings.HasPrefix(folder, root) && (len(folder) == len(root) || root == "" || folder[len(root)] == '/')
}

// commonFolder returns the deepest folder that holds both.
func commonFolder(a, b string) string {
	n := 0
	for i := 0; i <= len(a) && i <= len(b); i++ {
		endA, endB := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if endA && endB {
			n = i
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			break
		}
	}
	return a[:n]
}
