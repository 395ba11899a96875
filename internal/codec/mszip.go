package codec

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
)

// MSZIP unpacks the blocks of a cabinet ([MS-MCI] of 2018): each is deflate on its own, which refers to the 32 KiB before it. The zero
// value begins a folder.
type MSZIP struct {
	r    io.ReadCloser
	past []byte
}

const mszipBlock = 32 << 10

// Block unpacks one block into dst, which must be as large as the block, 32 KiB at most.
func (z *MSZIP) Block(dst, src []byte) error {
	if len(src) < 2 || src[0] != 'C' || src[1] != 'K' || len(dst) > mszipBlock {
		return errors.New("no mszip block")
	}
	in := bytes.NewReader(src[2:])
	if z.r == nil {
		z.r = flate.NewReaderDict(in, z.past)
	} else if err := z.r.(flate.Resetter).Reset(in, z.past); err != nil {
		return err
	}
	if err := whole(z.r, dst); err != nil {
		return err
	}
	z.past = append(z.past, dst...)
	if over := len(z.past) - mszipBlock; over > 0 {
		z.past = z.past[:copy(z.past, z.past[over:])]
	}
	return nil
}
