package installed

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// PythonFolder reads what stands beside a distribution's metadata: its file list (RECORD, PEP 376 and 627; installed-files.txt),
// where it came from (direct_url.json, PEP 610), and the requirements of eggs (requires.txt). All only add to the distribution.
var PythonFolder = biopsy.Extractor{
	Name:    "python-folder",
	Basis:   biopsy.Manifest,
	Names:   []string{"RECORD", "installed-files.txt", "direct_url.json", "requires.txt"},
	Wants:   func(p string) bool { _, _, ok := pythonFolderName(p); return ok },
	Extract: pythonFolder,
}

// pythonFolderName takes name and version from the folder: "foo_bar-1.2.dist-info". An egg inside a folder "x.egg" has none.
func pythonFolderName(p string) (name, version string, ok bool) {
	folder := path.Base(path.Dir(p))
	stem, isDist := strings.CutSuffix(folder, ".dist-info")
	if !isDist {
		if stem, ok = strings.CutSuffix(folder, ".egg-info"); !ok {
			return "", "", false
		}
	}
	name, version, _ = strings.Cut(stem, "-")
	version, _, _ = strings.Cut(version, "-py") // eggs end in the Python they are for
	return eco.NormalizeName("PyPI", name), version, name != ""
}

func pythonFolder(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	limit := int64(maxText)
	if path.Base(in.Path) == "requires.txt" {
		limit = maxHeaders
	}
	b, err := whole(in, limit)
	if err != nil {
		return err
	}
	name, version, _ := pythonFolderName(in.Path)
	c := biopsy.Claim{Eco: "pypi", Name: name, Version: version, About: true, State: biopsy.Installed}
	folder := path.Dir(in.Path)
	switch path.Base(in.Path) {
	case "RECORD":
		err = record(&c, b, path.Dir(folder))
	case "installed-files.txt":
		for line := range bytes.Lines(b) {
			if f := strings.TrimSpace(string(line)); f != "" {
				c.Owns = append(c.Owns, biopsy.HashPath(path.Join(folder, f)))
			}
		}
	case "requires.txt":
		eggNeeds(&c, b)
	case "direct_url.json":
		var origin struct {
			URL string `json:"url"`
			VCS struct {
				Commit string `json:"commit_id"`
			} `json:"vcs_info"`
		}
		if err := json.Unmarshal(b, &origin); err != nil {
			return fmt.Errorf("parse: %w", err)
		}
		if c.Download = origin.URL; origin.VCS.Commit != "" {
			c.Repository = origin.URL
			c.Extra = map[string]string{"python:commit": origin.VCS.Commit}
		}
	}
	sheet{in, "python-folder", biopsy.Manifest, emit}.say(c, sureProperties)
	return err
}

// record reads RECORD: "path,hash,size" lines, relative to the folder that packages are in.
func record(c *biopsy.Claim, b []byte, site string) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("parse: %w", err)
		}
		p := row[0]
		if !path.IsAbs(p) {
			p = path.Join(site, p)
		}
		c.Owns = append(c.Owns, biopsy.HashPath(p))
	}
}

// eggNeeds reads requires.txt of setuptools: requirements, then "[extra]" or "[extra:marker]" sections; "[:marker]" is no extra.
func eggNeeds(c *biopsy.Claim, b []byte) {
	scope := biopsy.Runtime
	for line := range bytes.Lines(b) {
		s := strings.TrimSpace(string(line))
		if strings.HasPrefix(s, "[") {
			if scope = biopsy.Optional; strings.HasPrefix(s, "[:") {
				scope = biopsy.Runtime
			}
			continue
		}
		if n, ok := requirement(s); ok && !strings.HasPrefix(s, "#") {
			n.Scope = scope
			c.Needs = require(c.Needs, n)
		}
	}
}
