package biopsy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// ComponentID names a component by what it is: its purl, or, where no purl can name it, kind, name, version and digest. 16 hex
// digits of SHA-256, so two scans compare by set difference.
func ComponentID(c *Component) string {
	if c.Purl != "" {
		return shortHash("component", c.Purl)
	}
	digest := ""
	for _, h := range c.Hashes {
		if h.Alg == "SHA-256" {
			digest = h.Value
		}
	}
	return shortHash("component", string(c.Kind), c.Namespace, c.Name, c.Version, digest)
}

// FindingID names a finding by component identity without version, and subject: an assessment finds it again in the next release.
func FindingID(c *Component, subject, advisory string) string {
	return shortHash("finding", c.Eco, c.Namespace, c.Name, subject, advisory)
}

func shortHash(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:8])
}
