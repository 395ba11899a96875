package eco

import (
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Component returns what a purl says of a component: names, version, architecture, distribution and source package. It has no
// evidence.
func Component(purl string) (biopsy.Component, error) {
	p, err := Parse(purl)
	if err != nil {
		return biopsy.Component{}, err
	}
	c := biopsy.Component{Kind: biopsy.Library, Eco: p.Type, Namespace: p.Namespace, Name: p.Name, Version: p.Version, Purl: purl, Arch: p.Qualifier("arch")}
	if p.Type == "deb" || p.Type == "rpm" || p.Type == "apk" || p.Type == "opkg" {
		c.Distro = p.Qualifier("distro")
		if e := p.Qualifier("epoch"); e != "" && e != "0" {
			c.Version = e + ":" + c.Version
		}
	}
	if up := p.Qualifier("upstream"); up != "" {
		c.Source = sourceOf(up)
	}
	c.ID = biopsy.ComponentID(&c)
	return c, nil
}

// sourceOf reads an upstream qualifier: "glibc@2.36-9", "bash", or the file name of a source rpm, "openssl-3.0.7-25.el9.src.rpm".
func sourceOf(up string) *biopsy.Upstream {
	file, isRPM := strings.CutSuffix(up, ".src.rpm")
	release := strings.LastIndexByte(file, '-')
	if isRPM && release > 0 {
		if version := strings.LastIndexByte(file[:release], '-'); version > 0 {
			return &biopsy.Upstream{Name: file[:version], Version: file[version+1:]}
		}
	}
	name, version, _ := strings.Cut(up, "@")
	return &biopsy.Upstream{Name: name, Version: version}
}
