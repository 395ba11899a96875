package boot

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// Environment opens blocks of U-Boot's variables (env/common.c of U-Boot 2024.01): a CRC-32, a flag in redundant blocks, "name=value" words
// that end with zeros. The size stands nowhere: it is the one for which the check sum is right.
var Environment = biopsy.Unpacker{
	Name:   "uboot-env",
	Match:  func(_ biopsy.File, head []byte) bool { return likeEnvironment(head) },
	Magics: envMagics(),
	Extent: func(r io.ReaderAt, off, max int64) (int64, bool) {
		if off%16 != 0 || !likeEnvironment(header(r, off, max, 4096)) { // the check sum costs more than these
			return 0, false
		}
		n, _, ok := findEnvironment(r, off, max)
		return n, ok
	},
	Unpack: openEnvironment,
}

// envFirst are variables that stand first in blocks, which are sorted.
var envFirst = []string{"altbootcmd=", "arch=", "autoload=", "autostart=", "baudrate=", "board=", "board_name=", "boot_a_script=", "boot_targets=", "bootargs=",
	"bootcmd=", "bootcount=", "bootdelay=", "bootfile=", "addip=", "console=", "ethaddr=", "ethact=", "fdt_addr=", "ipaddr="}

func envMagics() []biopsy.Magic {
	var list []biopsy.Magic
	for _, w := range envFirst {
		list = append(list, biopsy.Magic{Bytes: []byte(w), At: 4}, biopsy.Magic{Bytes: []byte(w), At: 5})
	}
	return list
}

const (
	envLeast = 256
	envMost  = 256 << 10
)

// likeEnvironment wants three words and one variable that every board has.
func likeEnvironment(head []byte) bool {
	if len(head) < 80 {
		return false
	}
	for _, at := range []int{4, 5} {
		if bytes.IndexByte(head[at:at+60], '=') < 1 || head[at] <= ' ' || head[at] > 'z' {
			continue
		}
		words := bytes.SplitN(head[at:], []byte{0}, 4)
		good := len(words) == 4
		for _, w := range words[:len(words)-1] {
			good = good && isVariable(w)
		}
		if good && (bytes.Contains(head, []byte("bootcmd=")) || bytes.Contains(head, []byte("\x00bootdelay=")) || bytes.Contains(head, []byte("\x00baudrate="))) {
			return true
		}
	}
	return false
}

func isVariable(w []byte) bool {
	n := bytes.IndexByte(w, '=')
	if n < 1 || n > 64 {
		return false
	}
	for _, c := range w[:n] {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// findEnvironment returns the block's size and where its words begin.
func findEnvironment(r io.ReaderAt, off, room int64) (size, words int64, ok bool) {
	b := header(r, off, room, envMost)
	if len(b) < envLeast {
		return 0, 0, false
	}
	want := le.Uint32(b)
	for _, start := range []int{4, 5} {
		if !isVariable(b[start:min(len(b), start+80)]) {
			continue
		}
		sum, at := uint32(0), start
		for n := envLeast; n <= len(b); n += envLeast { // sizes are multiples of 256 bytes
			sum, at = crc32.Update(sum, crc32.IEEETable, b[at:n]), n
			if sum == want {
				return int64(n), int64(start), true
			}
		}
		if len(b) < envMost && crc32.Update(sum, crc32.IEEETable, b[at:]) == want {
			return int64(len(b)), int64(start), true
		}
	}
	return 0, 0, false
}

func openEnvironment(_ context.Context, _ biopsy.File, c biopsy.Content, u biopsy.UnpackOptions) error {
	m := &image{UnpackOptions: u, c: c}
	size, words, ok := findEnvironment(c, 0, c.Size())
	if !ok {
		return errors.New("U-Boot environment: wrong check sum")
	}
	b := header(c, words, size-words, envMost)
	if end := bytes.Index(b, []byte{0, 0}); end >= 0 {
		m.is(words+int64(end)+2, size-words-int64(end)-2, biopsy.BytesPadding, "")
		b = b[:end]
	}
	m.is(0, words+int64(len(b))+2, biopsy.BytesParsed, "U-Boot environment")
	text := append(bytes.ReplaceAll(bytes.Trim(b, "\x00"), []byte{0}, []byte{'\n'}), '\n')
	err := m.yield(biopsy.File{Path: "uboot.env", Size: int64(len(text)), Open: func() (biopsy.Content, error) { return spool.Bytes(text), nil }})
	if err != nil {
		return err
	}
	return m.end()
}
