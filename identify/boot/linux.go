package boot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// kernel is what a file says of a Linux kernel inside.
type kernel struct {
	release string // "6.1.0-18-armmp"
	version string // upstream's, when the banner or the configuration states it
	builder string
	at      int64
	proc    bool // the format of /proc/version was seen: this is the kernel, not a program that quotes it
	config  map[string]string
	options nameset.Set // of config
	tokens  []int64     // where the table of symbols may have its digits
}

// kernelBanner is linux_banner in init/version.c: release, builder, compiler, and the build's number and date.
var kernelBanner = regexp.MustCompile(`^Linux version (\d+\.\d+[!-~]*) \(([^()\x00\n]+@[^()\x00\n]*)\) \(([^\x00\n]+)\) (#\d+[^\x00\n]*)\n`)

func linuxBanner(f finding) {
	m := kernelBanner.FindSubmatch(f.rest(768))
	if m == nil || f.s.kernel.release != "" {
		return
	}
	k := &f.s.kernel
	k.release, k.builder, k.at = string(m[1]), string(m[2])+" "+string(m[4]), f.s.offset+int64(f.at)
	if v := distroVersion.FindSubmatch(m[4]); v != nil {
		k.version = string(v[1]) + string(v[2])
	}
}

// distroVersion: Debian and Ubuntu keep the release of the first kernel of a series, and state the true version behind it:
// "#1 SMP Debian 6.1.76-1 (2024-02-01)", "#101-Ubuntu SMP ... (Ubuntu 5.15.0-91.101-generic 5.15.131)".
var distroVersion = regexp.MustCompile(`Debian (\d+\.\d+\.\d+)|\(Ubuntu [^ )]+ (\d+\.\d+\.\d+)\)`)

var (
	upstreamRelease = regexp.MustCompile(`^(\d+\.\d+(?:\.\d+)?(?:-rc\d+)?)`)
	abiRelease      = regexp.MustCompile(`^\d+\.\d+\.0-\d+-[a-z]`) // Debian's and Ubuntu's: the last number is not upstream's
)

// upstream is the version that a release states; "" when the release hides it.
func upstream(release string) string {
	if abiRelease.MatchString(release) {
		return ""
	}
	return upstreamRelease.FindString(release)
}

// linux says which kernel the file is.
func (s *search) linux() error {
	k := s.kernel
	if k.release == "" || !k.proc {
		return nil
	}
	x := map[string]string{"linux:release": k.release, "linux:build": k.builder}
	for key, value := range k.config {
		x[key] = value
	}
	version := k.version
	if version == "" {
		version = upstream(k.release)
	}
	if version == "" {
		version = x["linux:config-version"]
	}
	delete(x, "linux:config-version")
	w := linuxKernel(version, x)
	set := &k.options
	functions, err := s.functions()
	if functions != nil {
		set.Join(functions)
		x["linux:functions"] = strconv.Itoa(functions.Len())
	}
	w.at = k.at
	if set.Len() > 0 {
		w.symbols = set.String()
	}
	s.said = append(s.said, w)
	return err
}

func linuxKernel(version string, extra map[string]string) said {
	return said{kind: biopsy.Firmware, name: "linux", version: version, cpe: "o:linux:linux_kernel", license: "GPL-2.0-only WITH Linux-syscall-note", extra: extra, confidence: 0.97}
}

// Limits of a configuration; distributions' have some 300 KiB.
const (
	maxConfig     = 2 << 20
	maxConfigList = 64 << 10
)

// linuxConfig reads the configuration that CONFIG_IKCONFIG keeps in the kernel: gzip behind a mark.
func linuxConfig(f finding) {
	start := f.s.offset + int64(f.at) + int64(len("IKCFG_ST"))
	z, err := gzip.NewReader(bufio.NewReader(io.NewSectionReader(f.s.in.Content, start, min(maxConfig, f.s.in.Size()-start))))
	if err != nil {
		return
	}
	z.Multistream(false)
	text, err := io.ReadAll(io.LimitReader(z, maxConfig))
	if err != nil || !bytes.Contains(text, []byte("CONFIG_")) {
		f.s.in.Gap(biopsy.Gap{Place: biopsy.Place{Path: f.s.in.Place().Path, Offset: start}, Reason: "kernel configuration is damaged"})
		return
	}
	f.s.kernel.config, f.s.kernel.options = configuration(text)
}

var configVersion = regexp.MustCompile(`(?m)^# Linux/\S+ (\d+\.\d+(?:\.\d+)?(?:-rc\d+)?)\S* Kernel Configuration$`)

// configuration digests a configuration: its SHA-256, how many options are on, and which, when they are not too many. The options on
// are also a nameset of "CONFIG_NET=y", "CONFIG_ATH9K=m".
func configuration(text []byte) (extra map[string]string, options nameset.Set) {
	sum := sha256.Sum256(text)
	var on []string
	var set nameset.Set
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "CONFIG_") && (value == "y" || value == "m") {
			on = append(on, strings.TrimPrefix(name, "CONFIG_")+"="+value)
			set.Add(name + "=" + value)
		}
	}
	x := map[string]string{"linux:config-digest": "sha256:" + hex.EncodeToString(sum[:]), "linux:config-enabled": strconv.Itoa(len(on))}
	if list := strings.Join(on, " "); len(list) < maxConfigList {
		x["linux:config"] = list
	}
	if m := configVersion.FindSubmatch(text); m != nil {
		x["linux:config-version"] = string(m[1])
	}
	return x, set
}

// KernelConfig reads the configuration that distributions put beside the kernel.
var KernelConfig = biopsy.Extractor{
	Name:    "linux-config",
	Basis:   biopsy.Manifest,
	Names:   []string{"boot/config-*"},
	Head:    func(head []byte) bool { return bytes.Contains(head, []byte(" Kernel Configuration\n")) },
	Extract: readKernelConfig,
}

func readKernelConfig(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	if in.Size() > maxConfig {
		return fmt.Errorf("kernel configuration of %d bytes", in.Size())
	}
	text := make([]byte, in.Size())
	if n, err := in.ReadAt(text, 0); n < len(text) {
		return err
	}
	x, options := configuration(text)
	version := x["linux:config-version"]
	delete(x, "linux:config-version")
	if version == "" {
		return nil
	}
	if _, release, ok := strings.Cut(in.Path, "boot/config-"); ok {
		x["linux:release"] = release
	}
	w := linuxKernel(version, x)
	w.confidence, w.symbols = 0.9, options.String()
	e := w.evidence(in)
	e.Basis = biopsy.Manifest
	emit(e)
	return nil
}
