package binary

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// MachO reads programs and libraries of macOS and iOS (loader.h of XNU 10002, 2023). Universal files are read as their first half.
var MachO = biopsy.Extractor{
	Name:    "mach-o",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard,
	Head:    func(head []byte) bool { return len(head) >= 32 && machoOrder(head) != nil },
	Extract: readMachO,
}

const (
	maxCommands = 4 << 20 // bytes of load commands; the largest seen have 64 KiB
	maxDylibs   = 1024
)

// machoOrder returns the byte order that the magic shows, nil for files of other kinds.
func machoOrder(head []byte) binary.ByteOrder {
	switch binary.LittleEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf:
		return binary.LittleEndian
	case 0xcefaedfe, 0xcffaedfe:
		return binary.BigEndian
	}
	return nil
}

func readMachO(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	head := make([]byte, 32)
	if _, err := in.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read header: %w", err)
	}
	o := machoOrder(head)
	if o == nil {
		return errors.New("not a mach-o file")
	}
	start := int64(28)
	if o.Uint32(head) == 0xfeedfacf {
		start = 32
	}
	x := map[string]string{"mach-o:type": machoType(o.Uint32(head[12:]))}
	c := biopsy.Claim{Kind: biopsy.FileKind, Whole: true, Name: path.Base(in.Path), State: biopsy.Installed, Arch: machoArch(o.Uint32(head[4:])), Extra: x}
	size := int64(o.Uint32(head[20:]))
	var bad error
	if size > maxCommands || size > in.Size()-start {
		bad = fmt.Errorf("load commands: %d bytes at offset %d", size, start)
	} else if b := make([]byte, size); size > 0 {
		if _, err := in.ReadAt(b, start); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read load commands: %w", err)
		}
		commands(b, o, x)
	}
	sheet{in, "mach-o", emit}.say(c, 1)
	return bad
}

// commands notes the library's own name and version, what it needs, and its UUID.
func commands(b []byte, o binary.ByteOrder, x map[string]string) {
	var needed []string
	for len(b) >= 8 && len(needed) < maxDylibs {
		cmd, size := o.Uint32(b), int(o.Uint32(b[4:]))
		if size < 8 || size > len(b) {
			break
		}
		body := b[:size]
		b = b[size:]
		switch cmd &^ 0x80000000 { // LC_REQ_DYLD
		case 0xc, 0x18, 0x1f: // LC_LOAD_DYLIB, weak, reexport
			needed = append(needed, dylibName(body, o))
		case 0xd: // LC_ID_DYLIB
			put(x, "mach-o:id", dylibName(body, o))
			if len(body) >= 20 {
				v := o.Uint32(body[16:])
				x["mach-o:version"] = fmt.Sprintf("%d.%d.%d", v>>16, v>>8&255, v&255)
			}
		case 0x1b: // LC_UUID
			if len(body) >= 24 {
				x["mach-o:uuid"] = hex.EncodeToString(body[8:24])
			}
		case 0x1d: // LC_CODE_SIGNATURE
			x["mach-o:signed"] = "true"
		}
	}
	put(x, "mach-o:needed", strings.Join(needed, ","))
}

func dylibName(b []byte, o binary.ByteOrder) string {
	if len(b) < 24 {
		return ""
	}
	at := o.Uint32(b[8:])
	if int64(at) >= int64(len(b)) {
		return ""
	}
	name, _, _ := strings.Cut(string(b[at:]), "\x00")
	return name
}

func machoArch(cpu uint32) string {
	switch cpu {
	case 7:
		return "386"
	case 0x01000007:
		return "amd64"
	case 12:
		return "arm"
	case 0x0100000c:
		return "arm64"
	case 18:
		return "powerpc"
	}
	return ""
}

func machoType(t uint32) string {
	switch t {
	case 1:
		return "rel"
	case 2:
		return "exec"
	case 6:
		return "dylib"
	case 8:
		return "bundle"
	}
	return fmt.Sprintf("0x%x", t)
}
