package nvd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// service is NVD's host of the API.
const service = "https://services.nvd.nist.gov"

// The API's own bounds (nvd.nist.gov/developers, 2026): records of a page; days between two times of change; requests in half a minute
// without a key, and with one.
const (
	perPage     = 2000
	maxDays     = 120
	without     = 5
	withKey     = 50
	window      = 30 * time.Second
	maxAPIPage  = 512 << 20
	maxAPIPages = 5000 // ten million records
)

// api brings pages, and remembers how far it came.
type api struct {
	biopsy.FetchOptions
	base  string
	http  *http.Client
	sleep func(context.Context, time.Duration) error
	asked int // requests so far
}

func newAPI(o biopsy.FetchOptions) *api {
	a := &api{FetchOptions: o, base: strings.TrimSuffix(o.Base, "/"), sleep: download.Sleep}
	if a.base == "" {
		a.base = service
	}
	a.http = &http.Client{Transport: keyed{o.Key}}
	return a
}

// keyed sends the user's key, and turns the answer 403, by which NVD tells who asks too often, into 429, which is tried again.
type keyed struct{ key string }

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.key != "" {
		r = r.Clone(r.Context())
		r.Header.Set("apiKey", k.key)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusForbidden {
		resp.StatusCode, resp.Status = http.StatusTooManyRequests, "403 Forbidden"
	}
	return resp, err
}

// progress is what is remembered between two fetches, in ".progress.json".
type progress struct {
	Until string `json:"until,omitempty"` // what changed before is here; "" before a first fetch is through
	Run   int    `json:"run"`             // number of the fetch at hand; the first brings everything
	Next  int    `json:"next,omitempty"`  // place from which the fetch at hand goes on; 0 when it is through
	Began string `json:"began,omitempty"` // the server's time of its first page
	From  string `json:"from,omitempty"`  // its bounds of time; "" when it brings everything
	To    string `json:"to,omitempty"`
}

// stamp is how the API writes times in questions, and in pages without zone.
const stamp = "2006-01-02T15:04:05.000"

// bring goes on with what was cut, or asks for what has changed since the last time; for everything when that is too long ago for the
// API, or there was none.
func (a *api) bring(ctx context.Context, now time.Time) error {
	if err := os.MkdirAll(inAPI(a.Dir), 0o755); err != nil {
		return fmt.Errorf("nvd/api: %w", err)
	}
	p, err := a.begin(now)
	for err == nil {
		var done bool
		if done, err = a.page(ctx, &p); done {
			return nil
		}
	}
	if p.Until != "" {
		return fmt.Errorf("nvd/api: %w; what came before %s stays in use, and the next fetch goes on from record %d", err, p.Until, p.Next)
	}
	return fmt.Errorf("nvd/api: %w", err)
}

// begin decides what to ask for.
func (a *api) begin(now time.Time) (progress, error) {
	p, err := a.remembered()
	if err != nil || p.Next > 0 {
		return p, err
	}
	since, err := time.Parse(stamp, p.Until)
	switch {
	case p.Run == 0 || err != nil || now.Sub(since) >= maxDays*24*time.Hour || now.Before(since):
		return progress{Run: 1}, a.forget()
	}
	p.Run++
	p.From, p.To = p.Until, now.Format(stamp)
	return p, nil
}

func (a *api) remembered() (p progress, err error) {
	doc, err := os.ReadFile(inAPI(a.Dir, ".progress.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil && json.Unmarshal(doc, &p) != nil {
		p = progress{} // what does not parse is worth as much as nothing
	}
	return p, err
}

func (a *api) remember(p progress) error {
	doc, err := json.Marshal(p)
	if err != nil {
		return err
	}
	temp := inAPI(a.Dir, ".progress.json.new")
	if err := os.WriteFile(temp, doc, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, inAPI(a.Dir, ".progress.json"))
}

// forget removes the pages of earlier fetches, before everything is fetched anew.
func (a *api) forget() error {
	old, err := filepath.Glob(inAPI(a.Dir, "run-*.json"))
	if err != nil {
		return err
	}
	hidden, err := filepath.Glob(inAPI(a.Dir, ".*"))
	if err != nil {
		return err
	}
	for _, path := range append(old, hidden...) {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// page brings one page and says whether it was the last. Pages are named by fetch and place, so that later ones are read later.
func (a *api) page(ctx context.Context, p *progress) (done bool, err error) {
	if err := a.wait(ctx); err != nil {
		return false, err
	}
	path := inAPI(a.Dir, fmt.Sprintf("run-%05d-%08d.json", p.Run, p.Next))
	c := &download.Client{HTTP: a.http, Sleep: a.sleep, Max: maxAPIPage}
	if _, err := c.Get(ctx, a.question(p), path, whole); err != nil {
		return false, err
	}
	h, err := head(path)
	if err != nil {
		return false, err
	}
	if p.Next == 0 {
		p.Began = h.Timestamp
	}
	p.Next = h.Start + h.Records
	if a.Events != nil {
		a.Events(biopsy.Progress{Stage: "fetch nvd/api", Item: "records", Done: int64(p.Next), Total: int64(h.Total)})
	}
	switch {
	case p.Next >= h.Total:
		// What changes while we fetch, or by the server's clock after us, is fetched again the next time.
		if p.Until = p.Began; p.To != "" {
			p.Until = min(p.Began, p.To)
		}
		*p, done = progress{Until: p.Until, Run: p.Run}, true
	case h.Records == 0 || p.Next > maxAPIPages*perPage:
		return false, fmt.Errorf("%d of %d records came and no more follow", p.Next, h.Total)
	}
	return done, a.remember(*p)
}

func (a *api) question(p *progress) string {
	q := url.Values{"resultsPerPage": {strconv.Itoa(perPage)}, "startIndex": {strconv.Itoa(p.Next)}}
	if p.From != "" {
		q.Set("lastModStartDate", p.From)
		q.Set("lastModEndDate", p.To)
	}
	return a.base + "/rest/json/cves/2.0?" + q.Encode()
}

// wait keeps to the number of requests that NVD allows, evenly.
func (a *api) wait(ctx context.Context) error {
	a.asked++
	if a.asked == 1 {
		return nil
	}
	allowed := without
	if a.Key != "" {
		allowed = withKey
	}
	return a.sleep(ctx, window/time.Duration(allowed))
}

// pageHead is what a page says of itself, and how many records it holds.
type pageHead struct {
	Start     int    `json:"startIndex"`
	Total     int    `json:"totalResults"`
	Format    string `json:"format"`
	Timestamp string `json:"timestamp"`
	Records   int    `json:"-"`
}

// whole holds that a page is one: NVD sends no checksum.
func whole(path string) error {
	_, err := head(path)
	return err
}

func head(path string) (h pageHead, err error) {
	f, err := os.Open(path)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	doc := struct {
		*pageHead
		Vulnerabilities []struct{} `json:"vulnerabilities"`
	}{pageHead: &h}
	if err := json.NewDecoder(f).Decode(&doc); err != nil {
		return h, fmt.Errorf("not a page of NVD: %w", err)
	}
	if h.Records = len(doc.Vulnerabilities); h.Format != "NVD_CVE" {
		return h, fmt.Errorf("not a page of NVD: format is %.40q", h.Format)
	}
	return h, nil
}
