package archive

import (
	"bytes"
	"context"
	"errors"

	"github.com/biopsy-sca/biopsy"
)

// Closed knows containers that we cannot open. It yields nothing: what they hold is a gap that says what they are.
var Closed = biopsy.Unpacker{
	Name:  "closed",
	Match: func(_ biopsy.File, head []byte) bool { return closedAs(head) != "" },
	Unpack: func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		head := make([]byte, 512)
		n, err := c.ReadAt(head, 0)
		if n == 0 && err != nil {
			return err
		}
		return errors.New("not opened: " + closedAs(head[:n]))
	},
}

// closed are the first bytes of formats, from their specifications and the file(1) database.
var closed = []struct{ magic, what string }{
	{"Rar!\x1a\x07", "RAR archive of a version that is not known"},
	{"RE\x7e\x5e", "RAR archive of a version before 1.5"},
	{"LRZI", "lrzip archive"},
	{"xar!\x00\x1c", "xar archive"},
	{"LUKS\xba\xbe", "encrypted: LUKS volume"},
	{"Salted__", "encrypted: OpenSSL enc"},
	{"age-encryption.org/v1\n", "encrypted: age"},
	{"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted: age"},
	{"-----BEGIN PGP MESSAGE-----", "encrypted: PGP message"},
}

func closedAs(head []byte) string {
	for _, c := range closed {
		if bytes.HasPrefix(head, []byte(c.magic)) {
			return c.what
		}
	}
	return ""
}
