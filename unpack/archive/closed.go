package archive

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Closed knows containers that we cannot open. It yields nothing: what they hold is a gap that says what they are.
var Closed = biopsy.Unpacker{
	Name:  "closed",
	Match: func(f biopsy.File, head []byte) bool { return closedAs(head) != "" && !isDocument(f.Path, head) },
	Unpack: func(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
		head := make([]byte, 512)
		n, err := c.ReadAt(head, 0)
		if n == 0 && err != nil {
			return err
		}
		return errors.New("not opened: " + closedAs(head[:n]))
	},
}

// ole begins Windows installers, but also old Office documents, which hold no software.
const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

func isDocument(name string, head []byte) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".msi", ".msp", ".msm":
		return false
	}
	return bytes.HasPrefix(head, []byte(ole))
}

// closed are the first bytes of formats, from their specifications and the file(1) database.
var closed = []struct{ magic, what string }{
	{"Rar!\x1a\x07", "RAR archive of a version that is not known"},
	{"RE\x7e\x5e", "RAR archive of a version before 1.5"},
	{ole, "Windows installer"},
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
