package archive

import (
	"bytes"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/biopsy-sca/biopsy"
)

// cpioInode is device and inode number of a file as its header spells them.
type cpioInode [24]byte

// cpioName is one name of a regular file.
type cpioName struct {
	name string
	mode fs.FileMode
}

// cpioLink is a file with several names. Writers of newc give the bytes to one of them, most often the last.
type cpioLink struct {
	waiting []cpioName // names that came before the bytes
	seen    bool       // the bytes came
	at      int64      // where they are, and how many; only in an archive that can be read at any offset
	size    int64
}

// cpioLinks are the files with several names of one archive, by inode and in their order.
type cpioLinks struct {
	byInode map[cpioInode]*cpioLink
	order   []*cpioLink
	held    int // bytes of waiting names
}

// Bounds of what is remembered in one archive. Whole distributions have some ten thousand files with several names.
const (
	maxLinks     = 1 << 18
	maxHeldNames = 16 << 20
)

// of returns the link of an inode; nil when no more can be remembered.
func (l *cpioLinks) of(inode cpioInode) *cpioLink {
	if known := l.byInode[inode]; known != nil {
		return known
	}
	if len(l.order) >= maxLinks {
		return nil
	}
	if l.byInode == nil {
		l.byInode = map[cpioInode]*cpioLink{}
	}
	link := &cpioLink{}
	l.byInode[inode] = link
	l.order = append(l.order, link)
	return link
}

// wait keeps a name until the bytes come. When they went by, it is yielded at once, where they can be read again.
func (a *cpio) wait(inode cpioInode, n cpioName) error {
	link := a.links.of(inode)
	switch {
	case link == nil || a.links.held+len(n.name) > maxHeldNames:
		a.lost(n.name, "too many names of hard links to find the bytes of this one", 0)
	case link.seen && a.content != nil:
		return a.file(n.name, biopsy.File{Size: link.size, Mode: n.mode, Open: lazy(a.content, link.at, link.size)})
	case link.seen:
		a.lost(n.name, "hard link whose bytes went by before it in a packed stream", 0)
	default:
		link.waiting = append(link.waiting, n)
		a.links.held += len(n.name) + 64 // what keeping one costs beside its letters
	}
	return nil
}

// arrive returns the names that waited for the bytes at a.pos.
func (a *cpio) arrive(inode cpioInode, size int64) []cpioName {
	link := a.links.of(inode)
	if link == nil {
		return nil
	}
	names := link.waiting
	for _, n := range names {
		a.links.held -= len(n.name) + 64
	}
	link.waiting, link.seen, link.at, link.size = nil, true, a.pos, size
	return names
}

// emptyLinks yields, at the end of an archive, the names whose bytes never came: their files are empty.
func (a *cpio) emptyLinks() error {
	links := a.links.order
	a.links = cpioLinks{}
	for _, link := range links {
		for _, n := range link.waiting {
			if err := a.file(n.name, biopsy.File{Mode: n.mode, Open: lazy(bytes.NewReader(nil), 0, 0)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// loseLinks reports the names whose bytes may be behind a damage.
func (a *cpio) loseLinks() {
	for _, link := range a.links.order {
		for _, n := range link.waiting {
			a.lost(n.name, "hard link whose bytes are behind the damage", 0)
		}
	}
	a.links = cpioLinks{}
}

// sharedMember yields one run of a stream under several names: it is kept once, when the first of them is opened, until the last who
// opened one has closed it.
func (a *cpio) sharedMember(names []cpioName, size int64, in io.Reader) error {
	keep := sync.OnceValues(func() (*keptOnce, error) {
		c, err := a.Spool.Keep(in, a.Limits.FileSize)
		if err != nil {
			return nil, err
		}
		k := &keptOnce{Content: c}
		k.users.Store(1)
		return k, nil
	})
	var kept *keptOnce
	open := func() (biopsy.Content, error) {
		k, err := keep()
		if err != nil {
			return nil, err
		}
		kept = k
		k.users.Add(1)
		return &keptUse{Content: k.Content, of: k}, nil
	}
	var err error
	for i, n := range names {
		if i > 0 && a.Budget != nil {
			if err = a.Budget.Spend(size); err != nil {
				break
			}
		}
		if err = a.file(n.name, biopsy.File{Size: size, Mode: n.mode, Transient: true, Open: open}); err != nil {
			break
		}
	}
	if kept != nil {
		if failed := kept.leave(); err == nil {
			err = failed
		}
	}
	return err
}

// keptOnce is content with several users.
type keptOnce struct {
	biopsy.Content
	users atomic.Int32
}

func (k *keptOnce) leave() error {
	if k.users.Add(-1) == 0 {
		return k.Content.Close()
	}
	return nil
}

// keptUse is one user's content.
type keptUse struct {
	biopsy.Content
	of   *keptOnce
	once sync.Once
}

func (u *keptUse) Close() (err error) {
	u.once.Do(func() { err = u.of.leave() })
	return err
}
