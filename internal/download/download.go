// Package download brings one file over HTTP, so that the next time only what has changed is sent.
//
// In: a client, an address and a path. Out: the whole, checked file under that path, or the one that was there before and an error.
// It asks conditionally, resumes what was cut, retries with growing pauses, and compares size and checksums with what the server
// states (RFC 9110; x-goog-hash of Google Cloud Storage). It never chooses an address itself and never shows half a file.
package download

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Client downloads with one set of habits. HTTP and Sleep must be set.
type Client struct {
	HTTP  *http.Client                                     // its transport decides on proxies
	Sleep func(ctx context.Context, d time.Duration) error // waits between attempts; Sleep is the real one
	Tries int                                              // attempts in all; 0 is 5
	Max   int64                                            // bytes a file may have; 0 is 8 GiB
	Stall time.Duration                                    // time without a byte after which a connection is given up; 0 is a minute

	Progress func(done, total int64) // may be nil; total is 0 when the server does not say
}

// Result is what became of a download.
type Result struct {
	Changed  bool   // false: the server has nothing newer
	Size     int64  // bytes of the file that is there now
	Modified string // the server's Last-Modified, as it wrote it; "" when it said none
}

// Sleep waits for d or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	defaultTries = 5
	defaultMax   = 8 << 30
	defaultStall = time.Minute
	firstPause   = time.Second
	longestPause = 2 * time.Minute
)

// Get brings address to path. check looks at the new file before it takes the old one's place, and may be nil. Validators are kept in a
// file beside path whose name begins with a dot; so is what has come of a download that was cut.
func (c *Client) Get(ctx context.Context, address, path string, check func(path string) error) (Result, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return Result{}, fmt.Errorf("fetch %s: %w", address, err)
	}
	j := &job{Client: c, url: address, path: path, part: beside(path, ".part"), check: check}
	pause := firstPause
	for try := 1; ; try++ {
		res, err := j.attempt(ctx)
		if err == nil {
			return res, nil
		}
		var lasting *lastingError
		if errors.As(err, &lasting) || ctx.Err() != nil || try >= or(c.Tries, defaultTries) {
			return Result{}, fmt.Errorf("fetch %s: %w", address, err)
		}
		if err := c.Sleep(ctx, max(pause, min(j.retryAfter, longestPause))); err != nil {
			return Result{}, fmt.Errorf("fetch %s: %w", address, err)
		}
		pause = min(2*pause, longestPause)
	}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// lastingError is a failure that another attempt would not mend.
type lastingError struct{ error }

func (e *lastingError) Unwrap() error { return e.error }

// job is one Get.
type job struct {
	*Client
	url, path, part string
	check           func(string) error
	retryAfter      time.Duration // what the server asked for in its last answer
}

func (j *job) attempt(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	j.retryAfter = 0
	have, err := readState(j.path)
	if err != nil {
		return Result{}, err
	}
	partly, err := readState(j.part)
	if err != nil {
		return Result{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url, nil)
	if err != nil {
		return Result{}, &lastingError{err}
	}
	req.Header.Set("User-Agent", "biopsy")
	// Without this Go's transport asks for gzip and unpacks it, and no length would fit.
	req.Header.Set("Accept-Encoding", "identity")
	ask(req, have, partly)
	watch := newWatch(or(j.Stall, defaultStall), cancel)
	defer watch.stop()
	resp, err := j.HTTP.Do(req)
	if err != nil {
		return Result{}, cause(ctx, unreachable(err))
	}
	defer resp.Body.Close()
	return j.answer(ctx, resp, have, partly, watch)
}

// cause prefers the reason for which we ended the request to the transport's words about it.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// unreachable takes the address off a transport's error, for Get names it, and tells what waiting does not mend: a name that nobody has,
// a certificate that is not the server's.
func unreachable(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	if errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &cert) {
		return &lastingError{err}
	}
	return err
}

// ask makes the request conditional: on the rest of what was cut, else on something newer than what is there.
func ask(req *http.Request, have, partly state) {
	switch {
	case partly.Size > 0 && partly.validator() != "":
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", partly.Size))
		req.Header.Set("If-Range", partly.validator())
	case have.ETag != "":
		req.Header.Set("If-None-Match", have.ETag)
	case have.Modified != "":
		req.Header.Set("If-Modified-Since", have.Modified)
	}
}

func (j *job) answer(ctx context.Context, resp *http.Response, have, partly state, watch *watch) (Result, error) {
	switch resp.StatusCode {
	case http.StatusOK:
		partly = state{}
	case http.StatusPartialContent:
		if from, ok := rangeStart(resp.Header.Get("Content-Range")); !ok || from != partly.Size {
			return Result{}, errors.Join(fmt.Errorf("asked for bytes from %d, got %q", partly.Size, resp.Header.Get("Content-Range")), j.dropPart())
		}
	case http.StatusNotModified:
		if have == (state{}) {
			return Result{}, errors.New("the server says that nothing has changed, but there is nothing here")
		}
		return Result{Size: have.Size, Modified: have.Modified}, nil
	case http.StatusRequestedRangeNotSatisfiable:
		return Result{}, errors.Join(errors.New("the server has less than what came before"), j.dropPart())
	default:
		return Result{}, j.refused(resp)
	}
	total := int64(0)
	if resp.ContentLength >= 0 {
		total = partly.Size + resp.ContentLength
	}
	if limit := or(j.Max, int64(defaultMax)); total > limit {
		return Result{}, &lastingError{fmt.Errorf("%d bytes, more than the %d allowed", total, limit)}
	}
	now := state{ETag: resp.Header.Get("ETag"), Modified: resp.Header.Get("Last-Modified")}
	size, err := j.receive(resp.Body, partly.Size, total, now, watch)
	if err != nil {
		return Result{}, cause(ctx, err)
	}
	now.Size = size
	if err := j.accept(resp.Header, total, now); err != nil {
		return Result{}, err
	}
	return Result{Changed: true, Size: size, Modified: now.Modified}, nil
}

// refused tells the statuses that may pass (RFC 9110, 15.5.9 and 15.6; RFC 6585, 4) from those that will not.
func (j *job) refused(resp *http.Response) error {
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		j.retryAfter = time.Duration(min(s, int(longestPause/time.Second))) * time.Second
	}
	err := fmt.Errorf("the server answers %q", resp.Status)
	if c := resp.StatusCode; c >= 500 || c == http.StatusRequestTimeout || c == http.StatusTooManyRequests {
		return err
	}
	return &lastingError{err}
}

// receive appends the body to the part and returns its size. What has come stays there when the connection breaks, with the
// validators that make it worth something.
func (j *job) receive(body io.Reader, from, total int64, now state, watch *watch) (size int64, err error) {
	if from == 0 {
		if err := j.dropPart(); err != nil {
			return 0, err
		}
	}
	f, err := os.OpenFile(j.part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, &lastingError{err}
	}
	size = from
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil && now.validator() != "" {
			now.Size = size
			err = errors.Join(err, writeState(j.part, now))
		}
	}()
	limit := or(j.Max, int64(defaultMax))
	buf := make([]byte, 128<<10)
	for {
		n, readErr := body.Read(buf)
		watch.alive()
		if size+int64(n) > limit {
			return size, &lastingError{fmt.Errorf("more than the %d bytes allowed", limit)}
		}
		if _, err := f.WriteAt(buf[:n], size); err != nil {
			return size, &lastingError{err}
		}
		size += int64(n)
		if j.Progress != nil && n > 0 {
			j.Progress(size, total)
		}
		switch {
		case readErr == io.EOF && total > 0 && size != total:
			return size, fmt.Errorf("the connection ended after %d of %d bytes", size, total)
		case readErr == io.EOF:
			return size, f.Sync()
		case readErr != nil:
			return size, readErr
		}
	}
}

// accept checks the finished part and puts it in place. A part that fails is thrown away.
func (j *job) accept(h http.Header, total int64, now state) error {
	err := verify(j.part, h)
	if err == nil && j.check != nil {
		err = j.check(j.part)
	}
	if err != nil {
		return errors.Join(err, j.dropPart())
	}
	// The old state goes first: a new file must never stand beside an old file's validators.
	err = errors.Join(remove(beside(j.path, ".state")), os.Rename(j.part, j.path), remove(beside(j.part, ".state")), writeState(j.path, now))
	if err != nil {
		return &lastingError{err}
	}
	return nil
}

func (j *job) dropPart() error {
	return errors.Join(remove(j.part), remove(beside(j.part, ".state")))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// rangeStart reads the first byte's number of "bytes 100-199/200".
func rangeStart(contentRange string) (int64, bool) {
	var from, to int64
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/", &from, &to); err != nil {
		return 0, false
	}
	return from, from >= 0 && to >= from
}
