package installed

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/nameset"
	"github.com/biopsy-sca/biopsy/kb/kbuild"
)

// BusyBox reads the banner and the table of applets of the program that is all tools of a small device (libbb/appletlib.c of BusyBox
// 1.2 and later: names in the order of their bytes, each ended by zero). It is asked by the names under which it is installed as a file.
var BusyBox = biopsy.Extractor{
	Name:    "busybox",
	Basis:   biopsy.Binary,
	Names:   []string{"busybox*", "sh", "ash", "init", "linuxrc"},
	Head:    isProgram,
	Extract: readBusyBox,
}

// maxBusyBox is far above a static build with every applet for the widest architecture.
const maxBusyBox = 32 << 20

var busyBoxBanner = regexp.MustCompile(`BusyBox v(\d+\.\d+(?:\.\d+)?)(?:[.-](\w+))? \(([^()\x00\n]{0,100})`)

func readBusyBox(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if in.Size() > maxBusyBox {
		return nil // a shell or an init of another make
	}
	b := make([]byte, in.Size())
	if err := readFull(in, b, 0); err != nil {
		return err
	}
	m := busyBoxBanner.FindSubmatchIndex(b)
	if m == nil {
		return nil
	}
	version := string(b[m[2]:m[3]])
	c := biopsy.Claim{Kind: biopsy.Application, Eco: "generic", Name: "busybox", Version: version, Purl: eco.Purl("generic", "", "busybox", version),
		CPEs: []string{"cpe:2.3:a:busybox:busybox:" + version + ":*:*:*:*:*:*:*"}, State: biopsy.Installed, Whole: true, Licenses: declared("GPL-2.0-only"),
		Extra: map[string]string{"busybox:build": string(b[m[6]:m[7]])}}
	if f, err := elf.Open(in.Content, in.Size()); err == nil {
		c.Arch = f.Arch()
	}
	if names := appletTable(b); len(names) > 0 {
		var set nameset.Set
		for _, n := range names {
			set.Add(n)
		}
		c.Symbols = set.String()
		c.Extra["busybox:applets"] = strings.Join(names, " ")
		c.Extra["busybox:applet-count"] = strconv.Itoa(len(names))
	} else if in.Gap != nil {
		in.Gap(biopsy.Gap{Place: in.Place(), Reader: "busybox", Reason: fmt.Sprintf("the table of applets of busybox %s was not found", version)})
	}
	p := in.Place()
	p.Offset = int64(m[0])
	emit(biopsy.Evidence{Claim: c, Place: p, Reader: "busybox", Basis: biopsy.Binary, Confidence: 0.98})
	return nil
}

// fewestApplets tells a table from words that happen to stand in order.
const fewestApplets = 4

// appletTable returns the longest run of rising names of which most are applets.
func appletTable(b []byte) []string {
	var best, run []string
	known := 0
	end := func() {
		if len(run) > len(best) && known >= fewestApplets && known*2 > len(run) {
			best = run
		}
		run, known = nil, 0
	}
	for len(b) > 0 {
		word, rest, ok := bytes.Cut(b, []byte{0})
		if !ok {
			break
		}
		b = rest
		if !isAppletName(word) {
			end()
			continue
		}
		name := string(word)
		if len(run) > 0 && name <= run[len(run)-1] {
			end()
		}
		run = append(run, name)
		if kbuild.IsApplet(name) {
			known++
		}
	}
	end()
	return best
}

func isAppletName(word []byte) bool {
	if len(word) == 0 || len(word) > 32 {
		return false
	}
	for _, c := range word {
		if c != '[' && c != '-' && c != '_' && c != '.' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
