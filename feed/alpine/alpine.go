// Package alpine brings the security databases of apk distributions into the book of advisories.
//
// In: secdb documents of Alpine (secdb.alpinelinux.org, BRANCH/main.json and community.json), and those of Wolfi and Chainguard
// (security.json), which have the same form (wolfi-dev/os, SECDB.md of 2022). Out: one advisory per document and hole, and a gap for each
// package or id that cannot be read. A secdb names what was fixed and what never was affected; of open holes it knows nothing.
package alpine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Feed is the secdb feed.
var Feed = biopsy.Feed{Name: "alpine", Match: match, Parse: parse, Fetch: fetch}

// maxDocument bounds one document: Wolfi's has some 10 MB.
const maxDocument = 256 << 20

func match(_ string, head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"apkurl"`)) && bytes.Contains(head, []byte(`"reponame"`))
}

// document is a secdb.
type document struct {
	URLPrefix string            `json:"urlprefix"`     // "https://dl-cdn.alpinelinux.org/alpine"
	Repo      string            `json:"reponame"`      // "main", "community"; "os", "chainguard"
	Branch    string            `json:"distroversion"` // "v3.20", "edge"; "" outside Alpine
	Packages  []json.RawMessage `json:"packages"`
}

// entry is an element of "packages".
type entry struct {
	Pkg struct {
		Name     string              `json:"name"`
		Secfixes map[string][]string `json:"secfixes"` // by version: what it fixed. "0" is what no version had
	} `json:"pkg"`
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	if size > maxDocument {
		return fmt.Errorf("read %s: %d bytes, more than a secdb may have (%d)", name, size, maxDocument)
	}
	raw := make([]byte, size)
	if n, err := r.ReadAt(raw, 0); n < len(raw) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("read %s: not a secdb: %w", name, err)
	}
	d, err := doc.distribution()
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	b := &book{name: name, distribution: d, sink: sink, modified: download.Dated(name), records: map[string]*biopsy.Advisory{}}
	for i, p := range doc.Packages {
		b.add(i, p)
	}
	for _, id := range slices.Sorted(maps.Keys(b.records)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := sink.Advisory(*b.records[id]); err != nil {
			return err
		}
	}
	return nil
}

// distribution is whose secdb a document is.
type distribution struct {
	ecosystem string // "Alpine:v3.20", "Wolfi"
	prefix    string // of ids: "ALPINE"
	part      string // behind ids, and of the source: "v3.20/main"
}

var branch = regexp.MustCompile(`^(v\d{1,3}\.\d{1,3}|edge)$`)

// folder is the part of the feed: branches have one for both repositories.
func (d *distribution) folder() string {
	folder, _, _ := strings.Cut(d.part, "/")
	return folder
}

func (d *document) distribution() (distribution, error) {
	switch {
	case strings.Contains(d.URLPrefix, "wolfi") || d.Repo == "wolfi":
		return distribution{"Wolfi", "WOLFI", "wolfi"}, nil
	case strings.Contains(d.URLPrefix, "cgr.dev") || d.Repo == "chainguard":
		return distribution{"Chainguard", "CHAINGUARD", "chainguard"}, nil
	case branch.MatchString(d.Branch) && (d.Repo == "main" || d.Repo == "community"):
		return distribution{"Alpine:" + d.Branch, "ALPINE", d.Branch + "/" + d.Repo}, nil
	}
	return distribution{}, fmt.Errorf("a secdb of no distribution known: branch %.40q, repository %.40q, %.80q", d.Branch, d.Repo, d.URLPrefix)
}

// book gathers the fixes of a document by hole.
type book struct {
	distribution
	name     string
	sink     biopsy.Sink
	modified time.Time
	records  map[string]*biopsy.Advisory // by hole
}

func (b *book) bad(format string, args ...any) {
	b.sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: b.name}, Reader: "alpine", Reason: fmt.Sprintf(format, args...)})
}

func (b *book) add(i int, raw json.RawMessage) {
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		b.bad("package %d: %v", i+1, err)
		return
	}
	if e.Pkg.Name == "" {
		b.bad("package %d has no name", i+1)
		return
	}
	for _, version := range slices.Sorted(maps.Keys(e.Pkg.Secfixes)) {
		if err := eco.Valid("Alpine", version); err != nil && version != "0" {
			b.bad("%.80s: %v", e.Pkg.Name, err)
			continue
		}
		for _, text := range e.Pkg.Secfixes[version] {
			b.fix(e.Pkg.Name, version, text)
		}
	}
}

// fix notes what an entry such as "CVE-2019-17340 XSA-284" says. An advisory of others beside a CVE often is about several CVEs, so it
// leads to the record but makes no two holes one.
func (b *book) fix(pkg, version, text string) {
	holes, others := ids(text)
	if len(holes) == 0 {
		b.bad("%.80s %.40s: %.80q names nothing", pkg, version, text)
	}
	for _, id := range holes {
		a := b.records[id]
		if a == nil {
			a = &biopsy.Advisory{ID: b.prefix + "-" + id + "/" + b.part, Upstream: []string{id}, Modified: b.modified, Source: "alpine/" + b.folder()}
			b.records[id] = a
		}
		for _, o := range others {
			if len(a.Upstream) < maxOthers && !slices.Contains(a.Upstream, o) {
				a.Upstream = append(a.Upstream, o)
			}
		}
		b.affect(a, pkg, version)
	}
}

// affect adds the fix of a package. Where an entry stands under two versions, the later one counts: the earlier did not do.
func (b *book) affect(a *biopsy.Advisory, pkg, version string) {
	i := len(a.Affected) - 1 // packages come one after the other
	if i < 0 || a.Affected[i].Name != pkg {
		i++
		a.Affected = append(a.Affected, biopsy.Affected{Ecosystem: b.ecosystem, Name: pkg, Status: biopsy.NotAffected, Why: "fixed in version 0: never affected"})
	}
	if version == "0" {
		return
	}
	af := &a.Affected[i]
	if len(af.Ranges) > 0 {
		if c, err := eco.Compare("Alpine", version, af.Ranges[0].Events[1].Fixed); err != nil || c <= 0 {
			return // both were found valid before, so there is no error
		}
	}
	af.Status, af.Why = "", ""
	af.Ranges = []biopsy.Range{{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: "0"}, {Fixed: version}}}}
}

// maxOthers bounds the other ids of a hole.
const maxOthers = 100

// known is an id of some list: "CVE-2024-1", "XSA-284", "GHSA-aaaa-bbbb-cccc", "ZBX-11023".
var known = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Za-z0-9]+)+$`)

var cve = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

// ids parts the CVEs of an entry from other ids in it; without a CVE the others are the holes. Words that are no ids are left out.
func ids(text string) (holes, others []string) {
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,;()", r) }) {
		if len(f) > 4 && strings.EqualFold(f[:3], "CVE") && (f[3] == '_' || f[3] == '-') {
			f = "CVE-" + f[4:] // slips that are in the data
		}
		switch {
		case len(f) > 64 || !strings.ContainsAny(f, "0123456789") && !strings.HasPrefix(f, "GHSA-"):
		case cve.MatchString(f):
			holes = append(holes, f)
		case known.MatchString(f) && !strings.HasPrefix(f, "CVE-"):
			others = append(others, f)
		}
	}
	if len(holes) == 0 {
		return others, nil
	}
	return holes, others
}
