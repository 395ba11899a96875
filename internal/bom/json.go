package bom

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// First returns the first byte that is no white space, and leaves it to be read.
func First(r *bufio.Reader) (byte, error) {
	for {
		c, err := r.ReadByte()
		if err == io.EOF {
			return 0, errors.New("the file is empty")
		}
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return c, r.UnreadByte()
	}
}

// JSON walks a document of any size, one element at a time.
type JSON struct {
	d *json.Decoder
	r *faulty
}

// faulty remembers that the bytes behind it could not be read.
type faulty struct {
	r   io.Reader
	err error
}

func (f *faulty) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// NewJSON returns a walker at the beginning of r.
func NewJSON(r io.Reader) *JSON {
	f := &faulty{r: r}
	return &JSON{d: json.NewDecoder(f), r: f}
}

// Offset is where the next element begins, give or take white space and a comma, in bytes.
func (s *JSON) Offset() int64 { return s.d.InputOffset() }

// Broken tells whether reading itself failed.
func (s *JSON) Broken() bool { return s.r.err != nil }

// Value decodes the next value. An error names what and where.
func (s *JSON) Value(what string, v any) error {
	at := s.d.InputOffset()
	if err := s.d.Decode(v); err != nil {
		return fmt.Errorf("%s: byte %d: %w", what, at, ending(err))
	}
	return nil
}

// Skip passes over the next value, however large.
func (s *JSON) Skip(what string) error {
	for depth := 0; ; {
		t, err := s.d.Token()
		if err != nil {
			return s.fail(what, err)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// Object calls each for every key of the next value; each must take the key's value. null is an empty object.
func (s *JSON) Object(what string, each func(key string) error) error {
	if ok, err := s.open(what, '{'); !ok {
		return err
	}
	for s.d.More() {
		t, err := s.d.Token()
		if err != nil {
			return s.fail(what, err)
		}
		key, _ := t.(string)
		if err := each(key); err != nil {
			return err
		}
	}
	return s.close(what)
}

// Array calls each for every element of the next value; each must take it. null is an empty array.
func (s *JSON) Array(what string, each func(i int) error) error {
	if ok, err := s.open(what, '['); !ok {
		return err
	}
	for i := 0; s.d.More(); i++ {
		if err := each(i); err != nil {
			return err
		}
	}
	return s.close(what)
}

func (s *JSON) open(what string, want json.Delim) (bool, error) {
	t, err := s.d.Token()
	if err != nil {
		return false, s.fail(what, err)
	}
	if t == nil {
		return false, nil
	}
	if t != want {
		return false, fmt.Errorf("%s: byte %d: got %.40v, want %q", what, s.d.InputOffset(), t, want.String())
	}
	return true, nil
}

func (s *JSON) close(what string) error {
	if _, err := s.d.Token(); err != nil {
		return s.fail(what, err)
	}
	return nil
}

// End makes sure that nothing but white space follows.
func (s *JSON) End() error {
	t, err := s.d.Token()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return s.fail("end", err)
	}
	return fmt.Errorf("byte %d: %.40v follows the document", s.d.InputOffset(), t)
}

func (s *JSON) fail(what string, err error) error {
	return fmt.Errorf("%s: byte %d: %w", what, s.d.InputOffset(), ending(err))
}

// ending says in words that the document stops early.
func ending(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the document ends too early: %w", io.ErrUnexpectedEOF)
	}
	return err
}
