package csaf

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a document in a provider's list.
type entry struct {
	url       string
	file      string    // below the provider's folder: "2026/x-1.json"
	updated   time.Time // zero when the list does not say
	hash      string    // address of a hash; "" when the list names none
	signature string    // address of a signature; "" when the list names none
	guessed   bool      // hash and signature may not be there: they stand beside the document by the standard's rule
}

// list reads all lists of the provider, and returns each document once, in order of file. Only what all may read is fetched.
func (f *fetcher) list(ctx context.Context, m *metadata) ([]entry, error) {
	var out []entry
	var err error
	if f.directory != "" {
		out, err = f.folder(ctx, f.directory, 0)
	} else {
		out, err = f.distributions(ctx, m)
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("the provider lists no documents that all may read")
	}
	slices.SortStableFunc(out, func(a, b entry) int {
		if a.file != b.file {
			return strings.Compare(a.file, b.file)
		}
		return b.updated.Compare(a.updated)
	})
	return slices.CompactFunc(out, func(a, b entry) bool { return a.file == b.file }), nil
}

// distributions reads the public ROLIE feeds; the folders when there are none.
func (f *fetcher) distributions(ctx context.Context, m *metadata) ([]entry, error) {
	var out []entry
	n := 0
	for _, d := range m.Distributions {
		for _, feed := range d.ROLIE.Feeds {
			if !isPublic(feed.TLP) || !f.web(feed.URL) {
				continue
			}
			list, err := f.rolie(ctx, feed.URL, n)
			if err != nil {
				return nil, err
			}
			n++
			out = append(out, list...)
		}
	}
	for i, d := range m.Distributions {
		if n > 0 || !f.web(d.Directory) {
			continue
		}
		list, err := f.folder(ctx, strings.TrimSuffix(d.Directory, "/")+"/", i)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// rolieFeed is a ROLIE feed (RFC 8322; CSAF 2.0, 7.1.15), as far as it is read.
type rolieFeed struct {
	Feed struct {
		Entry []struct {
			Link []struct {
				Rel  string `json:"rel"`
				Href string `json:"href"`
			} `json:"link"`
			Updated string `json:"updated"`
			Content struct {
				Src string `json:"src"`
			} `json:"content"`
		} `json:"entry"`
	} `json:"feed"`
}

func (f *fetcher) rolie(ctx context.Context, address string, n int) ([]entry, error) {
	b, err := f.file(ctx, address, fmt.Sprintf("rolie-%d.json", n), maxList)
	if err != nil {
		return nil, err
	}
	var r rolieFeed
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: not a ROLIE feed: %w", address, err)
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	var out []entry
	for i, x := range r.Feed.Entry {
		var e entry
		self := x.Content.Src
		for _, l := range x.Link {
			switch {
			case l.Rel == "self" && self == "":
				self = l.Href
			case l.Rel == "signature":
				e.signature = l.Href
			case l.Rel == "hash" && (e.hash == "" || strings.HasSuffix(l.Href, ".sha512")):
				e.hash = l.Href
			}
		}
		if e.url, e.file, err = place(base, self); err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", address, i+1, err)
		}
		if e.hash, err = beside(base, e.hash); err == nil {
			e.signature, err = beside(base, e.signature)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", address, i+1, err)
		}
		if e.updated, err = listTime(x.Updated); err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", address, i+1, err)
		}
		if out = append(out, e); len(out) > maxListed {
			return nil, fmt.Errorf("%s: more than %d documents", address, maxListed)
		}
	}
	return out, nil
}

// beside resolves an address that may be missing.
func beside(base *url.URL, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	u, err := base.Parse(ref)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != base.Scheme {
		return "", fmt.Errorf("%.80q is no address", ref)
	}
	return u.String(), nil
}

// folder reads changes.csv of a folder, or index.txt when there is none (CSAF 2.0, 7.1.12 and 7.1.13).
func (f *fetcher) folder(ctx context.Context, address string, n int) ([]entry, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	changes, err := f.file(ctx, address+"changes.csv", fmt.Sprintf("changes-%d.csv", n), maxList)
	if err == nil {
		return readChanges(base, changes)
	}
	index, err2 := f.file(ctx, address+"index.txt", fmt.Sprintf("index-%d.txt", n), maxList)
	if err2 != nil {
		return nil, errors.Join(err, err2)
	}
	return readIndex(base, index)
}

// readChanges reads lines of path and time.
func readChanges(base *url.URL, text []byte) ([]entry, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = -1, true, true
	var out []entry
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		line, _ := r.FieldPos(0)
		if err == nil && len(row) < 2 {
			err = errors.New("not path and time")
		}
		if err != nil {
			return nil, fmt.Errorf("changes.csv: line %d: %w", line, err)
		}
		e := entry{guessed: true}
		if e.url, e.file, err = place(base, strings.TrimSpace(row[0])); err == nil {
			e.updated, err = listTime(row[1])
		}
		if err != nil {
			return nil, fmt.Errorf("changes.csv: line %d: %w", line, err)
		}
		e.hash, e.signature = e.url+".sha512", e.url+".asc"
		if out = append(out, e); len(out) > maxListed {
			return nil, fmt.Errorf("changes.csv: more than %d documents", maxListed)
		}
	}
}

func readIndex(base *url.URL, text []byte) ([]entry, error) {
	var out []entry
	for line := range bytes.Lines(text) {
		name := strings.TrimSpace(string(line))
		if name == "" {
			continue
		}
		e := entry{guessed: true}
		var err error
		if e.url, e.file, err = place(base, name); err != nil {
			return nil, fmt.Errorf("index.txt: %w", err)
		}
		e.hash, e.signature = e.url+".sha512", e.url+".asc"
		if out = append(out, e); len(out) > maxListed {
			return nil, fmt.Errorf("index.txt: more than %d documents", maxListed)
		}
	}
	return out, nil
}

// listTime reads the time of a list; "" is none.
func listTime(s string) (time.Time, error) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%.40q is not a time", s)
	}
	return t.UTC(), nil
}

// place resolves a document's address against its list's, and names the file below the provider's folder: the document's own name,
// with the year's folder when there is one. A name that is no file name of ours is refused.
func place(base *url.URL, ref string) (address, file string, err error) {
	u, err := base.Parse(ref)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != base.Scheme {
		return "", "", fmt.Errorf("%.80q is no address", ref)
	}
	name := path.Base(u.Path)
	if !isFileName(name) || !strings.HasSuffix(name, ".json") {
		return "", "", fmt.Errorf("%.80q is no document's name", name)
	}
	if year := path.Base(path.Dir(u.Path)); len(year) == 4 && strings.Trim(year, "0123456789") == "" {
		name = year + "/" + name
	}
	return u.String(), name, nil
}

// isFileName wants what CSAF 2.0, 5.1 allows in names of files, and capitals.
func isFileName(s string) bool {
	return len(s) > 0 && len(s) <= 200 && s[0] != '.' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_.") == ""
}
