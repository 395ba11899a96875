package traits

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/biopsy-sca/biopsy/internal/elf"
)

// arMagic is how a static archive starts (ar of System V and GNU).
const arMagic = "!<arch>\n"

// arHeader is the size of a member's header: name 16, date 12, owner 6, group 6, mode 8, size 10, end "`\n".
const arHeader = 60

// maxMembers of one archive; the largest honest ones have some ten thousand.
const maxMembers = 1 << 18

// archive collects the traits of all ELF members together.
func (c *collector) archive() error {
	var all problems
	h := make([]byte, arHeader+4)
	at := int64(len(arMagic))
	for range maxMembers {
		if at > c.size-arHeader {
			break
		}
		n, err := c.r.ReadAt(h[:min(int64(len(h)), c.size-at)], at)
		if n < arHeader {
			all.add(fmt.Errorf("archive member at offset %d: %w", at, err))
			break
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(h[48:58], " ")), 10, 64)
		if err != nil || size < 0 || size > c.size-at-arHeader || string(h[58:60]) != "`\n" {
			all.add(fmt.Errorf("archive member at offset %d: not a header", at))
			break
		}
		if n == len(h) && string(h[arHeader:]) == elf.Magic {
			if err := c.elf(at+arHeader, size); err != nil {
				all.add(fmt.Errorf("archive member at offset %d: %w", at, err))
			}
		}
		at += arHeader + size + size&1
	}
	c.file.Soname, c.file.Needed, c.file.Library, c.file.Static = "", nil, true, false
	return all.err()
}
