package csaf

import (
	"fmt"
	"strings"
)

// provider is one publisher of CSAF documents, and how to come by them.
type provider struct {
	name      string // "redhat"; also the folder
	metadata  string // address of provider-metadata.json; "" when directory says all
	directory string // address of a folder with changes.csv, instead of what the metadata list
	archive   string // address of all documents in one file, for the first time; one that ends in ".txt" is a file with the archive's name
}

// providers are those known by name; others are asked for by their domain ("csaf/www.bosch.com"). Makers of medical devices have few
// providers of their own yet: most of what is known of their products comes by CISA.
var providers = []provider{
	{name: "cisa", metadata: "https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json",
		archive: "https://github.com/cisagov/CSAF/archive/refs/heads/develop.zip"},
	{name: "redhat", metadata: "https://www.redhat.com/.well-known/csaf/provider-metadata.json",
		directory: "https://security.access.redhat.com/data/csaf/v2/vex/", archive: "https://security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt"},
	{name: "suse", metadata: "https://www.suse.com/.well-known/csaf/provider-metadata.json",
		directory: "https://ftp.suse.com/pub/projects/security/csaf-vex/", archive: "https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2"},
	{name: "siemens", metadata: "https://cert-portal.siemens.com/productcert/csaf/provider-metadata.json"},
	{name: "bsi", metadata: "https://www.bsi.bund.de/.well-known/csaf/provider-metadata.json"},
	{name: "certvde", metadata: "https://certvde.com/.well-known/csaf/provider-metadata.json"},
	{name: "sick", metadata: "https://sick.com/.well-known/csaf/provider-metadata.json"},
	{name: "cisco", metadata: "https://www.cisco.com/.well-known/csaf/provider-metadata.json"},
}

// byDefault are the providers that are fetched when nobody names any.
var byDefault = []string{"cisa"}

// find returns the provider of a name, or one at a domain.
func find(name string) (provider, error) {
	for _, p := range providers {
		if p.name == name {
			return p, nil
		}
	}
	if !isDomain(name) {
		names := make([]string, len(providers))
		for i, p := range providers {
			names[i] = p.name
		}
		return provider{}, fmt.Errorf("csaf: no provider is called %.80q; known are %s, and any domain", name, strings.Join(names, ", "))
	}
	return provider{name: strings.ToLower(name)}, nil
}

// isDomain wants a host name of letters, digits, hyphens and points: it becomes a folder and part of addresses.
func isDomain(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") || strings.Trim(s, ".-") != s || strings.Contains(s, "..") {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// moved puts a mirror or a test's server in the place of the public address: BASE/NAME/... for each of the provider's own.
func (p provider) moved(base string) provider {
	at := strings.TrimSuffix(base, "/") + "/" + p.name + "/"
	move := func(address string) string {
		if address == "" {
			return ""
		}
		return at + address[strings.LastIndexByte(address, '/')+1:]
	}
	p.metadata, p.archive = move(p.metadata), move(p.archive)
	if p.directory != "" {
		p.directory = at
	}
	return p
}

// places are where a domain's metadata are looked for, in the order of CSAF 2.0, 7.1.8 to 7.1.10: the well-known address, then the
// domain for data. Between them stands security.txt.
func (p provider) places(base string) (wellKnown, securityTxt, dns string) {
	if base != "" {
		at := strings.TrimSuffix(base, "/") + "/" + p.name
		return at + "/.well-known/csaf/provider-metadata.json", at + "/.well-known/security.txt", at + "/csaf.data.security"
	}
	return "https://" + p.name + "/.well-known/csaf/provider-metadata.json", "https://" + p.name + "/.well-known/security.txt",
		"https://csaf.data.security." + p.name
}
