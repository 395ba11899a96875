package download

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
)

func TestParts(t *testing.T) {
	when := time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", when, strings.NewReader("pump"))
	}))
	defer srv.Close()
	wrong := func(string) error { return &lastingError{errors.New("not whole")} }
	parts := []Part{
		{Name: "one", Base: srv.URL, Path: "/one", File: "a"},
		{Name: "gone", Base: srv.URL, Path: "/gone", File: "b"},
		{Name: "wrong", Base: srv.URL, Path: "/wrong", File: "c", Check: wrong},
		{Name: "big", Base: srv.URL, Path: "/big", File: "d", Asked: true},
	}
	dir := t.TempDir()
	steps := 0
	err := Parts(t.Context(), "f", parts, srv.Client(), biopsy.FetchOptions{Dir: dir, Events: func(p biopsy.Progress) { steps++ }})
	if err == nil || !strings.Contains(err.Error(), "f/gone: ") || !strings.Contains(err.Error(), "f/wrong: ") || strings.Contains(err.Error(), "f/one") {
		t.Errorf("got %v, want what became of two parts", err)
	}
	if got, want := strings.Join(asked, " "), "/one /gone /wrong"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	if steps == 0 {
		t.Error("no progress was told")
	}
	path := filepath.Join(dir, "f", "one", "a")
	if got := Dated(path); !got.Equal(when) {
		t.Errorf("dated %v, want %v", got, when)
	}
	if err := os.WriteFile(path, []byte("another pump"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(dir, "nothing")} {
		if got := Dated(p); !got.IsZero() {
			t.Errorf("%s: dated %v, want no date", p, got)
		}
	}
	if err := Parts(t.Context(), "f", parts, srv.Client(), biopsy.FetchOptions{Dir: dir, Base: srv.URL + "/", Names: []string{"big"}}); err != nil {
		t.Error(err)
	}
	if err := Parts(t.Context(), "f", parts, srv.Client(), biopsy.FetchOptions{Dir: dir, Names: []string{"small"}}); err == nil || !strings.Contains(err.Error(), "one, gone, wrong, big") {
		t.Errorf("got %v, want the names of the parts", err)
	}
}
