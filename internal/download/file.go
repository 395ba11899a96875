package download

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// File is a feed that is one file.
type File struct {
	Feed  string                  // "kev"; also the folder below FetchOptions.Dir
	Base  string                  // public address of the folder
	Name  string                  // of the file there and here
	Max   int64                   // bytes
	Check func(path string) error // holds that what came is whole
	HTTP  *http.Client
}

// Fetch brings the file, conditionally. When it cannot be had, the error says how old the copy is that stays in use.
func (f File) Fetch(ctx context.Context, o biopsy.FetchOptions) error {
	from := strings.TrimSuffix(o.Base, "/")
	if from == "" {
		from = f.Base
	}
	c := &Client{HTTP: f.HTTP, Sleep: Sleep, Max: f.Max}
	if o.Events != nil {
		c.Progress = func(done, total int64) {
			o.Events(biopsy.Progress{Stage: "fetch " + f.Feed, Item: f.Name, Done: done, Total: total})
		}
	}
	path := filepath.Join(o.Dir, f.Feed, f.Name)
	if _, err := c.Get(ctx, from+"/"+f.Name, path, f.Check); err != nil {
		if age := Age(path); age != "" {
			return fmt.Errorf("%s: %w; the copy of %s stays in use", f.Feed, err, age)
		}
		return fmt.Errorf("%s: %w", f.Feed, err)
	}
	return nil
}
