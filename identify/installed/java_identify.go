package installed

import (
	"cmp"
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
	unpublished              bool // no such artifact is known: the archive is only a file
}

// gather settles all poms and sorts them.
func (j *jar) gather(poms map[string]*pom) {
	for _, p := range poms {
		p.settle()
		j.poms = append(j.poms, p)
	}
	slices.SortFunc(j.poms, func(a, b *pom) int { return cmp.Compare(a.folder, b.folder) })
	for _, p := range j.poms {
		parts := strings.SplitN(p.group, ".", 3)
		j.roots = append(j.roots, strings.Join(parts[:min(2, len(parts))], "/"))
	}
	slices.Sort(j.roots)
	j.roots = slices.Compact(j.roots)
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
		c.State, c.Whole = biopsy.Installed, true
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
	if id.unpublished || id.group == "" && id.version == "" {
		return biopsy.Claim{Kind: biopsy.FileKind, Name: file, Version: id.version}
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
	return j.byName(identity{artifact: name, classifier: classifier, basis: biopsy.Manifest, confidence: sureManifest}, version)
}

// byName applies rules 2 to 4 to an archive that no pom names. version is that of the file name.
func (j *jar) byName(id identity, version string) identity {
	if known := knownBundles()[j.manifest.symbolicName()]; known != "" {
		group, artifact, _ := strings.Cut(known, ":")
		if !strings.HasPrefix(id.artifact, artifact) {
			id.group, id.artifact = group, artifact
		}
	}
	inferred := false
	if id.group == "" {
		id.group, inferred = j.group(id.artifact, first(version, j.manifestVersion()))
	}
	// Eclipse and what is built for it repeat the group in the artifact, nobody else does.
	if inferred && id.artifact == id.group+"."+lastWord(id.artifact) && !strings.HasPrefix(id.group, "org.eclipse") && !bundleName.MatchString(j.file) {
		id.artifact = lastWord(id.artifact)
	}
	if id.group == "-" {
		id.group, id.unpublished = "", true
	}
	j.weighVersion(&id, version)
	switch {
	case id.version == "":
		id.confidence = sureBare
		if inferred && !j.about(id.artifact) { // nothing says that such an artifact was ever published
			id.group, id.unpublished = "", true
		}
	case inferred:
		id.confidence = min(id.confidence, sureGuess)
	}
	return id
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
