package boot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// Microcontrollers' images as text. Each run of addresses is a member named by where it starts.
var (
	// IntelHex is Intel's format (Hexadecimal Object File Format Specification A of 1988).
	IntelHex = biopsy.Unpacker{
		Name:   "hex",
		Match:  func(_ biopsy.File, head []byte) bool { return likeRecords(head, ':', intelRecord) },
		Unpack: openRecords("Intel HEX", intelRecord),
	}
	// SRecord is Motorola's (srec(5), 1998).
	SRecord = biopsy.Unpacker{
		Name:   "srec",
		Match:  func(_ biopsy.File, head []byte) bool { return likeRecords(head, 'S', motorolaRecord) },
		Unpack: openRecords("S-record", motorolaRecord),
	}
)

// Limits of what is kept in memory of one file.
const (
	maxHexBytes = 64 << 20
	maxHexParts = 4096
	maxHexLine  = 1024
)

// flat is what a file's records put at which address.
type flat struct {
	base  int64 // of Intel's records, from the extended address before them
	parts []flatPart
	total int64
	ended bool
}

type flatPart struct {
	at   int64
	data []byte
}

// put adds bytes; what follows the last ones makes their run longer.
func (f *flat) put(at int64, b []byte) error {
	if f.total += int64(len(b)); f.total > maxHexBytes {
		return fmt.Errorf("more than %d bytes", maxHexBytes)
	}
	if n := len(f.parts); n > 0 && f.parts[n-1].at+int64(len(f.parts[n-1].data)) == at {
		f.parts[n-1].data = append(f.parts[n-1].data, b...)
		return nil
	}
	if len(f.parts) >= maxHexParts {
		return fmt.Errorf("more than %d runs of addresses", maxHexParts)
	}
	f.parts = append(f.parts, flatPart{at, append([]byte(nil), b...)})
	return nil
}

var (
	errRecord = errors.New("no record")
	errSum    = errors.New("wrong check sum")
)

// intelRecord reads ":LLAAAATT<data>CC".
func intelRecord(line []byte, f *flat) error {
	if len(line) < 11 || line[0] != ':' {
		return errRecord
	}
	b := make([]byte, hex.DecodedLen(len(line)-1))
	if _, err := hex.Decode(b, line[1:]); err != nil || len(b) != int(b[0])+5 {
		return errRecord
	}
	sum := byte(0)
	for _, x := range b {
		sum += x
	}
	if sum != 0 {
		return errSum
	}
	data := b[4 : len(b)-1]
	switch kind := b[3]; {
	case kind == 0:
		return f.put(f.base+int64(be.Uint16(b[1:])), data)
	case kind == 1:
		f.ended = true
	case kind == 2 && len(data) == 2:
		f.base = int64(be.Uint16(data)) << 4
	case kind == 4 && len(data) == 2:
		f.base = int64(be.Uint16(data)) << 16
	case kind == 3 || kind == 5: // where the program starts
	default:
		return errRecord
	}
	return nil
}

// motorolaRecord reads "STLL<address><data>CC".
func motorolaRecord(line []byte, f *flat) error {
	if len(line) < 10 || line[0] != 'S' || line[1] < '0' || line[1] > '9' {
		return errRecord
	}
	b := make([]byte, hex.DecodedLen(len(line)-2))
	if _, err := hex.Decode(b, line[2:]); err != nil || len(b) != int(b[0])+1 {
		return errRecord
	}
	sum := byte(0)
	for _, x := range b {
		sum += x
	}
	if sum != 0xff {
		return errSum
	}
	width := map[byte]int{'1': 2, '2': 3, '3': 4}[line[1]]
	if width == 0 {
		f.ended = f.ended || line[1] >= '7'
		return nil
	}
	if len(b) < width+2 {
		return errRecord
	}
	at := int64(0)
	for _, x := range b[1 : 1+width] {
		at = at<<8 | int64(x)
	}
	return f.put(at, b[1+width:len(b)-1])
}

// likeRecords wants the first lines to be records whose check sums are right.
func likeRecords(head []byte, first byte, record func([]byte, *flat) error) bool {
	if len(head) < 11 || head[0] != first {
		return false
	}
	var f flat
	good := 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := record(line, &f); err != nil {
			break
		}
		if good++; good == 4 || f.ended {
			return true
		}
	}
	return false
}

func openRecords(what string, record func([]byte, *flat) error) func(context.Context, biopsy.File, biopsy.Content, biopsy.UnpackOptions) error {
	return func(ctx context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		m := &image{UnpackOptions: u, c: c}
		var f flat
		lines := bufio.NewScanner(io.NewSectionReader(c, 0, c.Size()))
		lines.Buffer(make([]byte, maxHexLine), maxHexLine)
		n, bad := 0, 0
		for !f.ended && lines.Scan() {
			n++
			if n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			switch err := record(line, &f); {
			case err == errRecord || err == errSum:
				if bad++; bad <= 3 {
					m.Gap(biopsy.Gap{Place: biopsy.Place{Line: n}, Reason: fmt.Sprintf("%s, line %d: %v", what, n, err), Size: int64(len(line))})
				}
			case err != nil:
				return fmt.Errorf("%s, line %d: %w", what, n, err)
			}
		}
		if err := lines.Err(); err != nil {
			return fmt.Errorf("%s, line %d: %w", what, n+1, err)
		}
		if bad > 3 {
			m.lost("", 0, fmt.Sprintf("%s: %d lines are damaged", what, bad), 0)
		}
		m.is(0, c.Size(), biopsy.BytesParsed, what)
		if err := m.runs(f.parts); err != nil {
			return err
		}
		return m.end()
	}
}

// runs yields runs of addresses that were collected in memory.
func (m *image) runs(parts []flatPart) error {
	seen := map[int64]int{}
	for _, p := range parts {
		name := fmt.Sprintf("0x%08x", p.at)
		if seen[p.at]++; seen[p.at] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[p.at])
		}
		data := p.data
		err := m.yield(biopsy.File{Path: name + ".raw", Size: int64(len(data)), Open: func() (biopsy.Content, error) { return spool.Bytes(data), nil }})
		if err != nil {
			return err
		}
	}
	return nil
}
