package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
)

// Tar opens tar archives.
var Tar = biopsy.Unpacker{Name: "tar", Match: func(_ biopsy.File, head []byte) bool { return isTar(head) }, Unpack: unpackTar}

// isTar checks the checksum of the first header: V7 archives have no magic, and no other file fits by chance.
func isTar(head []byte) bool {
	if len(head) < 512 || head[0] == 0 {
		return false
	}
	for _, c := range head[148:156] { // octal digits: most files end here
		if (c < '0' || c > '7') && c != ' ' && c != 0 {
			return false
		}
	}
	field := string(bytes.Trim(head[148:156], " \x00"))
	want, err := strconv.ParseInt(field, 8, 32)
	if err != nil {
		return false
	}
	sum, signed := int64(0), int64(0)
	for i, c := range head[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int64(c)
		signed += int64(int8(c)) // how some old writers summed
	}
	return want == sum || want == signed
}

func unpackTar(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &tarMembers{members: members{UnpackOptions: u}, ctx: ctx}
	err := m.end(tarscan.Archive(c, c.Size(), m.entry))
	if m.Ledger == nil || m.stopped != nil {
		return err
	}
	return cmp.Or(err, m.told(c, err))
}

// told tells the ledger how far the archive goes, which ended with err.
func (m *tarMembers) told(c biopsy.Content, err error) error {
	end := m.behind
	var trailing *tarscan.TrailingError
	switch {
	case errors.As(err, &trailing):
		end = trailing.Offset
	case err == nil:
		last, err := lastByte(c)
		if err != nil {
			return err
		}
		end = max(end, (last+511)&^511)
	}
	m.is(0, end, biopsy.BytesParsed, "tar")
	return m.account(c)
}

// tarMembers yields the files of a tar archive.
type tarMembers struct {
	members
	ctx    context.Context
	count  int
	behind int64 // where the last file's bytes end; 0 in a stream
}

func (m *tarMembers) entry(e tarscan.Entry) error {
	if m.count++; m.count%1024 == 0 && m.ctx.Err() != nil {
		return m.ctx.Err()
	}
	if e.Kind != tarscan.File {
		return nil
	}
	f := biopsy.File{Size: e.Size, Mode: e.Mode}
	switch {
	case e.Bytes != nil:
		f.Open = lazy(e.Bytes, 0, e.Size)
		_, at, size := e.Bytes.Outer()
		m.behind = at + size
	case e.Sparse: // holes come from no decoder that has counted them
		f.Transient, f.Open = true, m.transient(&cancelled{m.ctx, &spending{r: e.Stream, budget: m.Budget}})
	default:
		f.Transient, f.Open = true, m.transient(e.Stream)
	}
	return m.file(strings.TrimSuffix(e.Name, "/"), f)
}

// end words the end of the scan: an end mark that is missing behind whole members is worth telling, no more.
func (m *tarMembers) end(err error) error {
	if m.stopped != nil && errors.Is(err, m.stopped) {
		return m.stopped
	}
	return err
}
