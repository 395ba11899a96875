package installed

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// pom is what META-INF/maven/GROUP/ARTIFACT/ says: pom.properties, and pom.xml (Maven POM 4.0.0).
type pom struct {
	folder                   string
	group, artifact, version string
	exact                    bool // pom.properties said so; Maven wrote it after all inheritance
	project                  *project
}

type project struct {
	Group       string `xml:"groupId"`
	Artifact    string `xml:"artifactId"`
	Version     string `xml:"version"`
	Description string `xml:"description"`
	URL         string `xml:"url"`
	Parent      struct {
		Group   string `xml:"groupId"`
		Version string `xml:"version"`
	} `xml:"parent"`
	Organization struct {
		Name string `xml:"name"`
	} `xml:"organization"`
	SCM struct {
		URL        string `xml:"url"`
		Connection string `xml:"connection"`
	} `xml:"scm"`
	Licenses []struct {
		Name string `xml:"name"`
		URL  string `xml:"url"`
	} `xml:"licenses>license"`
	Properties struct {
		Pairs []property `xml:",any"`
	} `xml:"properties"`
	own map[string]string // Properties by name; filled by property

	Dependencies []struct {
		Group    string `xml:"groupId"`
		Artifact string `xml:"artifactId"`
		Scope    string `xml:"scope"`
		Optional string `xml:"optional"`
	} `xml:"dependencies>dependency"`
}

type property struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

// properties reads pom.properties: "key=value" lines that Maven writes without escapes.
func (p *pom) properties(b []byte) {
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		k, v, ok := strings.Cut(string(line), "=")
		if !ok || strings.HasPrefix(k, "#") {
			continue
		}
		v = filled(v)
		switch strings.TrimSpace(k) {
		case "groupId":
			p.group = v
		case "artifactId":
			p.artifact = v
		case "version":
			p.version = v
		}
	}
	p.exact = p.artifact != "" && p.version != ""
}

// xml reads pom.xml. It fills in only what pom.properties did not say.
func (p *pom) xml(b []byte, name string) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return latin1{r}, nil }
	pr := new(project)
	if err := d.Decode(pr); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.project = pr
	return nil
}

// settle gives the pom its coordinates: properties, else pom.xml with its parent, else the folder's name.
func (p *pom) settle() {
	if pr := p.project; pr != nil {
		p.group = first(p.group, pr.fill(first(pr.Group, pr.Parent.Group)))
		p.artifact = first(p.artifact, pr.fill(pr.Artifact))
		p.version = first(p.version, pr.fill(first(pr.Version, pr.Parent.Version)))
	}
	p.group = first(p.group, path.Base(path.Dir(p.folder)))
	p.artifact = first(p.artifact, path.Base(p.folder))
}

// fill replaces the properties that the file itself defines; "" when one is left over.
func (pr *project) fill(s string) string {
	s = strings.TrimSpace(s)
	for range 4 { // a property may name another; four deep is more than any seen
		i := strings.Index(s, "${")
		if i < 0 {
			return s
		}
		n := strings.IndexByte(s[i:], '}')
		if n < 0 {
			return ""
		}
		s = s[:i] + pr.property(s[i+2:i+n]) + s[i+n+1:]
		if len(s) > 4096 {
			return ""
		}
	}
	return filled(s)
}

func (pr *project) property(key string) string {
	switch strings.TrimPrefix(key, "project.") {
	case "groupId", "pom.groupId":
		return first(pr.Group, pr.Parent.Group)
	case "version", "pom.version":
		return first(pr.Version, pr.Parent.Version)
	case "parent.version":
		return pr.Parent.Version
	case "parent.groupId":
		return pr.Parent.Group
	}
	if pr.own == nil {
		pr.own = map[string]string{}
		for _, p := range pr.Properties.Pairs {
			pr.own[p.XMLName.Local] = strings.TrimSpace(p.Value)
		}
	}
	return pr.own[key]
}

// tell adds what pom.xml knows beyond coordinates.
func (p *pom) tell(c *biopsy.Claim) {
	pr := p.project
	if pr == nil {
		return
	}
	c.Description = strings.Join(strings.Fields(pr.fill(pr.Description)), " ")
	c.Homepage = pr.fill(pr.URL)
	c.Supplier = pr.fill(pr.Organization.Name)
	c.Repository = first(pr.fill(pr.SCM.URL), strings.TrimPrefix(pr.fill(pr.SCM.Connection), "scm:git:"))
	for _, l := range pr.Licenses {
		name, url := pr.fill(l.Name), pr.fill(l.URL)
		if name == "" && url == "" {
			continue
		}
		said := biopsy.License{Basis: "declared"}
		if name != "" {
			said = licence(strings.Join(strings.Fields(name), " "))
		}
		said.URL = first(said.URL, url)
		c.Licenses = append(c.Licenses, said)
	}
	for _, d := range pr.Dependencies {
		group, artifact := pr.fill(d.Group), pr.fill(d.Artifact)
		if group == "" || artifact == "" {
			continue
		}
		n := biopsy.Need{Name: group + "/" + artifact, Scope: biopsy.Runtime}
		switch strings.TrimSpace(d.Scope) {
		case "", "compile", "runtime":
		default:
			continue // test, provided, system and import do not ship with it
		}
		if strings.TrimSpace(d.Optional) == "true" {
			n.Scope = biopsy.Optional
		}
		c.Needs = append(c.Needs, n)
	}
}

// first returns the first of its arguments that says anything.
func first(ss ...string) string {
	for _, s := range ss {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}

// latin1 turns ISO 8859-1 bytes into UTF-8. Old POMs are written in it or in code pages that share its ASCII half.
type latin1 struct{ r io.Reader }

func (l latin1) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer
	}
	raw := make([]byte, len(p)/2)
	n, err := l.r.Read(raw)
	out := p[:0]
	for _, c := range raw[:n] {
		out = append(out, string(rune(c))...)
	}
	return len(out), err
}
