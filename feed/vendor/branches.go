package vendor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// interval is a run of affected versions as makers write them.
type interval struct {
	from string // "0" is the first version
	last string // the last affected; "" goes on until a fix
	end  string // the first version that is not affected any more, where the maker says that instead; "" else
}

// order puts makers' versions in order; "0" is before all. What does not parse is equal to all.
func order(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "0":
		return -1
	case b == "0":
		return 1
	}
	c, err := eco.Compare("Upstream", a, b)
	if err != nil {
		return 0
	}
	return c
}

// valid says whether the order knows a version.
func valid(v string) bool { return v == "0" || eco.Valid("Upstream", v) == nil }

// branched lays fixes over intervals. A fix such as 2.28.8 mends its branch 2.28 from there on; the next branch, 2.29 and later, is affected
// until its own fix. A fix X.Y.0 is a release with new features: all of major version X behind it has it. The first fix behind an interval
// is its end, unless another interval begins before it.
func branched(list []interval, fixes []string) []biopsy.Range {
	fixes = slices.Clone(fixes)
	slices.SortFunc(fixes, order)
	fixes = slices.Compact(fixes)
	list = joined(list)
	var out []biopsy.Range
	for i, iv := range list {
		limit := ""
		if i+1 < len(list) {
			limit = list[i+1].from
		}
		if events := iv.events(fixes, limit); len(events) > 0 {
			out = append(out, biopsy.Range{Type: "ECOSYSTEM", Events: events})
		}
	}
	return out
}

// joined sorts intervals, drops empty ones, and makes one of those that overlap or touch: 1.25.0-1.25.5 and 1.26.0.
func joined(list []interval) []interval {
	list = slices.DeleteFunc(slices.Clone(list), func(iv interval) bool { return iv.end != "" && order(iv.from, iv.end) >= 0 })
	slices.SortStableFunc(list, func(a, b interval) int { return order(a.from, b.from) })
	var out []interval
	for _, iv := range list {
		n := len(out) - 1
		switch {
		case n < 0 || !out[n].meets(iv.from):
			out = append(out, iv)
		case out[n].ending() != "" && (iv.ending() == "" || order(iv.ending(), out[n].ending()) > 0):
			out[n].last, out[n].end = iv.last, iv.end
		}
	}
	return out
}

// meets says whether nothing lies between an interval and what begins at from.
func (iv interval) meets(from string) bool {
	if iv.ending() == "" || order(from, iv.ending()) <= 0 {
		return true
	}
	major, minor, patch := numbers(iv.last)
	return iv.last != "" && (order(from, fmt.Sprintf("%d.%d.0", major, minor+1)) == 0 || order(from, fmt.Sprintf("%d.%d.%d", major, minor, patch+1)) == 0)
}

// events of one interval; limit is where the next one begins, "" when there is none.
func (iv interval) events(fixes []string, limit string) []biopsy.Event {
	events := []biopsy.Event{{Introduced: iv.from}}
	mended, at := false, "" // whether the last event is a fix, and where the branch behind it begins
	for _, f := range fixes {
		if order(f, iv.from) <= 0 || iv.last != "" && order(f, iv.last) > 0 || iv.end != "" && order(f, iv.end) >= 0 {
			continue
		}
		if iv.last != "" && branch(f) == branch(iv.last) {
			continue // a later version of the branch is affected again, or by another half of the hole
		}
		if mended {
			switch c := order(at, f); {
			case c > 0:
				continue // of the branch that is mended already
			case c == 0:
				at = next(f)
				continue
			}
			events = append(events, biopsy.Event{Introduced: at})
		}
		events, mended, at = append(events, biopsy.Event{Fixed: f}), true, next(f)
	}
	switch {
	case mended && iv.last == "" && iv.end == "":
		return events // all later branches have it
	case mended && (iv.last != "" && order(at, iv.last) > 0 || iv.end != "" && order(at, iv.end) >= 0):
		return events
	case mended:
		events = append(events, biopsy.Event{Introduced: at})
	}
	return append(events, iv.close(fixes, limit)...)
}

// ending is the last version that is spoken of; "" when an interval goes on.
func (iv interval) ending() string {
	if iv.last != "" {
		return iv.last
	}
	return iv.end
}

// close is the event that ends an interval, none when it is open.
func (iv interval) close(fixes []string, limit string) []biopsy.Event {
	switch {
	case iv.end != "":
		return []biopsy.Event{{Fixed: iv.end}}
	case iv.last == "":
		return nil
	}
	for _, f := range fixes {
		if order(f, iv.last) > 0 {
			if limit == "" || order(f, limit) <= 0 {
				return []biopsy.Event{{Fixed: f}}
			}
			break
		}
	}
	return []biopsy.Event{{LastAffected: iv.last}}
}

// numbers are the first three of a version, zero where there are fewer.
func numbers(version string) (major, minor, patch int) {
	var out [3]int
	for i, p := range strings.FieldsFunc(version, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(p); err == nil && i < len(out) {
			out[i] = n // else a run of digits that no version has
		}
	}
	return out[0], out[1], out[2]
}

// branch is "2.28" of "2.28.8".
func branch(version string) string {
	major, minor, _ := numbers(version)
	return fmt.Sprintf("%d.%d", major, minor)
}

// behind is the branch behind that of a version: "2.29" behind "2.28.8".
func behind(version string) string {
	major, minor, _ := numbers(version)
	return fmt.Sprintf("%d.%d", major, minor+1)
}

// next is what a fix does not mend: "2.29" for "2.28.8", "3" for "2.28.0".
func next(fix string) string {
	if major, _, patch := numbers(fix); patch == 0 {
		return strconv.Itoa(major + 1)
	}
	return behind(fix)
}
