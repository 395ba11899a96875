package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// zeros is what holes are hashed from: the system would write zeros into a buffer first.
var zeros [smallFile]byte

// digest hashes a content whole; "" with an error.
func digest(ctx context.Context, c biopsy.Content) (string, error) {
	h := sha256.New()
	buf := buffers.Get().(*[smallFile]byte)
	defer buffers.Put(buf)
	sparse, _ := c.(biopsy.Sparse)
	for at, size := int64(0), c.Size(); at < size; {
		want := min(int64(len(buf)), size-at)
		n, err := c.ReadAt(buf[:want], at)
		if int64(n) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF // it became shorter since it was opened
			}
			return "", err
		}
		h.Write(buf[:n])
		if at += want; sparse == nil || !bytes.Equal(buf[:n], zeros[:n]) {
			continue
		}
		data := min(sparse.Data(at), size)
		if err := hashZeros(ctx, h, data-at); err != nil {
			return "", err
		}
		at = max(at, data)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func hashZeros(ctx context.Context, h hash.Hash, n int64) error {
	for ; n > 0; n -= int64(len(zeros)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		h.Write(zeros[:min(n, int64(len(zeros)))])
	}
	return nil
}
