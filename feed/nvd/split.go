package nvd

import (
	"errors"
	"fmt"
	"io"
)

// Bounds of one record as text. Repeated criteria are left out from maxPlain on: conversions from other formats hold the same
// one up to a million times.
const (
	maxRecord = 16 << 20
	maxPlain  = 1 << 20
)

// splitter cuts the elements of "vulnerabilities" out of a page, without reading the page into memory. It looks at braces and strings
// only; whether an element is sound JSON is found out by who decodes it.
type splitter struct {
	r        io.Reader
	buf      []byte // read and not yet looked at: buf[pos:end]
	pos, end int
	off      int64 // of buf[0] in the page
	entered  bool  // the array's bracket is behind us
	more     bool  // an element is behind us
}

func newSplitter(r io.Reader) *splitter { return &splitter{r: r, buf: make([]byte, 256<<10)} }

// offset is the place in the page that is looked at next.
func (s *splitter) offset() int64 { return s.off + int64(s.pos) }

// fill reads more; at the end it says that the page was cut short, for nobody asks beyond the last bracket.
func (s *splitter) fill() error {
	s.off += int64(s.end)
	s.pos, s.end = 0, 0
	for range 100 {
		n, err := s.r.Read(s.buf)
		if s.end = n; n > 0 {
			return nil
		}
		if err == io.EOF {
			return fmt.Errorf("at byte %d: %w", s.off, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", s.off, err)
		}
	}
	return io.ErrNoProgress
}

// peek returns the next byte that is no blank, and stays before it.
func (s *splitter) peek() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			if c := s.buf[s.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// take goes behind the next byte, which must be c.
func (s *splitter) take(c byte) error {
	got, err := s.peek()
	if err != nil {
		return err
	}
	if got != c {
		return fmt.Errorf("at byte %d: got %q, want %q", s.offset(), got, c)
	}
	s.pos++
	return nil
}

// errTooLong is a record beyond maxRecord. It was skipped, and next may be called again.
var errTooLong = fmt.Errorf("more than the %d bytes a record may have", maxRecord)

// next appends the next element to out. io.EOF is the end of the array.
func (s *splitter) next(out []byte) ([]byte, error) {
	if !s.entered {
		if err := s.enter(); err != nil {
			return out, err
		}
		s.entered = true
	}
	c, err := s.peek()
	switch {
	case err != nil:
		return out, err
	case c == ']':
		return out, io.EOF
	case s.more:
		if err := s.take(','); err != nil {
			return out, err
		}
	}
	s.more = true
	return s.value(out, true)
}

// enter goes to the first element of "vulnerabilities".
func (s *splitter) enter() error {
	if err := s.take('{'); err != nil {
		return err
	}
	for {
		key, err := s.value(nil, true)
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if string(key) == `"vulnerabilities"` {
			return s.take('[')
		}
		if _, err := s.value(nil, false); err != nil && !errors.Is(err, errTooLong) {
			return err
		}
		if c, err := s.peek(); err != nil || c == '}' {
			return errors.Join(errors.New("no vulnerabilities in it"), err)
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// depth of the elements of "cpeMatch" in a record: record, cve, configurations, configuration, nodes, node, cpeMatch, element.
const criteriaDepth = 8

// value goes behind the next value and appends it to out if it is wanted.
func (s *splitter) value(out []byte, wanted bool) ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return out, err
	}
	v := copier{out: out, begin: len(out), wanted: wanted}
	for {
		n, done := v.scan(s.buf[s.pos:s.end])
		s.pos += n
		if done {
			break
		}
		if err := s.fill(); err != nil {
			return out, err
		}
	}
	if v.tooLong {
		return out, errTooLong
	}
	return v.out, nil
}

// copier follows one value over several buffers.
type copier struct {
	out     []byte
	begin   int // of the value in out
	wanted  bool
	tooLong bool

	depth    int
	inString bool
	escaped  bool
	scalar   bool // a number or a word, which ends before the next mark

	list    bool            // what is open at the depth above criteria is a list
	element int             // where the criterion at hand begins in out
	seen    map[string]bool // criteria of the node at hand, once the record is long
}

// scan looks at b and returns how many bytes of it belong to the value, and whether it ends there.
func (v *copier) scan(b []byte) (n int, done bool) {
	from := 0 // of what is not yet in out
	flush := func(to int) {
		if v.wanted && !v.tooLong {
			v.out = append(v.out, b[from:to]...)
			if len(v.out)-v.begin > maxRecord {
				v.tooLong, v.out = true, v.out[:v.begin]
			}
		}
		from = to
	}
	for i := 0; i < len(b); i++ {
		c := b[i]
		if v.inString {
			switch {
			case v.escaped:
				v.escaped = false
			case c == '\\':
				v.escaped = true
			case c == '"':
				if v.inString = false; v.depth == 0 {
					flush(i + 1)
					return i + 1, true
				}
			}
			continue
		}
		switch c {
		case '"':
			v.inString = true
		case '{', '[':
			v.depth++
			if v.depth >= criteriaDepth-1 && v.depth <= criteriaDepth {
				flush(i)
				v.open(c)
			}
		case '}', ']':
			if v.depth == 0 { // behind a scalar
				flush(i)
				return i, true
			}
			v.depth--
			if v.depth == 0 {
				flush(i + 1)
				return i + 1, true
			}
			if v.depth == criteriaDepth-1 && c == '}' {
				flush(i + 1)
				v.dropDouble()
			}
		case ',', ':', ' ', '\n', '\r', '\t':
			if v.depth == 0 && v.scalar {
				flush(i)
				return i, true
			}
		default:
			v.scalar = v.scalar || v.depth == 0
		}
	}
	flush(len(b))
	return len(b), false
}

func (v *copier) open(c byte) {
	switch {
	case v.depth == criteriaDepth-1:
		v.list, v.seen = c == '[', nil
	case v.depth == criteriaDepth && c == '{':
		v.element = len(v.out)
	}
}

// dropDouble takes the criterion that just ended out again when its node had it before.
func (v *copier) dropDouble() {
	if !v.wanted || v.tooLong || !v.list || len(v.out)-v.begin < maxPlain || v.element < v.begin || v.element >= len(v.out) {
		return
	}
	if !v.seen[string(v.out[v.element:])] {
		if v.seen == nil {
			v.seen = map[string]bool{}
		}
		v.seen[string(v.out[v.element:])] = true
		return
	}
	end := v.element
	for end > v.begin && v.out[end-1] != ',' && v.out[end-1] != '[' {
		end--
	}
	if end > v.begin && v.out[end-1] == ',' {
		v.out = v.out[:end-1]
	}
}
