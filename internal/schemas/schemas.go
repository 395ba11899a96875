// Package schemas holds documents of ours against the official schemas, in tests.
//
// What comes in: bytes and the name of a schema. What goes out: nil, or what the schema objects to. It will never be part of a binary.
package schemas

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed files
var embedded embed.FS

// ErrAbsent says that a schema or tool is not on this machine.
var ErrAbsent = errors.New("not on this machine")

// Folder is the environment variable that names a folder of further schemas.
const Folder = "BIOPSY_SCHEMAS"

// ValidateJSON holds a document against a schema: "bom-1.6.SNAPSHOT.schema.json" is embedded, others are looked for in Folder.
func ValidateJSON(name string, doc []byte) error {
	s, err := compiled(name)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

var cache sync.Map // schema name -> *jsonschema.Schema

func compiled(name string) (*jsonschema.Schema, error) {
	if s, ok := cache.Load(name); ok {
		return s.(*jsonschema.Schema), nil
	}
	if _, err := (loader{}).Load(name); err != nil { // the compiler hides what kind of error it was
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(engine)
	c.UseLoader(loader{})
	s, err := c.Compile("file:///" + name)
	if err != nil {
		return nil, err
	}
	cache.Store(name, s)
	return s, nil
}

// engine knows Go's expressions, and the one of SPDX 3's schema that Go cannot express: an IRI is no blank node.
func engine(s string) (jsonschema.Regexp, error) {
	if s == "^(?!_:).+:.+" {
		return iri{}, nil
	}
	return regexp.Compile(s)
}

type iri struct{}

func (iri) MatchString(s string) bool {
	i := strings.IndexByte(s, ':')
	return i > 0 && i < len(s)-1 && !strings.HasPrefix(s, "_:")
}
func (iri) String() string { return "^(?!_:).+:.+" }

type loader struct{}

func (loader) Load(url string) (any, error) {
	name := url[strings.LastIndexByte(url, '/')+1:]
	b, err := embedded.ReadFile("files/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		folder := os.Getenv(Folder)
		if folder == "" {
			return nil, fmt.Errorf("schema %s: %w (set %s)", name, ErrAbsent, Folder)
		}
		b, err = os.ReadFile(filepath.Join(folder, name))
	}
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

// ValidateXML holds a document against an embedded XML schema with xmllint.
func ValidateXML(xsd string, doc []byte) error {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		return fmt.Errorf("xmllint: %w", ErrAbsent)
	}
	dir, err := os.MkdirTemp("", "schemas")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{xsd, "spdx.SNAPSHOT.xsd"} {
		b, err := embedded.ReadFile("files/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	cmd := exec.Command(lint, "--nonet", "--noout", "--schema", filepath.Join(dir, xsd), "-")
	cmd.Stdin = bytes.NewReader(doc)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
