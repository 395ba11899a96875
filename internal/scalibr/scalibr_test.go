package scalibr

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/osv"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/log"
	"github.com/google/osv-scalibr/plugin"

	"github.com/biopsy-sca/biopsy"
)

// plain is a plugin that reads "name version" lines, and misbehaves on two words.
type plain struct{}

func (plain) Name() string                       { return "test/plain" }
func (plain) Version() int                       { return 0 }
func (plain) Requirements() *plugin.Capabilities { return &plugin.Capabilities{} }
func (plain) FileRequired(api filesystem.FileAPI) bool {
	return strings.HasSuffix(api.Path(), "x.lock")
}

func (plain) Extract(_ context.Context, in *filesystem.ScanInput) (inventory.Inventory, error) {
	log.Warnf("never seen")
	b, err := io.ReadAll(in.Reader)
	if err != nil {
		return inventory.Inventory{}, err
	}
	var inv inventory.Inventory
	for i, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		switch name, version, _ := strings.Cut(l, " "); name {
		case "panic":
			panic("index out of range")
		case "fail":
			return inv, errors.New("bad line")
		default:
			inv.Packages = append(inv.Packages, &extractor.Package{
				Name: name, Version: version, PURLType: "npm", Licenses: []string{"MIT"},
				SourceCode: &extractor.SourceCodeIdentifier{Repo: "https://git.example/r", Commit: "abc"},
				Metadata:   &osv.DepGroupMetadata{DepGroupVals: []string{"dev"}},
				Location:   extractor.LocationFromPathAndLine(in.Path, i+1),
			})
		}
	}
	return inv, nil
}

type content struct{ *strings.Reader }

func (content) Close() error { return nil }

func extract(t *testing.T, text string) ([]biopsy.Evidence, error) {
	t.Helper()
	var got []biopsy.Evidence
	in := biopsy.Input{File: biopsy.File{Path: "a/x.lock", In: "fw.bin"}, Content: content{strings.NewReader(text)}}
	e := Extractor("plain", biopsy.Manifest, []string{"*.lock"}, plain{}, biopsy.Locked)
	err := e.Extract(t.Context(), in, func(e biopsy.Evidence) { got = append(got, e) })
	return got, err
}

func TestExtractor(t *testing.T) {
	got, err := extract(t, "b 2\n@s/a 1\n")
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d claims, %v, want 2", len(got), err)
	}
	c := got[1].Claim
	if c.Purl != "pkg:npm/%40s/a@1" || c.Scope != biopsy.Development || c.State != biopsy.Locked || c.Repository == "" || len(c.Licenses) != 1 {
		t.Errorf("got claim %+v", c)
	}
	if got, want := got[1].Place.String(), "fw.bin!a/x.lock:2"; got != want {
		t.Errorf("got place %s, want %s", got, want)
	}
}

func TestWants(t *testing.T) {
	e := Extractor("plain", biopsy.Manifest, nil, plain{}, biopsy.Locked)
	for path, want := range map[string]bool{"a/x.lock": true, "a/y.lock": false} {
		if got := e.Wants(path); got != want {
			t.Errorf("Wants(%s) = %v, want %v", path, got, want)
		}
	}
}

func TestBadNews(t *testing.T) {
	for text, want := range map[string]string{
		"a 1\nfail":  "fw.bin!a/x.lock: test/plain: bad line",
		"a 1\npanic": "fw.bin!a/x.lock: test/plain panicked: index out of range",
	} {
		if _, err := extract(t, text); err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", text, err, want)
		}
	}
	if got, _ := extract(t, "a 1\nfail"); len(got) != 1 {
		t.Errorf("got %d claims before the error, want 1", len(got))
	}
}

func TestTree(t *testing.T) {
	one := tree{path: "a/b/x.lock", content: content{strings.NewReader("hello")}}
	if err := fstest.TestFS(one, "a/b/x.lock"); err != nil {
		t.Error(err)
	}
	if _, err := one.Stat("a/other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of a sibling: got %v, want not exist", err)
	}
	f, err := one.Open("a/b/x.lock")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.(io.ReaderAt); !ok {
		t.Errorf("%T is no io.ReaderAt", f)
	}
}
