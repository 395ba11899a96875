package download

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// server plays a file that changes, breaks off and fails as told, and writes down what it is asked.
type server struct {
	body     []byte
	etag     string
	cut      []int // bytes after which the next answers break off; 0 is never
	statuses []int // of the next answers; 0 is the ordinary one
	header   http.Header
	asked    []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Header.Get("Range"), r.Header.Get("If-Range"), r.Header.Get("If-None-Match"))))
	if status := pop(&s.statuses); status != 0 {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		return
	}
	for k, v := range s.header {
		w.Header()[k] = v
	}
	w.Header().Set("ETag", s.etag)
	if n := pop(&s.cut); n > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.body)))
		_, _ = w.Write(s.body[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.body))
}

func pop(list *[]int) int {
	if len(*list) == 0 {
		return 0
	}
	v := (*list)[0]
	*list = (*list)[1:]
	return v
}

// start serves s and returns a client whose pauses are written down instead of waited for.
func start(t *testing.T, s *server) (c *Client, url, path string, pauses *[]time.Duration) {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	pauses = new([]time.Duration)
	c = &Client{HTTP: srv.Client(), Sleep: func(_ context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return nil
	}}
	return c, srv.URL + "/all.zip", filepath.Join(t.TempDir(), "npm", "all.zip"), pauses
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUnchangedIsNotSentAgain(t *testing.T) {
	s := &server{body: []byte("one"), etag: `"1"`}
	c, url, path, _ := start(t, s)
	for i, want := range []bool{true, false} {
		if r, err := c.Get(t.Context(), url, path, nil); err != nil || r.Changed != want || r.Size != 3 {
			t.Errorf("fetch %d: got %+v, %v; want changed %v", i, r, err, want)
		}
	}
	s.body, s.etag = []byte("two!"), `"2"`
	if r, err := c.Get(t.Context(), url, path, nil); err != nil || !r.Changed || content(t, path) != "two!" {
		t.Errorf("got %+v, %v, %q; want the new file", r, err, content(t, path))
	}
	if got, want := strings.Join(s.asked, "|"), `|"1"|"1"`; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestChangedOnDiskIsSentAgain(t *testing.T) {
	s := &server{body: []byte("one"), etag: `"1"`}
	c, url, path, _ := start(t, s)
	if _, err := c.Get(t.Context(), url, path, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("on"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Get(t.Context(), url, path, nil); err != nil || !r.Changed || content(t, path) != "one" {
		t.Errorf("got %+v, %v, %q", r, err, content(t, path))
	}
}

func TestResumesWhatWasCut(t *testing.T) {
	s := &server{body: bytes.Repeat([]byte("0123456789"), 1000), etag: `"1"`, cut: []int{4000}}
	c, url, path, pauses := start(t, s)
	r, err := c.Get(t.Context(), url, path, nil)
	if err != nil || r.Size != 10000 || content(t, path) != string(s.body) {
		t.Fatalf("got %+v, %v", r, err)
	}
	if got, want := strings.Join(s.asked, "|"), `|bytes=4000- "1"`; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	if len(*pauses) != 1 || (*pauses)[0] != time.Second {
		t.Errorf("got pauses %v, want one of a second", *pauses)
	}
}

func TestResumesInALaterRun(t *testing.T) {
	s := &server{body: bytes.Repeat([]byte("0123456789"), 1000), etag: `"1"`, cut: []int{4000}}
	c, url, path, _ := start(t, s)
	c.Tries = 1
	if _, err := c.Get(t.Context(), url, path, nil); err == nil {
		t.Fatal("got no error of a cut connection")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a file stands under the final name: %v", err)
	}
	if _, err := c.Get(t.Context(), url, path, nil); err != nil || content(t, path) != string(s.body) {
		t.Errorf("got %v", err)
	}
	if got, want := s.asked[1], `bytes=4000- "1"`; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestStartsAnewWhenTheFileChangedMeanwhile(t *testing.T) {
	s := &server{body: bytes.Repeat([]byte("a"), 9000), etag: `"1"`, cut: []int{4000}}
	c, url, path, _ := start(t, s)
	c.Tries = 1
	if _, err := c.Get(t.Context(), url, path, nil); err == nil {
		t.Fatal("got no error of a cut connection")
	}
	s.body, s.etag = bytes.Repeat([]byte("b"), 8000), `"2"`
	if _, err := c.Get(t.Context(), url, path, nil); err != nil || content(t, path) != string(s.body) {
		t.Errorf("got %v and a file of %d bytes", err, len(content(t, path)))
	}
}

func TestRetriesWithGrowingPauses(t *testing.T) {
	s := &server{body: []byte("one"), etag: `"1"`, statuses: []int{500, 503, 429, 502}}
	c, url, path, pauses := start(t, s)
	if _, err := c.Get(t.Context(), url, path, nil); err != nil {
		t.Fatal(err)
	}
	// The server's Retry-After of 7 s is longer than the first three pauses of ours.
	if got, want := fmt.Sprint(*pauses), "[7s 7s 7s 8s]"; got != want {
		t.Errorf("got pauses %v, want %v", got, want)
	}
	s.statuses = []int{500, 500, 500, 500, 500, 500}
	if _, err := c.Get(t.Context(), url, path, nil); err == nil || !strings.Contains(err.Error(), "500") || len(s.statuses) != 1 {
		t.Errorf("got %v after %d tries, want 5 and the status", err, 6-len(s.statuses))
	}
	if content(t, path) != "one" {
		t.Error("the old file was touched")
	}
}

func TestLastingErrorsAreNotRetried(t *testing.T) {
	s := &server{statuses: []int{404}}
	c, url, path, pauses := start(t, s)
	if _, err := c.Get(t.Context(), url, path, nil); err == nil || !strings.Contains(err.Error(), "404") || len(*pauses) != 0 {
		t.Errorf("got %v and pauses %v, want 404 at once", err, *pauses)
	}
	big := &server{body: make([]byte, 1000), etag: `"1"`}
	c, url, path, pauses = start(t, big)
	c.Max = 999
	if _, err := c.Get(t.Context(), url, path, nil); err == nil || !strings.Contains(err.Error(), "more than the 999") || len(*pauses) != 0 {
		t.Errorf("got %v and pauses %v, want a bound", err, *pauses)
	}
}

func TestUnreachableServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	tls := httptest.NewTLSServer(&server{})
	defer tls.Close()
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	plain := &Client{HTTP: &http.Client{}, Sleep: func(context.Context, time.Duration) error {
		t.Error("waits for what waiting does not mend")
		return nil
	}}
	if _, err := plain.Get(t.Context(), tls.URL, path, nil); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Count(err.Error(), tls.URL) != 1 {
		t.Errorf("got %v, want a word about the certificate and the address once", err)
	}
	nobody := *plain
	nobody.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "x.invalid", IsNotFound: true}
	}}}
	if _, err := nobody.Get(t.Context(), "http://x.invalid/", path, nil); err == nil || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("got %v, want no such host", err)
	}
	closed := httptest.NewServer(&server{})
	closed.Close()
	waits := 0
	c := &Client{HTTP: &http.Client{}, Sleep: func(context.Context, time.Duration) error { waits++; return nil }}
	if _, err := c.Get(t.Context(), closed.URL, path, nil); err == nil || waits != 4 {
		t.Errorf("a server that is down: got %v after %d pauses, want 4", err, waits)
	}
}

func TestChecksums(t *testing.T) {
	body := []byte("123456789")
	sum := md5.Sum(body)
	// CRC-32C of "123456789" is e3069283, the check value of its definition (RFC 3720, B.4).
	good := http.Header{"X-Goog-Hash": {"crc32c=4waSgw==", "md5=" + base64.StdEncoding.EncodeToString(sum[:])}}
	bad := http.Header{"X-Goog-Hash": {"crc32c=AAAAAA==,md5=" + base64.StdEncoding.EncodeToString(sum[:])}}
	s := &server{body: body, etag: `"1"`, header: good}
	c, url, path, _ := start(t, s)
	c.Tries = 2
	if _, err := c.Get(t.Context(), url, path, nil); err != nil {
		t.Error(err)
	}
	s.header, s.etag = bad, `"2"`
	if _, err := c.Get(t.Context(), url, path, nil); err == nil || !strings.Contains(err.Error(), "crc32c of what came is e3069283, and the server says 00000000") {
		t.Errorf("got %v, want both checksums", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*.part*")); len(left) != 0 {
		t.Errorf("bad bytes are kept: %v", left)
	}
	if content(t, path) != string(body) {
		t.Error("the old file was touched")
	}
}

func TestCallerChecks(t *testing.T) {
	s := &server{body: []byte("<html>log in to the hotel's network</html>"), etag: `"1"`}
	c, url, path, pauses := start(t, s)
	no := errors.New("not a zip")
	if _, err := c.Get(t.Context(), url, path, func(string) error { return no }); !errors.Is(err, no) || len(*pauses) != 4 {
		t.Errorf("got %v after %d pauses, want the caller's error after 4", err, len(*pauses))
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what failed the check is there: %v", err)
	}
}

func TestStalledConnectionIsGivenUp(t *testing.T) {
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("x"))
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(hold)
	c := &Client{HTTP: srv.Client(), Sleep: Sleep, Tries: 1, Stall: 50 * time.Millisecond}
	if _, err := c.Get(t.Context(), srv.URL, filepath.Join(t.TempDir(), "x"), nil); err == nil || !strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Errorf("got %v, want that nothing came", err)
	}
}

func TestCancel(t *testing.T) {
	s := &server{statuses: []int{500, 500}}
	c, url, path, _ := start(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	c.Sleep = func(ctx context.Context, d time.Duration) error {
		cancel()
		return Sleep(ctx, d)
	}
	if _, err := c.Get(ctx, url, path, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestProgressAndAge(t *testing.T) {
	s := &server{body: make([]byte, 300<<10), etag: `"1"`, header: http.Header{"Last-Modified": {"Tue, 15 Nov 1994 12:45:26 GMT"}}}
	c, url, path, _ := start(t, s)
	var last, of int64
	c.Progress = func(done, total int64) { last, of = done, total }
	if _, err := c.Get(t.Context(), url, path, nil); err != nil || last != 300<<10 || of != 300<<10 {
		t.Errorf("got %d of %d, %v", last, of, err)
	}
	if got, want := Age(path), "1994-11-15T12:45:26Z"; got != want {
		t.Errorf("Age: got %q, want %q", got, want)
	}
	if got := Age(path + "no"); got != "" {
		t.Errorf("Age of nothing: got %q", got)
	}
}
