// Package debian brings what Debian's security team decides into the book of advisories.
//
// In: the security tracker's JSON (tracker/data/json, as tracker_service.py of 2026-08 writes it), and its lists of advisories
// (data/DSA/list, data/DLA/list, data/DTSA/list). Out: one advisory per CVE and source package with a verdict for each release, one per
// notice, and a gap for each record that cannot be read. It keeps Debian's verdicts as they are and never compares versions.
package debian

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Feed is Debian's security tracker.
var Feed = biopsy.Feed{Name: "debian", Match: match, Parse: parse, Fetch: fetch}

// Bounds: the tracker has 78 MB, its largest record some 10 kB; a list of advisories has 2 MB.
const (
	maxTracker = 2 << 30
	maxRecord  = 1 << 20
	maxList    = 256 << 20
)

func match(_ string, head []byte) bool {
	return isTracker(head) || isList(head)
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	head := make([]byte, min(size, 4<<10))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	in := io.NewSectionReader(r, 0, size)
	if isTracker(head) {
		if size > maxTracker {
			return fmt.Errorf("read %s: %d bytes, more than the tracker may have (%d)", name, size, maxTracker)
		}
		return parseTracker(ctx, name, in, sink)
	}
	if size > maxList {
		return fmt.Errorf("read %s: %d bytes, more than a list may have (%d)", name, size, maxList)
	}
	return parseList(ctx, name, in, sink)
}

// isTracker knows {"package":{"CVE-2024-1":{...: the second key is an id, the third value an object.
func isTracker(head []byte) bool {
	d := json.NewDecoder(bytes.NewReader(head))
	for i, want := range []json.Token{json.Delim('{'), nil, json.Delim('{'), nil, json.Delim('{')} {
		t, err := d.Token()
		if err != nil || want != nil && t != want {
			return false
		}
		if s, ok := t.(string); i == 3 && !(ok && isIssue(s)) {
			return false
		}
	}
	return true
}

// isIssue knows the tracker's names: CVEs, and TEMP ids of holes that have none yet.
func isIssue(s string) bool { return strings.HasPrefix(s, "CVE-") || strings.HasPrefix(s, "TEMP-") }

// older are releases that purls never name.
var older = map[string]string{"potato": "2.2", "woody": "3.0", "sarge": "3.1", "etch": "4", "lenny": "5", "squeeze": "6", "duke": "15"}

// ecosystem is OSV's name for a release: "Debian:12" for "bookworm". Releases without a number keep their name: "Debian:sid".
func ecosystem(codename string) string {
	if n, ok := older[codename]; ok {
		return "Debian:" + n
	}
	if name, number, ok := eco.For("deb", codename); ok && name == "Debian" {
		return "Debian:" + number
	}
	return "Debian:" + codename
}

func gap(name string, offset int64, format string, args ...any) biopsy.Gap {
	return biopsy.Gap{Place: biopsy.Place{Path: name, Offset: offset}, Reader: "debian", Reason: fmt.Sprintf(format, args...)}
}
