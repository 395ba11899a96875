package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// CartfileLock reads Cartfile.resolved (Carthage 0.40).
var CartfileLock = reader("cartfile-resolved", biopsy.Locked, cartfileLock, "Cartfile.resolved")

func cartfileLock(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		words := strings.Fields(strings.ReplaceAll(string(raw), `"`, " "))
		if len(words) != 3 {
			continue
		}
		switch words[0] {
		case "github":
			repo := words[1]
			if !strings.Contains(repo, "://") {
				repo = "https://github.com/" + repo
			}
			d.add(line, hosted(repo, words[2]))
		case "git":
			d.add(line, hosted(words[1], words[2]))
		case "binary":
			c := unnamed("generic", strings.TrimSuffix(words[1][strings.LastIndexByte(words[1], '/')+1:], ".json"), words[2])
			c.Download = webURL(words[1])
			d.add(line, c)
		}
	}
	return nil
}
