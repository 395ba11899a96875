package csaf

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/feedtest"
)

func atOnceAgain(context.Context, time.Duration) error { return nil }

// bring fetches one provider and returns the documents that are there.
func bring(t *testing.T, s *feedtest.Server, dir, name string) ([]string, error) {
	t.Helper()
	err := fetchPatiently(t.Context(), biopsy.FetchOptions{Dir: dir, Base: s.URL, Names: []string{name}}, atOnceAgain)
	var out []string
	walkErr := filepath.WalkDir(filepath.Join(dir, "csaf", name), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		rel, err := filepath.Rel(filepath.Join(dir, "csaf", name), p)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	if walkErr != nil {
		t.Fatal(walkErr)
	}
	return out, err
}

func doc(id string) []byte {
	return fmt.Appendf(nil, `{"document":{"csaf_version":"2.0","tracking":{"id":%q}}}`, id)
}

func sum256(b []byte) []byte {
	s := sha256.Sum256(b)
	return []byte(hex.EncodeToString(s[:]) + "  x.json\n")
}

func sum512(b []byte) []byte {
	s := sha512.Sum512(b)
	return []byte(hex.EncodeToString(s[:]) + "  x.json\n")
}

// signer is a key of a provider that was made a while ago and has expired since.
func signer(t *testing.T) (e *openpgp.Entity, public []byte, sign func([]byte) []byte) {
	t.Helper()
	then := func() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }
	e, err := openpgp.NewEntity("ACME", "", "psirt@acme.example", &packet.Config{Time: then, KeyLifetimeSecs: 86400 * 365, Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return e, b.Bytes(), func(doc []byte) []byte {
		var b bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&b, e, bytes.NewReader(doc), &packet.Config{Time: func() time.Time { return then().AddDate(0, 6, 0) }}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

func TestFetchROLIE(t *testing.T) {
	e, public, sign := signer(t)
	a, b, c := doc("A-1"), doc("B-1"), doc("C-1")
	files := map[string][]byte{}
	s := feedtest.Serve(t, files)
	feed := func(updated string) []byte {
		return fmt.Appendf(nil, `{"feed":{"entry":[
			{"updated":%q,"content":{"src":"%[2]s/d/2026/a-1.json"},"link":[{"rel":"signature","href":"%[2]s/d/2026/a-1.json.asc"},{"rel":"hash","href":"%[2]s/d/2026/a-1.json.sha256"}]},
			{"updated":"2026-01-01T00:00:00Z","link":[{"rel":"self","href":"b-1.json"}]},
			{"updated":"2026-01-01T00:00:00Z","content":{"src":"%[2]s/d/2026/c-1.json"},"link":[{"rel":"signature","href":"%[2]s/d/2026/c-1.json.asc"}]}]}}`, updated, s.URL)
	}
	s.Put("/siemens/provider-metadata.json", fmt.Appendf(nil, `{"canonical_url":"x","distributions":[{"rolie":{"feeds":[{"url":"%[1]s/d/feed.json","tlp_label":"WHITE"},
		{"url":"%[1]s/secret.json","tlp_label":"AMBER"}]}},{"directory_url":"%[1]s/none"}],"public_openpgp_keys":[{"fingerprint":"%[2]X","url":"%[1]s/key.asc"}]}`, s.URL, e.PrimaryKey.Fingerprint))
	s.Put("/key.asc", public)
	s.Put("/d/feed.json", feed("2026-01-02T00:00:00Z"))
	s.Put("/d/2026/a-1.json", a)
	s.Put("/d/2026/a-1.json.asc", sign(a))
	s.Put("/d/b-1.json", b)
	s.Put("/d/2026/c-1.json", c)
	s.Put("/d/2026/c-1.json.asc", sign(a))
	dir := t.TempDir()
	got, err := bring(t, s, dir, "siemens")
	if err == nil || !strings.Contains(err.Error(), "c-1.json") || !strings.Contains(err.Error(), "signature is not good") || strings.Count(err.Error(), "csaf/siemens") != 1 {
		t.Errorf("got %v, want the bad signature of c-1", err)
	}
	if want := []string{"2026/a-1.json", "b-1.json"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.Put("/d/2026/c-1.json.asc", sign(c))
	s.Counts()
	if got, err = bring(t, s, dir, "siemens"); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	if sent, same := s.Counts(); sent != 3 || same != 2 { // metadata, c-1 and its signature; the feed and the key are the same
		t.Errorf("%d sent, %d the same; want 3 and 2", sent, same)
	}
	a = doc("A-1 again")
	s.Put("/d/2026/a-1.json", a)
	s.Put("/d/2026/a-1.json.asc", sign(a))
	s.Put("/d/feed.json", feed("2026-01-03T00:00:00.5Z"))
	if _, err = bring(t, s, dir, "siemens"); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "csaf/siemens/2026/a-1.json")); err != nil || !bytes.Equal(b, a) {
		t.Errorf("got %s, %v", b, err)
	}
	s.Put("/d/2026/a-1.json", doc("A-1 once more"))
	s.Put("/d/2026/a-1.json.asc", nil)
	s.Put("/d/feed.json", feed("2026-01-04T00:00:00.25Z"))
	if _, err = bring(t, s, dir, "siemens"); err == nil || !strings.Contains(err.Error(), "names one") {
		t.Errorf("got %v, want the missing signature", err)
	}
	s.Put("/siemens/provider-metadata.json", fmt.Appendf(nil, `{"canonical_url":"x","public_openpgp_keys":[{"fingerprint":"00","url":"%s/key.asc"}]}`, s.URL))
	if _, err = bring(t, s, dir, "siemens"); err == nil || !strings.Contains(err.Error(), "does not have the fingerprint") {
		t.Errorf("got %v, want the wrong fingerprint", err)
	}
}

func TestFetchFolder(t *testing.T) {
	a, b := doc("A-1"), doc("B-1")
	s := feedtest.Serve(t, map[string][]byte{
		"/redhat/provider-metadata.json":      []byte(`{"canonical_url":"x"}`),
		"/redhat/archive_latest.txt":          []byte("csaf_vex_2026-08-01.tar.gz\n"),
		"/redhat/csaf_vex_2026-08-01.tar.gz":  []byte("an archive"),
		"/redhat/changes.csv":                 []byte("\"2026/a-1.json\",\"2026-08-02T00:00:00+00:00\"\n2026/b-1.json,2026-08-01T00:00:00Z\n2025/old.json,2025-01-01T00:00:00Z\n"),
		"/redhat/2026/a-1.json":               a,
		"/redhat/2026/a-1.json.sha512":        sum512(a),
		"/redhat/2026/b-1.json":               b,
		"/redhat/2026/b-1.json.sha256":        sum256(a),
		"/suse/provider-metadata.json":        []byte(`{"canonical_url":"x"}`),
		"/suse/csaf-vex.tar.bz2":              []byte("an archive"),
		"/suse/index.txt":                     []byte("\na-1.json\n"),
		"/suse/a-1.json":                      a,
		"/acme.example/.well-known/nothing":   nil,
		"/acme.example/csaf.data.security":    []byte(`{"publisher":{"namespace":"https://acme.example"},"distributions":[{"directory_url":"http://evil.example"}]}`),
		"/other.example/.well-known/security": nil,
	})
	dir := t.TempDir()
	got, err := bring(t, s, dir, "redhat")
	if err == nil || !strings.Contains(err.Error(), "hash is of") {
		t.Errorf("got %v, want the wrong hash of b-1", err)
	}
	// What is older than the archive is in it.
	if want := []string{"2026/a-1.json", "csaf_vex_2026-08-01.tar.gz"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.Put("/redhat/2026/b-1.json.sha256", nil)
	if got, err = bring(t, s, dir, "redhat"); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	s.Counts()
	if _, err = bring(t, s, dir, "redhat"); err != nil {
		t.Error(err)
	}
	if sent, same := s.Counts(); sent != 1 || same != 1 {
		t.Errorf("%d sent, %d the same; want the metadata and the list", sent, same)
	}
	if got, err = bring(t, s, dir, "suse"); err != nil || !slices.Equal(got, []string{"csaf-vex.tar.bz2"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = bring(t, s, dir, "suse"); err != nil || len(got) != 2 {
		t.Errorf("a list without times: got %v, %v", got, err)
	}
}

func TestFetchDomain(t *testing.T) {
	meta := func(s *feedtest.Server) []byte {
		return fmt.Appendf(nil, `{"publisher":{"namespace":"https://acme.example"},"distributions":[{"directory_url":"%s/d"}]}`, s.URL)
	}
	for _, at := range []string{"/acme.example/.well-known/csaf/provider-metadata.json", "/elsewhere.json", "/acme.example/csaf.data.security"} {
		s := feedtest.Serve(t, map[string][]byte{"/d/index.txt": []byte("a-1.json"), "/d/a-1.json": doc("A-1")})
		s.Put(at, meta(s))
		s.Put("/acme.example/.well-known/security.txt", []byte("Contact: x\ncsaf: ftp://x\nCSAF: "+s.URL+"/elsewhere.json\n"))
		if got, err := bring(t, s, t.TempDir(), "acme.example"); err != nil || !slices.Equal(got, []string{"a-1.json"}) {
			t.Errorf("%s: got %v, %v", at, got, err)
		}
	}
	s := feedtest.Serve(t, map[string][]byte{})
	if _, err := bring(t, s, t.TempDir(), "acme.example"); err == nil || !strings.Contains(err.Error(), "no provider-metadata.json") {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"nobody", "../x", "a..b", "x/y.z", "-a.b"} {
		if _, err := find(name); err == nil || !strings.Contains(err.Error(), "cisa, redhat, suse") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestFetchBadLists(t *testing.T) {
	for list, want := range map[string]string{
		"../../etc/passwd,2026-01-01T00:00:00Z\n":              "no document's name",
		"a.json,yesterday\n":                                   "is not a time",
		"a.json\n":                                             "not path and time",
		"https://[,2026-01-01T00:00:00Z\n":                     "no address",
		"file:///etc/x.json,2026-01-01T00:00:00Z\n":            "no address",
		"a.json,2026-01-01T00:00:00Z\n.hid.json,2026-01-01T\n": "line 2",
		"": "lists no documents",
	} {
		s := feedtest.Serve(t, map[string][]byte{"/redhat/provider-metadata.json": []byte(`{"canonical_url":"x"}`), "/redhat/changes.csv": []byte(list)})
		if _, err := bring(t, s, t.TempDir(), "redhat"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", list, err, want)
		}
	}
}

func TestStateOfACutFetch(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".documents"), []byte("a.json 2026-01-01T00:00:00Z\nb.json 2026-01"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	got := s.missing([]entry{{file: "a.json", updated: day(1)}, {file: "b.json", updated: day(1)}, {file: "c.json"}})
	if len(got) != 2 || got[0].file != "b.json" || got[1].file != "c.json" {
		t.Errorf("got %v", got)
	}
	if got := s.missing([]entry{{file: "a.json", updated: day(2)}}); len(got) != 1 {
		t.Errorf("got %v, want the changed one", got)
	}
}

func FuzzLists(f *testing.F) {
	f.Add("\"2026/a-1.json\",\"2026-08-02T00:00:00+00:00\"\n")
	f.Add("../x.json,\n")
	base, err := url.Parse("https://acme.example/csaf/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		changes, _ := readChanges(base, []byte(text))
		index, _ := readIndex(base, []byte(text))
		for _, e := range slices.Concat(changes, index) {
			if !filepath.IsLocal(e.file) || strings.Contains(e.file, "/.") || !strings.HasPrefix(e.url, "https://") || !strings.HasSuffix(e.file, ".json") {
				t.Errorf("%q: got %+v", text, e)
			}
		}
		csafLines([]byte(text))
		_ = hashed(nil, []byte(text))
		_ = (&fetcher{}).signed(nil, []byte(text))
	})
}
