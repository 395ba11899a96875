package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// CondaMeta reads conda-meta/NAME-VERSION-BUILD.json of a conda environment (conda 4 to 25): what was installed, and its files.
var CondaMeta = biopsy.Extractor{
	Name:    "conda-meta",
	Basis:   biopsy.Manifest,
	Names:   []string{"conda-meta/*.json"},
	Extract: condaMeta,
}

type condaRecord struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Build   string          `json:"build"`
	Channel string          `json:"channel"` // a URL, with or without the platform at its end, or a name
	Subdir  string          `json:"subdir"`  // the platform: "linux-64"
	License json.RawMessage `json:"license"`
	URL     string          `json:"url"`
	MD5     string          `json:"md5"`
	SHA256  string          `json:"sha256"`
	Depends []string        `json:"depends"`
	Files   []string        `json:"files"` // below the environment
}

func condaMeta(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	var r condaRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	if r.Name == "" || r.Version == "" {
		return nil
	}
	channel := r.Channel
	if channel != "" {
		channel = path.Base(strings.TrimSuffix(strings.TrimSuffix(channel, "/"), "/"+r.Subdir))
	}
	c := biopsy.Claim{Eco: "conda", Name: r.Name, Version: r.Version, State: biopsy.Installed, Licenses: declared(text(r.License)), Download: r.URL,
		Purl: eco.Purl("conda", "", r.Name, r.Version, "build", r.Build, "channel", channel, "subdir", r.Subdir)}
	if len(r.MD5) == 32 {
		c.Hashes = append(c.Hashes, biopsy.Hash{Alg: "MD5", Value: strings.ToLower(r.MD5)})
	}
	if len(r.SHA256) == 64 {
		c.Hashes = append(c.Hashes, biopsy.Hash{Alg: "SHA-256", Value: strings.ToLower(r.SHA256)})
	}
	for _, d := range r.Depends {
		if n := firstWord(d); n != "" && !strings.HasPrefix(n, "__") { // "__glibc" is the machine
			c.Needs = append(c.Needs, biopsy.Need{Name: n, Scope: biopsy.Runtime})
		}
	}
	root := path.Dir(path.Dir(in.Path))
	for _, f := range r.Files {
		c.Owns = append(c.Owns, biopsy.HashPath(path.Join(root, f)))
	}
	sheet{in, "conda-meta", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}
