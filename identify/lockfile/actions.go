package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Actions reads the steps and images of GitHub workflows and composite actions (docs.github.com, "Workflow syntax", 2026): tools of the build.
var Actions = reader("github-actions", biopsy.Declared, actions, ".github/workflows/*.yml", ".github/workflows/*.yaml", "action.yml", "action.yaml")

func actions(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(raw)), "-"))
		key, word, _ := strings.Cut(s, ":")
		word, _, _ = strings.Cut(word, " #")
		word = strings.Trim(strings.TrimSpace(word), `"'`)
		if word == "" {
			continue
		}
		c := biopsy.Claim{}
		switch key {
		case "uses":
			c = action(word)
		case "container": // of a job
			if !strings.HasPrefix(word, "{") && !strings.Contains(word, "${{") && strings.Contains(d.Path, "workflows/") {
				c = dockerImage(word)
			}
		default:
			continue
		}
		c.Scope = biopsy.Development
		d.add(line, c)
	}
	return nil
}

// action reads "owner/name/path@ref" and "docker://image:tag"; what starts with "./" is in the same tree.
func action(uses string) biopsy.Claim {
	if image, ok := strings.CutPrefix(uses, "docker://"); ok {
		return dockerImage(image)
	}
	full, ref, ok := strings.Cut(uses, "@")
	parts := strings.Split(full, "/")
	if !ok || len(parts) < 2 || strings.HasPrefix(uses, ".") || strings.Contains(uses, "${{") {
		return biopsy.Claim{}
	}
	return pkg("github", parts[0]+"/"+parts[1], ref)
}
