package refdb

import (
	"strings"

	"github.com/biopsy-sca/biopsy/eco"
)

// normalizeName writes a name as its ecosystem compares it, so that one package has one key.
func normalizeName(ecosystem, name string) string {
	if ecosystem == "GIT" {
		return repoName(name)
	}
	return eco.NormalizeName(ecosystem, name)
}

// repoName strips what does not tell repositories apart: scheme, ".git", a slash at the end, case.
func repoName(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(url, "/"), ".git"))
}
