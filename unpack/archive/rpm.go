package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
)

// RPM opens packages of the RPM package manager (format of RPM 4, rpm.org reference of 2024): what they install. The headers are
// no files; readers of packages see the package itself.
var RPM = biopsy.Unpacker{Name: "rpm", Match: func(_ biopsy.File, head []byte) bool { return bytes.HasPrefix(head, []byte{0xed, 0xab, 0xee, 0xdb}) }, Unpack: unpackRPM}

const rpmLead = 96

func unpackRPM(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	end, err := rpmHeader(c, rpmLead)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	if end, err = rpmHeader(c, (end+7)&^7); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	m := members{UnpackOptions: u}
	m.is(0, end, biopsy.BytesParsed, "rpm headers")
	stopped, err := rpmPayload(ctx, io.NewSectionReader(c, end, c.Size()-end), end, u)
	if stopped {
		return err
	}
	if err == nil {
		m.is(end, c.Size()-end, biopsy.BytesParsed, "rpm payload")
	}
	return cmp.Or(err, m.account(c))
}

// rpmPayload unpacks the packed archive that stands at an offset.
func rpmPayload(ctx context.Context, payload *io.SectionReader, at int64, u biopsy.UnpackOptions) (stopped bool, err error) {
	head := make([]byte, 512)
	n, err := payload.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	format := codec.Detect(head[:n])
	if format == "" && isCpio(head[:n]) {
		return streamCpio(ctx, bufio.NewReader(payload), u)
	}
	if format == "" {
		return false, damage(at, errors.New("payload is neither a cpio archive nor packed in a way we know"))
	}
	r, err := codec.NewReader(format, payload)
	if err != nil {
		return false, fmt.Errorf("payload: %w", err)
	}
	defer r.Close()
	return unpackStream(ctx, "payload", &spending{r: r, budget: u.Budget}, u)
}

// rpmHeader returns where a header structure ends: magic, version, 4 bytes, number of index entries of 16 bytes, size of data.
func rpmHeader(c biopsy.Content, at int64) (int64, error) {
	var h [16]byte
	if n, err := c.ReadAt(h[:], at); n < len(h) {
		return 0, damage(at, err)
	}
	if !bytes.HasPrefix(h[:], []byte{0x8e, 0xad, 0xe8}) {
		return 0, damage(at, errors.New("no header of an rpm"))
	}
	entries, data := int64(binary.BigEndian.Uint32(h[8:])), int64(binary.BigEndian.Uint32(h[12:]))
	end := at + 16 + entries*16 + data
	if end > c.Size() {
		return 0, damage(at, fmt.Errorf("header of %d bytes: %w", end-at, io.ErrUnexpectedEOF))
	}
	return end, nil
}
