package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// NodeHiddenLock reads node_modules/.package-lock.json (lockfileVersion 2 and 3 of npm 7 and later): npm's own note of what it
// put there, with digests and what is only for development.
var NodeHiddenLock = biopsy.Extractor{
	Name:    "node-hidden-lock",
	Basis:   biopsy.Manifest,
	Names:   []string{"node_modules/.package-lock.json"},
	Extract: nodeHiddenLock,
}

type hiddenPackage struct {
	Name      string          `json:"name"` // only where it differs from the folder: aliases
	Version   string          `json:"version"`
	Resolved  string          `json:"resolved"`
	Integrity string          `json:"integrity"`
	Dev       bool            `json:"dev"`
	DevOpt    bool            `json:"devOptional"`
	Optional  bool            `json:"optional"`
	Link      bool            `json:"link"`
	License   json.RawMessage `json:"license"`
	Needs     json.RawMessage `json:"dependencies"`
	MayNeed   json.RawMessage `json:"optionalDependencies"`
}

func nodeHiddenLock(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, 8*maxText)
	if err != nil {
		return err
	}
	var lock struct {
		Packages map[string]hiddenPackage `json:"packages"`
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	root := path.Dir(path.Dir(in.Path)) // keys are relative to the folder that holds node_modules
	s := sheet{in, "node-hidden-lock", biopsy.Manifest, emit}
	for _, key := range slices.Sorted(maps.Keys(lock.Packages)) {
		p := lock.Packages[key]
		i := strings.LastIndex(key, "node_modules/")
		if i < 0 || p.Link || p.Version == "" {
			continue // workspace folders and links to them
		}
		folder := path.Join(root, key)
		c := biopsy.Claim{Eco: "npm", Version: p.Version, State: biopsy.Installed, Scope: p.scope(), Hashes: integrity(p.Integrity), Licenses: nodeLicenses(p.License)}
		if strings.HasPrefix(p.Resolved, "http") {
			c.Download = p.Resolved
		}
		c.Namespace, c.Name = npmName(first(p.Name, key[i+len("node_modules/"):]))
		c.Needs = append(nodeNeeds(p.Needs, folder, biopsy.Runtime), nodeNeeds(p.MayNeed, folder, biopsy.Optional)...)
		s.say(c, sureProperties)
	}
	return nil
}

func (p hiddenPackage) scope() biopsy.Scope {
	switch {
	case p.Dev:
		return biopsy.Development
	case p.Optional, p.DevOpt:
		return biopsy.Optional
	}
	return biopsy.Runtime
}
