package learn

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/kb"
)

// control is what a Debian package says of itself.
type control struct {
	pkg, version, arch    string
	source, sourceVersion string
}

// Deb learns a Debian binary package (deb(5) of dpkg 1.22): its files belong to its source package's upstream version. name turns the
// source package's name into that of the component; nil keeps it. Java libraries are learned by their Maven coordinates.
func (l *Learner) Deb(ctx context.Context, file string, name func(source string) string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var c control
	p := &pack{learner: l, links: map[string]string{}}
	err = eachMember(f, func(member string, r io.Reader) error {
		switch {
		case strings.HasPrefix(member, "control.tar"):
			return eachFile(r, func(h *tar.Header, r io.Reader) error {
				if path.Base(h.Name) == "control" {
					c = readControl(io.LimitReader(r, 1<<20))
				}
				return nil
			})
		case strings.HasPrefix(member, "data.tar"):
			if c.pkg == "" {
				return errors.New("data before control")
			}
			if p.entry = c.entry(name); p.entry.Version == "" {
				return fmt.Errorf("%s %s: no upstream version", c.pkg, c.version)
			}
			return eachFile(r, func(h *tar.Header, r io.Reader) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return p.take(h, r)
			})
		}
		return nil
	})
	if err == nil {
		err = p.java()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (c control) entry(name func(string) string) kb.Entry {
	n := c.source
	if name != nil {
		n = name(n)
	}
	return kb.Entry{Component: kb.Component{Eco: "generic", Name: n}, Version: UpstreamVersion(c.sourceVersion),
		Origins: []string{"deb " + c.source + " " + c.sourceVersion}}
}

var repacked = regexp.MustCompile(`[+~.]?(dfsg|ds|repack|really|debian|git|gitlab|us)[-+.~]?[0-9a-f+.~-]*$`)

// UpstreamVersion cuts what Debian adds to an upstream version: epoch, revision, and notes on what was taken out.
func UpstreamVersion(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	if i := strings.LastIndexByte(v, '-'); i > 0 {
		v = v[:i]
	}
	if i := strings.Index(v, "+really"); i > 0 {
		v = v[i+len("+really"):]
	}
	if short := repacked.ReplaceAllString(v, ""); short != "" {
		v = short
	}
	return v
}

var sourceField = regexp.MustCompile(`^(\S+)(?: \((.*)\))?$`)

func readControl(r io.Reader) control {
	b, err := io.ReadAll(r)
	if err != nil {
		return control{} // a damaged member; the caller finds no package
	}
	c := control{}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Package":
			c.pkg = value
		case "Version":
			c.version = value
		case "Architecture":
			c.arch = value
		case "Source":
			if m := sourceField.FindStringSubmatch(value); m != nil {
				c.source, c.sourceVersion = m[1], m[2]
			}
		}
	}
	if c.source == "" {
		c.source = c.pkg
	}
	if c.sourceVersion == "" {
		c.sourceVersion = c.version
	}
	return c
}

// eachMember goes through an ar archive.
func eachMember(f io.Reader, visit func(name string, r io.Reader) error) error {
	magic := make([]byte, 8)
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != "!<arch>\n" {
		return errors.New("not a Debian package")
	}
	h := make([]byte, 60)
	for {
		if _, err := io.ReadFull(f, h); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("member: %w", err)
		}
		size, err := strconv.ParseInt(strings.TrimRight(string(h[48:58]), " "), 10, 64)
		if err != nil || size < 0 {
			return errors.New("member without a size")
		}
		name := strings.TrimRight(string(h[:16]), " /")
		body := io.LimitReader(f, size)
		if err := visit(name, body); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		if size&1 == 1 {
			if _, err := io.CopyN(io.Discard, f, 1); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
	}
}

// eachFile goes through a tar archive, packed or not.
func eachFile(r io.Reader, visit func(*tar.Header, io.Reader) error) error {
	head := make([]byte, 32)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	plain := io.MultiReader(bytes.NewReader(head[:n]), r)
	if format := codec.Detect(head[:n]); format != "" {
		z, err := codec.NewReader(format, plain)
		if err != nil {
			return err
		}
		defer z.Close()
		plain = z
	}
	t := tar.NewReader(plain)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(h, t); err != nil {
			return err
		}
	}
}
