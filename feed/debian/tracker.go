package debian

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// issue is one CVE in one source package. Fields that say nothing are left out by the tracker.
type issue struct {
	Description string             `json:"description"`
	Bug         int                `json:"debianbug"` // number in Debian's bug tracker; 0 when there is none
	Scope       string             `json:"scope"`     // "remote" or "local"; "" when nobody said
	Releases    map[string]release `json:"releases"`  // by codename
}

// release is the verdict for one release.
type release struct {
	Status      string `json:"status"`        // "resolved", "open", "undetermined"
	Fixed       string `json:"fixed_version"` // of "resolved"; "0" when no version of the release was ever affected
	Urgency     string `json:"urgency"`       // "low", "medium", "high", each perhaps with "*"; "unimportant", "end-of-life", "not yet assigned"
	NoDSA       string `json:"nodsa"`         // why there is no advisory of its own: "Minor issue"
	NoDSAReason string `json:"nodsa_reason"`  // "ignored", "postponed"; "" when a point release may bring the fix
}

// parseTracker reads {package: {issue: {...}}} issue by issue, so that memory does not grow with the file. The tracker gives no dates; its
// records are as old as the file, where the server said so.
func parseTracker(ctx context.Context, name string, r io.Reader, sink biopsy.Sink) error {
	t := &tracker{name: name, sink: sink, modified: download.Dated(name), meter: &meter{r: r}}
	t.d = json.NewDecoder(t.meter)
	t.meter.left = allowance
	err := t.packages(ctx)
	if err == nil {
		_, err = t.d.Token()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = errors.New("more behind the end")
		}
	}
	if errors.Is(err, errSink) {
		return errors.Unwrap(err)
	}
	return fmt.Errorf("read %s: at byte %d: %w", name, t.d.InputOffset(), err)
}

type tracker struct {
	name     string
	sink     biopsy.Sink
	modified time.Time
	meter    *meter
	d        *json.Decoder
}

// allowance is what the decoder may read ahead for one record.
const allowance = 2 * maxRecord

// meter ends a stream in which one record takes more than its allowance: the decoder would gather it in memory.
type meter struct {
	r    io.Reader
	left int
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("a record takes more than %d bytes", maxRecord)
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// errSink tells an error of the sink from one of the file.
var errSink = errors.New("sink")

type sinkError struct{ error }

func (e sinkError) Is(target error) bool { return target == errSink }
func (e sinkError) Unwrap() error        { return e.error }

func (t *tracker) packages(ctx context.Context) error {
	if err := t.open(); err != nil {
		return err
	}
	for t.d.More() {
		if err := ctx.Err(); err != nil {
			return sinkError{err}
		}
		pkg, err := t.key()
		if err != nil {
			return err
		}
		if err := t.issues(pkg); err != nil {
			return err
		}
	}
	_, err := t.d.Token()
	return err
}

func (t *tracker) issues(pkg string) error {
	if err := t.open(); err != nil {
		return fmt.Errorf("package %.80q: %w", pkg, err)
	}
	for t.d.More() {
		id, err := t.key()
		if err != nil {
			return err
		}
		t.meter.left = allowance
		at := t.d.InputOffset()
		var i issue
		err = t.d.Decode(&i)
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			t.sink.Bad(gap(t.name, at, "%.40s of %.80s: %v", id, pkg, err))
			continue
		}
		if err != nil {
			return err
		}
		if err := t.deliver(pkg, id, at, &i); err != nil {
			return err
		}
	}
	_, err := t.d.Token()
	return err
}

func (t *tracker) open() error {
	token, err := t.d.Token()
	if err == nil && token != json.Delim('{') {
		err = fmt.Errorf("%v where an object should begin", token)
	}
	return err
}

func (t *tracker) key() (string, error) {
	token, err := t.d.Token()
	s, _ := token.(string)
	return s, err
}

func (t *tracker) deliver(pkg, id string, at int64, i *issue) error {
	if pkg == "" || !isIssue(id) {
		t.sink.Bad(gap(t.name, at, "%.40q of package %.80q: no id of the tracker", id, pkg))
		return nil
	}
	a := i.advisory(pkg, id)
	a.Modified = t.modified
	for _, codename := range i.unknown() {
		t.sink.Bad(gap(t.name, at, "%.40s of %.80s: release %.40q has status %.40q", id, pkg, codename, i.Releases[codename].Status))
	}
	if err := t.sink.Advisory(a); err != nil {
		return sinkError{err}
	}
	return nil
}

// advisory makes a record of its own for each package: the same CVE in another package is far away in the file. They meet over Upstream.
func (i *issue) advisory(pkg, id string) biopsy.Advisory {
	a := biopsy.Advisory{ID: "DEBIAN-" + id + "/" + pkg, Source: "debian/tracker", Details: i.Description}
	if strings.HasPrefix(id, "CVE-") {
		a.Upstream = []string{id}
	}
	a.References = []biopsy.Reference{{Type: "ADVISORY", URL: "https://security-tracker.debian.org/tracker/" + id}}
	if i.Bug > 0 {
		a.References = append(a.References, biopsy.Reference{Type: "REPORT", URL: "https://bugs.debian.org/" + strconv.Itoa(i.Bug)})
	}
	if i.Scope != "" {
		a.Extra = map[string]string{"scope": i.Scope}
	}
	for codename, r := range i.Releases {
		if af, ok := r.affected(); ok {
			af.Ecosystem, af.Name = ecosystem(codename), pkg
			a.Affected = append(a.Affected, af)
		}
	}
	slices.SortFunc(a.Affected, func(x, y biopsy.Affected) int { return cmp.Compare(x.Ecosystem, y.Ecosystem) })
	a.Severity = i.severity()
	return a
}

// affected turns a verdict into words; false when its status is none we know.
func (r release) affected() (biopsy.Affected, bool) {
	var af biopsy.Affected
	urgency := strings.TrimRight(r.Urgency, "*")
	if urgency != "" && urgency != "not yet assigned" {
		af.Extra = map[string]string{"urgency": urgency}
	}
	switch r.Status {
	case "resolved":
		r.resolved(&af)
	case "undetermined":
		af.Status, af.Why = biopsy.Undetermined, "undetermined"
	case "open":
		af.Ranges = until("")
		switch {
		case urgency == "end-of-life":
			af.Status, af.Why = biopsy.WillNotFix, because("end-of-life", r.NoDSA)
		case r.NoDSAReason != "":
			af.Status, af.Why = biopsy.WillNotFix, because(r.NoDSAReason, r.NoDSA)
		case r.NoDSA != "":
			af.Why = because("no-dsa", r.NoDSA)
		}
	default:
		return af, false
	}
	return af, true
}

func (r release) resolved(af *biopsy.Affected) {
	switch r.Fixed {
	case "0":
		af.Status, af.Why = biopsy.NotAffected, "resolved, fixed_version 0"
	case "":
		af.Status, af.Why = biopsy.Undetermined, "resolved, but no version is given"
	default:
		af.Ranges = until(r.Fixed)
	}
}

// until is the range from the first version up to a fix; "" is no fix.
func until(fixed string) []biopsy.Range {
	events := []biopsy.Event{{Introduced: "0"}}
	if fixed != "" {
		events = append(events, biopsy.Event{Fixed: fixed})
	}
	return []biopsy.Range{{Type: "ECOSYSTEM", Events: events}}
}

// because joins Debian's word and the sentence beside it.
func because(word, says string) string {
	if says == "" {
		return word
	}
	return word + ": " + says
}

// unknown lists releases whose status is none we know, sorted.
func (i *issue) unknown() []string {
	var out []string
	for codename, r := range i.Releases {
		if r.Status != "resolved" && r.Status != "open" && r.Status != "undetermined" {
			out = append(out, codename)
		}
	}
	slices.Sort(out)
	return out
}

// severity is the highest urgency that Debian gives in any release; nothing when it gives none.
func (i *issue) severity() []biopsy.Severity {
	words := []string{"unimportant", "low", "medium", "high"}
	top := -1
	for _, r := range i.Releases {
		top = max(top, slices.Index(words, strings.TrimRight(r.Urgency, "*")))
	}
	if top < 0 {
		return nil
	}
	return []biopsy.Severity{{Type: "word", Vector: strings.ToUpper(words[top]), Source: "debian"}}
}
