package truth

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/scan"
)

// corpus is a large tree with a truth.json, below the folder that BIOPSY_CORPORA names.
type corpus struct {
	target, truth string
	eco           string
	list          string                   // key of the list in truth.json
	norm          func(name string) string // spelling that both sides are brought to
	least         float64                  // precision and recall that must be reached
}

type entry struct{ Name, Version string }

var (
	epoch  = regexp.MustCompile(`^\d+:`)
	pyName = regexp.MustCompile(`[-_.]+`)
	goVer  = regexp.MustCompile(`^(v|go)`)
)

func same(s string) string { return s }
func pep503(s string) string {
	return strings.ToLower(pyName.ReplaceAllString(s, "-"))
}

var corpora = []corpus{
	{"debian-amd64/rootfs", "debian-amd64/truth.json", "deb", "packages", same, 0.99},
	{"device-armhf/rootfs", "device-armhf/truth.json", "deb", "packages", same, 0.99},
	{"npm-app/tree", "npm-app/truth.json", "npm", "npm|components", same, 0.99},
	{"go-monorepo/tree", "go-monorepo/truth.json", "golang", "components", strings.ToLower, 0.99},
	{"go-binaries/bin", "go-binaries/truth.json", "golang", "components", strings.ToLower, 0.99},
	{"java-app/tree", "java-app/truth.json", "maven", "components", same, 0.99},
	{"python-app/tree", "python-app/truth.json", "pypi", "components", pep503, 0.99},
	{"image/image.tar", "image/truth.json", "deb", "packages", same, 0.99},
	{"image/image.tar", "image/truth.json", "npm", "npm|components", same, 0.99},
}

// TestCorpora measures on the built corpora, at both depths that name packages.
func TestCorpora(t *testing.T) {
	root := os.Getenv("BIOPSY_CORPORA")
	if root == "" {
		t.Skip("BIOPSY_CORPORA names no folder of built corpora")
	}
	for _, c := range corpora {
		for _, depth := range []biopsy.Depth{biopsy.Quick, biopsy.Standard} {
			t.Run(c.target+"/"+c.eco+"/"+string(depth), func(t *testing.T) {
				if _, err := os.Stat(filepath.Join(root, c.truth)); err != nil {
					t.Skip(err)
				}
				want, found := c.wanted(t, root), c.found(run(t, filepath.Join(root, c.target), scan.Options{Depth: depth}).Inventory)
				var s score
				for k := range want {
					if found[k] {
						s.right++
					} else {
						s.missed++
						t.Logf("missed %s", k)
					}
				}
				for k := range found {
					if !want[k] {
						s.wrong++
						t.Logf("wrong %s", k)
					}
				}
				t.Logf("precision %.4f (%d wrong), recall %.4f (%d missed), %d right", s.precision(), s.wrong, s.recall(), s.missed, s.right)
				if s.precision() < c.least || s.recall() < c.least {
					t.Errorf("below %.2f", c.least)
				}
			})
		}
	}
}

func (c corpus) key(name, version string) string {
	version = epoch.ReplaceAllString(version, "")
	if c.eco == "golang" {
		version = goVer.ReplaceAllString(strings.ReplaceAll(version, "+incompatible", ""), "")
	}
	return c.norm(name) + "@" + version
}

func (c corpus) wanted(t *testing.T, root string) map[string]bool {
	b, err := os.ReadFile(filepath.Join(root, c.truth))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, list := range strings.Split(c.list, "|") {
		var entries []entry
		if doc[list] == nil {
			continue
		}
		if err := json.Unmarshal(doc[list], &entries); err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, e := range entries {
			want[c.key(e.Name, e.Version)] = true
		}
		return want
	}
	t.Fatalf("%s has no list %s", c.truth, c.list)
	return nil
}

func (c corpus) found(inv biopsy.Inventory) map[string]bool {
	found := map[string]bool{}
	for _, x := range inv.Components {
		if x.Eco != c.eco {
			continue
		}
		name := x.Name
		if x.Namespace != "" && (c.eco == "npm" || c.eco == "golang") {
			name = x.Namespace + "/" + x.Name
		}
		found[c.key(name, x.Version)] = true
	}
	return found
}
