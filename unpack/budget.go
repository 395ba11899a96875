package unpack

import (
	"fmt"
	"sync/atomic"

	"github.com/biopsy-sca/biopsy"
)

// freeBytes is what one container may hold before its ratio is judged, as biopsy.Limits says.
const freeBytes = 64 << 20

// Budget is what is left of the limits for all containers of one artifact together.
type Budget struct {
	limits biopsy.Limits
	files  atomic.Int64
	bytes  atomic.Int64
}

// NewBudget returns the budget of one artifact.
func NewBudget(l biopsy.Limits) *Budget { return &Budget{limits: l} }

// LimitError says which limit stopped the unpacking of a container.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

func limit(format string, args ...any) error { return &LimitError{fmt.Sprintf(format, args...)} }

// Guard returns u as the unpacker of a container of packed bytes should get it: its members are counted as they are yielded,
// its bytes when a member is opened for the first time or when a stream spends them. Past a limit, Yield and Spend fail with a
// LimitError, and so does Open of a member that alone is too large.
func (b *Budget) Guard(u biopsy.UnpackOptions, packed int64) biopsy.UnpackOptions {
	c := &container{budget: b, packed: packed}
	yield := u.Yield
	u.Limits, u.Budget = b.limits, c
	u.Yield = func(f biopsy.File) error {
		if n := b.files.Add(1); b.limits.Files > 0 && n > int64(b.limits.Files) {
			return limit("more than %d files in containers: the limit is reached", b.limits.Files)
		}
		if open := f.Open; !f.Transient && open != nil {
			var spent atomic.Bool
			f.Open = func() (biopsy.Content, error) { return c.open(f.Size, open, &spent) }
		}
		return yield(f)
	}
	return u
}

// container is the budget as one container sees it.
type container struct {
	budget *Budget
	packed int64
	bytes  atomic.Int64
}

func (c *container) open(size int64, open func() (biopsy.Content, error), spent *atomic.Bool) (biopsy.Content, error) {
	if m := c.budget.limits.FileSize; m > 0 && size > m {
		return nil, limit("file of %d bytes is larger than the limit of %d", size, m)
	}
	if size > 0 && !spent.Swap(true) {
		if err := c.Spend(size); err != nil {
			return nil, err
		}
	}
	content, err := open()
	if err != nil || size >= 0 || spent.Swap(true) {
		return content, err
	}
	if err := c.Spend(content.Size()); err != nil {
		content.Close()
		return nil, err
	}
	return content, nil
}

// Spend makes container a biopsy.Budget.
func (c *container) Spend(n int64) error {
	l := c.budget.limits
	here, all := c.bytes.Add(n), c.budget.bytes.Add(n)
	switch {
	case l.TotalSize > 0 && all > l.TotalSize:
		return limit("more than %d bytes unpacked: the limit is reached", l.TotalSize)
	case l.Ratio > 0 && here > freeBytes && here/l.Ratio > max(c.packed, 1):
		return limit("unpacks to more than %d times its size: the limit is reached", l.Ratio)
	}
	return nil
}
