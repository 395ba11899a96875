package vendor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// kernel: data/CVEs.txt of github.com/nluedtke/linux_kernel_cves (to 2024-04): for each CVE the commits and releases of the main line that
// brought and mended it. stream_fixes.json beside it, of the same list, has the fixes in stable branches; without it no stable release can
// be judged.
var kernel = form{"kernel", func(_ string, head []byte) bool {
	return bytes.HasPrefix(head, []byte("CVEid: (breaks) - (fixes) (versions)"))
}, readKernel}

// kernelStreams says nothing by itself: where a hole begins stands in the list of CVEs.
var kernelStreams = form{"kernel", func(name string, _ []byte) bool {
	return strings.Contains(path.Base(name), "stream_fixes.json")
}, func(s *source) error {
	_, err := streams(s.doc)
	return err
}}

// kernelLine is "CVE-2024-26805: 1853c94 - 661779e (v4.3-rc3 to v6.8-rc7)"; "(n/a)" and "unk" are not known.
var kernelLine = regexp.MustCompile(`^(CVE-\d{4}-\d+): (?:(\S+) - (\S+) )?\(?(?:(v[0-9][^ )]*|unk) to (v[0-9][^ )]*|unk)|([A-Z][^)]*))\)?$`)

func readKernel(s *source) error {
	byCVE, err := s.beside()
	if err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	for line := range strings.Lines(string(s.doc)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "CVEid:") {
			continue
		}
		m := kernelLine.FindStringSubmatch(line)
		if m == nil {
			s.bad(line, errors.New("not a line of the list"))
			continue
		}
		a := kernelAdvisory(m, byCVE)
		if len(a.Affected) == 0 {
			continue
		}
		if err := s.give(a); err != nil {
			return err
		}
	}
	return nil
}

// beside reads the file of stable branches in the same folder; nil when there is none. It is called as the list is, but for its end.
func (s *source) beside() (map[string]map[string]string, error) {
	prefix := strings.TrimSuffix(path.Base(s.name), "CVEs.txt")
	for _, name := range []string{"stream_fixes.json", "stream_fixes.json.gz"} {
		f, err := os.Open(path.Join(path.Dir(s.name), prefix+name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		doc, err := readAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		return streams(doc)
	}
	return nil, nil
}

// streams reads {"CVE-2024-1": {"5.10": {"cmt_id": "...", "fixed_version": "5.10.210"}}}: fixes by CVE and branch.
func streams(doc []byte) (map[string]map[string]string, error) {
	var all map[string]map[string]struct {
		Fixed string `json:"fixed_version"`
	}
	if err := json.Unmarshal(doc, &all); err != nil {
		return nil, fmt.Errorf("fixes of stable branches: %w", err)
	}
	out := make(map[string]map[string]string, len(all))
	for cve, branches := range all {
		out[cve] = make(map[string]string, len(branches))
		for b, f := range branches {
			if valid(b) && valid(f.Fixed) {
				out[cve][b] = f.Fixed
			}
		}
	}
	return out, nil
}

// kernelAdvisory affects nothing when the list knows of no version: holes of other makers' kernels, and those that nobody has looked into.
func kernelAdvisory(m []string, byCVE map[string]map[string]string) biopsy.Advisory {
	id, breaks, mends := m[1], m[4], m[5]
	a := biopsy.Advisory{ID: "LINUX-" + id, Aliases: []string{id}}
	af := biopsy.Affected{Ecosystem: "Linux", Name: "Kernel"}
	switch {
	case m[6] != "" || mends == "unk" && breaks == "unk": // "Vendor Specific", "CVE Caused by Backporting"
		for _, b := range slices.SortedFunc(maps.Keys(byCVE[id]), order) {
			af.Ranges = append(af.Ranges, stable(b, byCVE[id][b]))
		}
	case byCVE == nil:
		af.Status, af.Why = biopsy.Undetermined, "the list of fixes in stable branches is missing"
		af.Ranges = commits(m[2], m[3])
	default:
		af.Ranges = append(kernelRanges(breaks, mends, byCVE[id]), commits(m[2], m[3])...)
		if mends == "unk" {
			af.Status, af.Why = biopsy.Undetermined, "the list does not know what mended it"
		}
	}
	if len(af.Ranges) > 0 {
		a.Affected = []biopsy.Affected{af}
	}
	return a
}

// stable is a branch up to its fix.
func stable(branch, fixed string) biopsy.Range {
	return biopsy.Range{Type: "ECOSYSTEM", Events: []biopsy.Event{{Introduced: branch}, {Fixed: fixed}}}
}

// commits is the range of commits of the main line; none when neither is known.
func commits(breaks, mends string) []biopsy.Range {
	events := []biopsy.Event{{Introduced: "0"}}
	if isCommit(breaks) {
		events[0].Introduced = breaks
	}
	if isCommit(mends) {
		events = append(events, biopsy.Event{Fixed: mends})
	} else if events[0].Introduced == "0" {
		return nil
	}
	return []biopsy.Range{{Type: "GIT", Repo: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git", Events: events}}
}

// kernelRanges is the main line with the stable branches cut out where they were mended; behind 4.20 comes 4.21-rc1 here, which lies before
// 5.0-rc1 as it should. A branch older than the hole got it with a fix of something else.
func kernelRanges(breaks, mends string, branches map[string]string) []biopsy.Range {
	from := "0"
	if breaks != "unk" {
		from = strings.TrimPrefix(breaks, "v")
	}
	var out []biopsy.Range
	events, at := []biopsy.Event{{Introduced: from}}, ""
	for _, b := range slices.SortedFunc(maps.Keys(branches), order) {
		switch {
		case order(branches[b], from) <= 0:
			out = append(out, stable(b, branches[b]))
			continue
		case mends != "unk" && order(b, strings.TrimPrefix(mends, "v")) >= 0:
			continue // the branch began with it
		case at != "" && order(at, branches[b]) < 0:
			events = append(events, biopsy.Event{Introduced: at})
		}
		events, at = append(events, biopsy.Event{Fixed: branches[b]}), behind(b)+"-rc1"
	}
	if at != "" && (mends == "unk" || order(at, strings.TrimPrefix(mends, "v")) < 0) {
		events = append(events, biopsy.Event{Introduced: at})
	}
	if last := events[len(events)-1]; mends != "unk" && last.Fixed == "" {
		events = append(events, biopsy.Event{Fixed: strings.TrimPrefix(mends, "v")})
	}
	return append([]biopsy.Range{{Type: "ECOSYSTEM", Events: events}}, out...)
}

// isCommit holds that a text is a commit's name, not "(n/a)".
func isCommit(s string) bool {
	return len(s) >= 12 && len(s) <= 40 && strings.Trim(s, "0123456789abcdef") == ""
}
