package lockfile

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// pkg is the claim about one package. The full name is split as its ecosystem writes it: "@scope/name", "group:artifact",
// "host/owner/name". Qualifiers are those of eco.Purl.
func pkg(typ, full, version string, qualifiers ...string) biopsy.Claim {
	namespace, name := split(typ, full)
	if typ == "pypi" {
		name = pyFold(name) // what is found installed has this spelling, and needs look names up
	}
	c := biopsy.Claim{Eco: typ, Namespace: namespace, Name: name, Version: version}
	if typ != "maven" || namespace != "" { // an artifact without a group is on no registry
		c.Purl = eco.Purl(typ, namespace, name, version, qualifiers...)
	}
	return c
}

func split(typ, full string) (namespace, name string) {
	sep := byte('/')
	switch typ {
	case "maven":
		sep = ':'
	case "npm":
		if !strings.HasPrefix(full, "@") {
			return "", full
		}
	case "pypi", "cargo", "gem", "nuget", "pub", "conda", "generic", "hex", "cran", "hackage", "opam", "cocoapods":
		return "", full
	}
	if i := strings.LastIndexByte(full, sep); i >= 0 {
		return full[:i], full[i+1:]
	}
	return "", full
}

// managed turns a claim into one about whatever asks for the package without a version: this is the version it gets. Alone it brings
// nothing in.
func managed(c biopsy.Claim) biopsy.Claim {
	if c.Version == "" {
		return biopsy.Claim{}
	}
	c.About, c.State, c.Scope = true, biopsy.Declared, "" // who asks knows what for
	return c
}

// unnamed is a claim about something no registry knows: it keeps its name, and no purl can be mistaken for a public package.
func unnamed(typ, full, version string) biopsy.Claim {
	c := pkg(typ, full, version)
	c.Purl = ""
	return c
}

// extra sets a field of Extra unless the value is empty.
func extra(c *biopsy.Claim, key, value string) {
	if value == "" {
		return
	}
	if c.Extra == nil {
		c.Extra = map[string]string{}
	}
	c.Extra[key] = value
}

// algorithms are the names of hashes in lock files, by CycloneDX name, with their size in bytes.
var algorithms = map[string]struct {
	name string
	size int
}{
	"md5": {"MD5", 16}, "sha1": {"SHA-1", 20}, "sha256": {"SHA-256", 32}, "sha384": {"SHA-384", 48}, "sha512": {"SHA-512", 64},
}

// hexHash returns the hash written as "alg:hex" or, with a default algorithm, as plain hex. Nothing when it is not one.
func hexHash(text, alg string) []biopsy.Hash {
	if a, h, ok := strings.Cut(text, ":"); ok {
		alg, text = a, h
	}
	raw, err := hex.DecodeString(text)
	return hash(alg, raw, err)
}

// integrity returns the hashes of a Subresource Integrity string (W3C, 2016-06-23): "sha512-BASE64 sha1-BASE64".
func integrity(text string) []biopsy.Hash {
	var hs []biopsy.Hash
	for _, word := range strings.Fields(text) {
		alg, b64, _ := strings.Cut(word, "-")
		b64, _, _ = strings.Cut(b64, "?")
		raw, err := base64.StdEncoding.DecodeString(b64)
		hs = append(hs, hash(alg, raw, err)...)
	}
	return hs
}

func hash(alg string, raw []byte, err error) []biopsy.Hash {
	a, known := algorithms[strings.ToLower(alg)]
	if err != nil || !known || len(raw) != a.size {
		return nil
	}
	return []biopsy.Hash{{Alg: a.name, Value: hex.EncodeToString(raw)}}
}

// origin says that the package comes from version control and not from the registry. It stays in the claim and out of the purl, so
// that what is found installed is still the same component.
func origin(c *biopsy.Claim, repo, commit string) {
	if repo != "" {
		c.Repository = webURL(strings.TrimPrefix(repo, "git+"))
		extra(c, "vcs:commit", commit)
	}
}

// checkout reads "git+URL#commit", "URL.git#commit=..." and "github:owner/name#commit"; it leaves other addresses alone.
func checkout(c *biopsy.Claim, from string) {
	repo, commit, _ := strings.Cut(from, "#")
	for _, host := range [][2]string{{"github:", "github.com/"}, {"gitlab:", "gitlab.com/"}, {"bitbucket:", "bitbucket.org/"}} {
		if short, ok := strings.CutPrefix(repo, host[0]); ok {
			repo = "https://" + host[1] + short + ".git"
		}
	}
	if strings.HasSuffix(repo, ".git") || strings.HasPrefix(repo, "git+") || strings.HasPrefix(repo, "git:") {
		origin(c, repo, strings.TrimPrefix(commit, "commit="))
	}
}

// webURL returns u when it can be fetched from; "" for local paths and other words.
func webURL(u string) string {
	for _, scheme := range []string{"https://", "http://", "git://", "ssh://", "git+", "ftp://"} {
		if strings.HasPrefix(u, scheme) {
			return u
		}
	}
	return ""
}

// hosted names what a git repository holds: github and bitbucket have purl types of their own, all else is generic and carries
// its address. An address that is not on the web has no purl.
func hosted(repo, version string) biopsy.Claim {
	address := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(repo, "git+"), "/"), ".git")
	if at, ok := strings.CutPrefix(address, "git@"); ok { // git@host:owner/name is ssh
		address = "https://" + strings.Replace(at, ":", "/", 1)
	}
	_, rest, _ := strings.Cut(address, "://")
	rest = rest[strings.IndexByte(rest, '@')+1:]
	host, path, _ := strings.Cut(rest, "/")
	owner, name, two := strings.Cut(path, "/")
	var c biopsy.Claim
	switch {
	case (host == "github.com" || host == "bitbucket.org") && two && owner != "" && name != "" && !strings.Contains(name, "/"):
		c = pkg(strings.TrimSuffix(strings.TrimSuffix(host, ".com"), ".org"), owner+"/"+name, version)
	case host == "" || rest == address:
		c = unnamed("generic", address[strings.LastIndexByte(address, '/')+1:], version)
	default:
		c = pkg("generic", rest[strings.LastIndexByte(rest, '/')+1:], version, "vcs_url", vcsURL(address, version))
	}
	c.Repository = webURL(repo)
	return c
}

// vcsURL writes a repository the way SPDX's download location does: "git+https://host/path@version".
func vcsURL(address, version string) string {
	if version != "" {
		address += "@" + version
	}
	return "git+" + address
}

// text is a value that should be a string; "" of anything else.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// needs makes edges by name, sorted.
func needs[V any](names map[string]V, scope biopsy.Scope) []biopsy.Need {
	var all []biopsy.Need
	for _, n := range slices.Sorted(maps.Keys(names)) {
		all = append(all, biopsy.Need{Name: n, Scope: scope})
	}
	return all
}

// fullName is "namespace/name", or the name alone.
func fullName(c biopsy.Claim) string {
	if c.Namespace == "" {
		return c.Name
	}
	return c.Namespace + "/" + c.Name
}
