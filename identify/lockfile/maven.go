package lockfile

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// MavenPOM reads pom.xml (maven.apache.org, POM Reference 4.0.0). What a parent or an imported POM says is in other files and stays
// unknown here: such a version is "", and what a pom manages for its children is said about them. POMs inside jars are read with the jar.
var MavenPOM = wanting(reader("maven-pom", biopsy.Declared, mavenPOM, "pom.xml"), func(p string) bool {
	return !strings.Contains("/"+p, "/META-INF/maven/")
})

func mavenPOM(d *doc) error {
	root, err := d.xml()
	if err != nil || root.name != "project" {
		return err
	}
	m := mavenModel(root)
	self := pkg("maven", m["project.groupId"]+":"+m["project.artifactId"], known(m["project.version"]))
	self.Description = strings.Join(strings.Fields(root.str("description")), " ")
	self.Homepage, self.Repository = root.str("url"), webURL(root.str("scm", "url"))
	self.Supplier = root.str("organization", "name")
	for _, l := range root.get("licenses").all("license") {
		self.Licenses = append(self.Licenses, declared(l.str("name"))...)
	}
	versions := map[string]string{}
	for _, e := range root.get("dependencyManagement", "dependencies").all("dependency") {
		versions[m.expand(e.str("groupId"))+":"+m.expand(e.str("artifactId"))] = e.str("version")
		if e.str("scope") != "import" {
			d.add(e.line, managed(m.dependency(e, nil)))
		}
	}
	wanted := root.get("dependencies").all("dependency")
	for _, profile := range root.get("profiles").all("profile") {
		for _, e := range profile.get("dependencies").all("dependency") {
			e.kids = append(e.kids, &element{name: "optional", text: "true"}) // only with the profile
			wanted = append(wanted, e)
		}
	}
	for _, e := range wanted {
		c := m.dependency(e, versions)
		self.Needs = append(self.Needs, biopsy.Need{Name: fullName(c), Purl: exact(c), Scope: c.Scope})
		d.add(e.line, c)
	}
	if self.Namespace != "" {
		d.project(root.line, self)
	}
	return nil
}

// model is what "${...}" may stand for.
type model map[string]string

func mavenModel(root *element) model {
	m := model{}
	if p := root.get("properties"); p != nil {
		for _, e := range p.kids {
			m[e.name] = e.text
		}
	}
	for _, field := range []string{"groupId", "artifactId", "version"} {
		own, parent := root.str(field), root.str("parent", field)
		m["project.parent."+field] = parent
		if field != "artifactId" && own == "" {
			own = parent
		}
		m["project."+field] = own
	}
	for _, field := range []string{"groupId", "artifactId", "version"} {
		m["project."+field] = m.expand(m["project."+field])
	}
	return m
}

// expand replaces properties, also those inside properties. What is not known stays as written.
func (m model) expand(s string) string {
	for range 10 { // deeper chains do not occur; loops would not end
		from := strings.LastIndex(s, "${")
		if from < 0 {
			return s
		}
		length := strings.IndexByte(s[from:], '}')
		if length < 0 {
			return s
		}
		name := s[from+2 : from+length]
		value, ok := m[name]
		if !ok {
			value, ok = m[strings.Replace(name, "pom.", "project.", 1)]
		}
		if !ok || len(s)+len(value) > 1<<12 {
			return s
		}
		s = s[:from] + value + s[from+length+1:]
	}
	return s
}

// known is a version that names one: not a range, and no property that another file sets.
func known(version string) string {
	if strings.Contains(version, "${") || strings.ContainsAny(version, "[](),+") || strings.HasPrefix(version, "latest.") || version == "LATEST" || version == "RELEASE" {
		return ""
	}
	return version
}

func (m model) dependency(e *element, versions map[string]string) biopsy.Claim {
	group, artifact := m.expand(e.str("groupId")), m.expand(e.str("artifactId"))
	raw := e.str("version")
	if raw == "" {
		raw = versions[group+":"+artifact]
	}
	version := m.expand(raw)
	c := pkg("maven", group+":"+artifact, known(version))
	if strings.Contains(group+artifact, "${") {
		c.Purl = ""
	}
	if c.Version == "" {
		extra(&c, "maven:version", version)
	}
	extra(&c, "maven:classifier", m.expand(e.str("classifier")))
	switch scope := e.str("scope"); {
	case scope == "test":
		c.Scope = biopsy.Development
	case e.str("optional") == "true":
		c.Scope = biopsy.Optional
	case scope == "provided", scope == "system": // comes with the machine it runs on
		extra(&c, "maven:scope", scope)
	default:
		c.Scope = biopsy.Runtime
	}
	return c
}

// exact is the purl of a claim that has a version.
func exact(c biopsy.Claim) string {
	if c.Version == "" {
		return ""
	}
	return c.Purl
}
