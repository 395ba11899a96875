package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ComposerInstalled reads vendor/composer/installed.json of Composer 1 (a list) and 2 (an object): what stands in vendor/.
var ComposerInstalled = biopsy.Extractor{
	Name:    "composer-installed",
	Basis:   biopsy.Manifest,
	Names:   []string{"composer/installed.json"},
	Extract: composerInstalled,
}

type composerPackage struct {
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Description string          `json:"description"`
	Homepage    string          `json:"homepage"`
	License     json.RawMessage `json:"license"`
	RawRequire  json.RawMessage `json:"require"` // an empty one is written as a list
	Authors     []struct {
		Name string `json:"name"`
	} `json:"authors"`
	Source struct {
		URL       string `json:"url"`
		Reference string `json:"reference"`
	} `json:"source"`
	Dist struct {
		URL    string `json:"url"`
		SHASum string `json:"shasum"`
	} `json:"dist"`
}

func composerInstalled(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	var file struct {
		Packages []composerPackage `json:"packages"`
		Dev      []string          `json:"dev-package-names"`
	}
	if len(b) > 0 && b[0] == '[' {
		err = json.Unmarshal(b, &file.Packages)
	} else {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	s := sheet{in, "composer-installed", biopsy.Manifest, emit}
	dev := map[string]bool{}
	for _, n := range file.Dev {
		dev[n] = true
	}
	for _, p := range file.Packages {
		if p.Name == "" {
			continue
		}
		c := p.claim()
		if c.Scope = biopsy.Runtime; dev[p.Name] {
			c.Scope = biopsy.Development
		}
		s.say(c, sureProperties)
	}
	return nil
}

func (p composerPackage) claim() biopsy.Claim {
	c := biopsy.Claim{Eco: "composer", Version: p.Version, State: biopsy.Installed, Description: p.Description, Homepage: p.Homepage,
		Licenses: nodeLicenses(p.License), Repository: p.Source.URL, Download: p.Dist.URL}
	if vendor, name, ok := strings.Cut(p.Name, "/"); ok {
		c.Namespace, c.Name = strings.ToLower(vendor), strings.ToLower(name)
	} else {
		c.Name = strings.ToLower(p.Name)
	}
	if len(p.Authors) > 0 {
		c.Supplier = p.Authors[0].Name
	}
	if len(p.Dist.SHASum) == 40 {
		c.Hashes = []biopsy.Hash{{Alg: "SHA-1", Value: strings.ToLower(p.Dist.SHASum)}}
	}
	if p.Source.Reference != "" {
		c.Extra = map[string]string{"composer:reference": p.Source.Reference}
	}
	for _, n := range nodeNeeds(p.RawRequire, "", biopsy.Runtime) {
		if strings.Contains(n.Name, "/") { // "php" and "ext-json" are the platform
			n.Name = strings.ToLower(n.Name)
			c.Needs = append(c.Needs, n)
		}
	}
	return c
}
