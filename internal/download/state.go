package download

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// state is what is remembered of a file: the server's validators, and the size to which they belong.
type state struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"lastModified,omitempty"`
	Size     int64  `json:"size"`
}

// validator returns what If-Range may carry: a strong ETag, else the date (RFC 9110, 13.1.5); "" when there is neither.
func (s state) validator() string {
	if s.ETag != "" && !strings.HasPrefix(s.ETag, "W/") {
		return s.ETag
	}
	return s.Modified
}

// beside names a hidden file next to path.
func beside(path, suffix string) string {
	dir, name := filepath.Split(path)
	return dir + "." + strings.TrimPrefix(name, ".") + suffix
}

// readState returns the zero state when the file is not there, has another size than remembered, or nothing is remembered.
func readState(path string) (state, error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	b, err := os.ReadFile(beside(path, ".state"))
	if errors.Is(err, os.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	var s state
	// A state that does not parse is worth as much as none.
	if json.Unmarshal(b, &s) != nil || s.Size != st.Size() {
		return state{}, nil
	}
	return s, nil
}

func writeState(path string, s state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(beside(path, ".state"), b, 0o644)
}

// Age says how old the file at path is, for a message: the server's date of it, else the time it was written; "" when there is none.
func Age(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if s, err := readState(path); err == nil && s.Modified != "" {
		if t, err := http.ParseTime(s.Modified); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return st.ModTime().UTC().Format(time.RFC3339)
}

// verify compares the file with the checksums that the server stated: "x-goog-hash: crc32c=...,md5=...", in base64.
func verify(path string, h http.Header) error {
	sums := map[string]hash.Hash{"crc32c": crc32.New(crc32.MakeTable(crc32.Castagnoli)), "md5": md5.New()}
	want := map[string][]byte{}
	for _, value := range h.Values("X-Goog-Hash") {
		for _, one := range strings.Split(value, ",") {
			name, sum, _ := strings.Cut(strings.TrimSpace(one), "=")
			if b, err := base64.StdEncoding.DecodeString(sum); err == nil && sums[name] != nil {
				want[name] = b
			}
		}
	}
	if len(want) == 0 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(sums["crc32c"], sums["md5"]), f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, name := range []string{"crc32c", "md5"} {
		if w, ok := want[name]; ok && !bytes.Equal(w, sums[name].Sum(nil)) {
			return fmt.Errorf("%s of what came is %x, and the server says %x", name, sums[name].Sum(nil), w)
		}
	}
	return nil
}

// watch ends a request on which nothing comes.
type watch struct {
	timer *time.Timer
	stall time.Duration
}

func newWatch(stall time.Duration, cancel func(error)) *watch {
	return &watch{time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) }), stall}
}

func (w *watch) alive() { w.timer.Reset(w.stall) }
func (w *watch) stop()  { w.timer.Stop() }
