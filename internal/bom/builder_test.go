package bom

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	biopsy "github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

func TestBuilderFoldsAndResolves(t *testing.T) {
	var b Builder
	b.Artifact("root", 0)
	b.Hint("root", "a")
	b.Hint("a", "late")
	b.Hint("a", "b")
	b.Relate("a", "b", biopsy.Contains, "")
	b.Relate("a", "nowhere", biopsy.DependsOn, "")
	b.Relate("a", "a2", biopsy.DependsOn, "")
	a := b.Add("a", biopsy.Component{Name: "a", Purl: "pkg:npm/a@1", CPEs: []string{"x"}, Scope: biopsy.Development, Extra: map[string]string{"k": "1"}})
	if got := b.Add("a2", biopsy.Component{Name: "a", Purl: "pkg:npm/a@1", Supplier: "s", CPEs: []string{"x", "y"}, Scope: biopsy.Runtime, Extra: map[string]string{"k": "2", "l": "3"}}); got != a {
		t.Errorf("one purl, two ids: %s and %s", a, got)
	}
	bID, late := b.Add("b", biopsy.Component{Name: "b"}), b.Add("late", biopsy.Component{Name: "late"})
	b.Artifact("b", 0)
	inv := b.Inventory("doc", "reader")
	want := []biopsy.Relation{{From: a, To: bID, Kind: biopsy.Contains}, {From: a, To: late, Kind: biopsy.DependsOn}, {From: "artifact:0", To: a, Kind: biopsy.Contains}}
	if !reflect.DeepEqual(inv.Relations, want) {
		t.Errorf("got %+v, want %+v", inv.Relations, want)
	}
	if len(inv.Components) != 3 || len(inv.Gaps) != 2 {
		t.Fatalf("got %d components and gaps %+v", len(inv.Components), inv.Gaps)
	}
	for _, c := range inv.Components {
		if c.ID == a && (c.Supplier != "s" || c.Scope != biopsy.Runtime || len(c.CPEs) != 2 || c.Extra["k"] != "1" || c.Extra["l"] != "3") {
			t.Errorf("folded into %+v", c)
		}
	}
}

func TestDemote(t *testing.T) {
	var b Builder
	b.Add("app", biopsy.Component{Name: "app"})
	lib := b.Add("lib", biopsy.Component{Name: "lib"})
	b.Relate("app", "lib", biopsy.DependsOn, "")
	b.Demote("app", 0)
	inv := b.Inventory("doc", "reader")
	if len(inv.Components) != 1 || len(inv.Relations) != 1 || inv.Relations[0].From != "artifact:0" || inv.Relations[0].To != lib {
		t.Errorf("got %+v", inv)
	}
}

func TestGapsAreBounded(t *testing.T) {
	var b Builder
	for range 2 * MaxGaps {
		b.Gap(biopsy.Gap{Reason: "x"})
	}
	inv := b.Inventory("doc", "reader")
	if got, want := len(inv.Gaps), MaxGaps+1; got != want || !strings.Contains(inv.Gaps[MaxGaps].Reason, "1000 more") {
		t.Errorf("got %d gaps, want %d; the last is %+v", got, want, inv.Gaps[len(inv.Gaps)-1])
	}
}

// What a note says turns what a format could hold into the component itself, hostile words cleaned.
func TestNoteRoundTrip(t *testing.T) {
	for _, c := range bomtest.Scan().Components {
		missing, err := Missing(&biopsy.Component{}, &c)
		if err != nil {
			t.Fatal(err)
		}
		properties, ok := ReadNote(Note(append(Properties(&c, nil), missing...)))
		if !ok {
			t.Fatal("a note is not read as one")
		}
		got := biopsy.Component{ID: c.ID}
		for _, p := range properties {
			Set(&got, p.Name, p.Value)
		}
		Attest(&got, "", biopsy.Place{})
		if !reflect.DeepEqual(got, c) {
			t.Errorf("got  %+v\nwant %+v", got, c)
		}
	}
	for _, text := range []string{"", "biopsy", "biopsy 12", "a note"} {
		if _, ok := ReadNote(text); ok {
			t.Errorf("%q is taken for a note of ours", text)
		}
	}
}

func TestUUID(t *testing.T) {
	a, b := bomtest.Scan(), bomtest.Scan()
	one, err := UUID(a)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := UUID(b); err != nil || two != one {
		t.Errorf("the same scan: got %s and %s, %v", one, two, err)
	}
	b.Findings[0].Answer = biopsy.No
	if two, err := UUID(b); err != nil || two == one {
		t.Errorf("another answer: got %s twice, %v", one, err)
	}
	if len(one) != 36 || one[14] != '5' || strings.IndexByte("89ab", one[19]) < 0 {
		t.Errorf("%s is no UUID of version 5", one)
	}
}

func TestDated(t *testing.T) {
	for _, c := range []struct {
		s    biopsy.Scan
		want string
	}{
		{biopsy.Scan{Created: "2026-01-02T03:04:05+01:00"}, "2026-01-02T02:04:05Z"},
		{biopsy.Scan{Options: biopsy.Options{AsOf: "2026-01-02"}}, "2026-01-02T00:00:00Z"},
		{biopsy.Scan{Options: biopsy.Options{AsOf: "2026-01-02"}, Books: []biopsy.Book{{Built: "2026-02-03T04:05:06Z"}}}, "2026-02-03T04:05:06Z"},
		{biopsy.Scan{}, "1970-01-01T00:00:00Z"},
	} {
		if got := Dated(&c.s); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// broken fails after some bytes.
type broken struct{ r io.Reader }

var errBroken = errors.New("cable pulled")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

func TestJSONTellsBrokenFromOdd(t *testing.T) {
	s := NewJSON(broken{strings.NewReader(`{"a": [1, 2`)})
	err := s.Object("top", func(key string) error { return s.Array(key, func(int) error { return s.Skip(key) }) })
	if !errors.Is(err, errBroken) || !s.Broken() {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestKeepNumbersRepetitions(t *testing.T) {
	var c biopsy.Component
	for _, v := range []string{"a", "b", "c", "d"} {
		Keep(&c, "property:x", v)
	}
	want := map[string]string{"property:x": "a", "property:x#2": "b", "property:x#3": "c", "property:x#4": "d"}
	if !reflect.DeepEqual(c.Extra, want) {
		t.Errorf("got %v, want %v", c.Extra, want)
	}
	c.Extra["property:y#1"] = "e"
	if got, want := len(Properties(&c, nil)), 5; got != want {
		t.Errorf("got %d properties, want %d", got, want)
	}
	for _, p := range Properties(&c, nil) {
		if p.Name != "x" && p.Name != "y#1" {
			t.Errorf("property %q is none that was kept", p.Name)
		}
	}
}
