package alpine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Addresses of the three services.
const (
	alpineBase     = "https://secdb.alpinelinux.org"
	wolfiBase      = "https://packages.wolfi.dev/os"
	chainguardBase = "https://packages.cgr.dev/chainguard"
)

// maxIndex bounds a page that lists a folder.
const maxIndex = 1 << 20

// fetch brings alpine/BRANCH/main.json and community.json, and alpine/wolfi and alpine/chainguard/security.json below Dir, or those parts
// in Names ("v3.20", "edge", "wolfi"). The branches are those that the server lists. A mirror (Base) has Alpine's branches and, in folders
// of their names, the other two.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	parts := []download.Part{
		{Name: "wolfi", Base: wolfiBase, Path: "/security.json"},
		{Name: "chainguard", Base: chainguardBase, Path: "/security.json"},
	}
	if o.Base != "" {
		parts[0].Path, parts[1].Path = "/wolfi/security.json", "/chainguard/security.json"
	}
	var failed error
	branches := slices.DeleteFunc(slices.Clone(o.Names), func(n string) bool { return !branch.MatchString(n) })
	if len(o.Names) == 0 {
		branches, failed = listed(ctx, o)
	}
	for _, b := range branches {
		for _, repo := range repositories(b) {
			parts = append(parts, download.Part{Name: b, Base: alpineBase, Path: "/" + b + "/" + repo, File: repo})
		}
	}
	for i := range parts {
		parts[i].Max, parts[i].Check = maxDocument, check
		if parts[i].File == "" {
			parts[i].File = "security.json"
		}
	}
	return errors.Join(failed, download.Parts(ctx, "alpine", parts, &http.Client{}, o))
}

// repositories of a branch: community came with v3.3.
func repositories(branch string) []string {
	if slices.Contains([]string{"v2.1", "v2.2", "v2.3", "v2.4", "v2.5", "v2.6", "v2.7", "v3.0", "v3.1", "v3.2"}, branch) {
		return []string{"main.json"}
	}
	return []string{"main.json", "community.json"}
}

// link is a folder in the server's page of folders.
var link = regexp.MustCompile(`href="(?:\./)?(v\d{1,3}\.\d{1,3}|edge)/?"`)

// listed returns the branches that the server has.
func listed(ctx context.Context, o biopsy.FetchOptions) ([]string, error) {
	base := strings.TrimSuffix(o.Base, "/")
	if base == "" {
		base = alpineBase
	}
	path := filepath.Join(o.Dir, "alpine", ".branches.html")
	c := &download.Client{HTTP: &http.Client{}, Sleep: download.Sleep, Max: maxIndex}
	if _, err := c.Get(ctx, base+"/", path, nil); err != nil {
		return nil, fmt.Errorf("alpine: list of branches: %w", err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("alpine: list of branches: %w", err)
	}
	var out []string
	for _, m := range link.FindAllSubmatch(page, -1) {
		out = append(out, string(m[1]))
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return nil, fmt.Errorf("alpine: %s/ lists no branches", base)
	}
	return out, nil
}

// check reads the document to its end: a page for people, or one that was cut, does not take the old one's place.
func check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	return parse(context.Background(), path, f, st.Size(), biopsy.Sink{
		Advisory: func(biopsy.Advisory) error { return nil },
		Bad:      func(biopsy.Gap) {},
	})
}
