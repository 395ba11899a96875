package elf

import "encoding/binary"

// Arch names the machine as Debian and Go do, with "el" or "le" for the little-endian half of a family; "" for machines that
// are not listed.
func (f *File) Arch() string {
	little := f.order == binary.ByteOrder(binary.LittleEndian)
	switch f.Machine {
	case 2, 18:
		return "sparc"
	case 3:
		return "386"
	case 4:
		return "m68k"
	case 8:
		return f.mips(little)
	case 15:
		return "hppa"
	case 20:
		return "powerpc"
	case 21:
		if little {
			return "ppc64le"
		}
		return "ppc64"
	case 22:
		return "s390x"
	case 40:
		return "arm"
	case 42:
		return "sh4"
	case 43:
		return "sparc64"
	case 62:
		return "amd64" // x32 too: same machine
	case 83:
		return "avr"
	case 94:
		return "xtensa"
	case 105:
		return "msp430"
	case 106:
		return "blackfin"
	case 183:
		return "arm64"
	case 189:
		return "microblaze"
	case 113:
		return "nios2"
	case 195:
		return "arc"
	case 243:
		if f.wide {
			return "riscv64"
		}
		return "riscv32"
	case 258:
		return "loongarch64"
	case 247:
		return "bpf"
	}
	return ""
}

func (f *File) mips(little bool) string {
	name := "mips"
	if f.wide {
		name = "mips64"
	}
	if little {
		name += "el"
	}
	return name
}
