package installed

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"path"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
	"github.com/biopsy-sca/biopsy/internal/elf"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

// GoBinary reads the build information that Go's linker leaves in programs since Go 1.13 (modules since 1.12, settings since
// 1.18): the main module, all modules linked in, the standard library.
var GoBinary = biopsy.Extractor{
	Name:    "go-binary",
	Basis:   biopsy.Binary,
	Head:    isProgram,
	Extract: goBinary,
}

// machoMagics are those of 64- and 32-bit Mach-O, both byte orders, and of universal files.
var machoMagics = [][]byte{{0xfe, 0xed, 0xfa, 0xce}, {0xfe, 0xed, 0xfa, 0xcf}, {0xce, 0xfa, 0xed, 0xfe}, {0xcf, 0xfa, 0xed, 0xfe}}

// isProgram tells whether a file starts like a linked ELF, PE or Mach-O file. Object files and core dumps are none.
func isProgram(head []byte) bool {
	switch {
	case len(head) < 64:
		return false
	case string(head[:4]) == elf.Magic:
		kind := head[16] | head[17] // one of them is zero in either byte order
		return kind == elf.Exec || kind == elf.Dyn
	case string(head[:2]) == "MZ":
		return true
	}
	return isMacho(head)
}

func isMacho(head []byte) bool {
	return slices.ContainsFunc(machoMagics, func(m []byte) bool { return bytes.HasPrefix(head, m) })
}

func goBinary(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	linked, err := goLinked(in)
	if err != nil || !linked {
		return err
	}
	info, err := buildinfo.Read(in.Content)
	if err != nil {
		if head := make([]byte, 4); readFull(in, head, 0) == nil && string(head) == elf.Magic {
			return fmt.Errorf("read go build information: %w", err)
		}
		return nil // a PE or Mach-O program of another compiler: its sections do not tell beforehand
	}
	symbols, err := goSymbols(in, info)
	goModules(sheet{in, "go-binary", biopsy.Binary, emit}, info, symbols)
	return err
}

// goLinked tells whether an ELF file can have build information, by its section names. Files without sections and those of other
// formats may.
func goLinked(in biopsy.Input) (bool, error) {
	f, err := elf.Open(in.Content, in.Size())
	if errors.Is(err, elf.ErrNot) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	found, known, err := f.Mentions(".go.buildinfo", ".gopclntab", ".note.go.buildid")
	switch {
	case err != nil:
		return false, err
	case !known:
		return hasGoNote(f), nil
	case !found:
		return false, nil
	}
	_, ok, err := f.Section(".go.buildinfo")
	if !ok && err == nil && in.Gap != nil {
		in.Gap(biopsy.Gap{Place: in.Place(), Reader: "go-binary", Reason: "a go program without build information: its modules are unknown"})
	}
	return ok, err
}

func hasGoNote(f *elf.File) bool {
	found := false
	// A broken note is no Go note; the binary room reports it.
	if err := f.Notes(func(n elf.Note) bool { found = n.Owner == "Go"; return !found }); err != nil {
		return false
	}
	return found
}

// goModules emits the main module with edges to all others, the others, and the standard library, each with what of it is linked in.
func goModules(s sheet, info *debug.BuildInfo, symbols map[string]*nameset.Set) {
	settings := map[string]string{}
	for _, set := range info.Settings {
		settings[set.Key] = set.Value
	}
	var claims []biopsy.Claim
	for _, m := range info.Deps {
		if m != nil && m.Path != "" {
			claims = append(claims, linkedIn(goModule(m), symbols[m.Path]))
		}
	}
	if v := goRelease(info.GoVersion); v != "" {
		std := biopsy.Claim{Eco: "golang", Name: "stdlib", Version: v, Licenses: declared("BSD-3-Clause"), Supplier: "The Go Authors"}
		claims = append(claims, linkedIn(std, symbols[""]))
	}
	main := goMain(s, info, settings)
	if info.Main.Path != "" {
		main = linkedIn(main, symbols[info.Main.Path])
	}
	for i := range claims {
		c := &claims[i]
		c.State, c.Purl = biopsy.Embedded, eco.Purl("golang", c.Namespace, c.Name, c.Version)
		main.Needs = append(main.Needs, biopsy.Need{Purl: c.Purl, Scope: biopsy.Runtime})
	}
	sure := sureProperties
	if main.Extra["go:version-from"] != "" || main.Eco == "" {
		sure = sureGuess
	}
	s.say(main, sure)
	for _, c := range claims {
		s.say(c, sureProperties)
	}
}

// keptSettings are the build settings that an inventory's reader asks about.
var keptSettings = []string{"-buildmode", "-compiler", "-tags", "CGO_ENABLED", "GOARCH", "GOARM", "GOEXPERIMENT", "GOFIPS140", "GOMIPS", "GOOS", "vcs.modified", "vcs.revision", "vcs.time"}

// goMain is the claim of the program's own module. Without a module path the file's name stands, and no purl.
func goMain(s sheet, info *debug.BuildInfo, settings map[string]string) biopsy.Claim {
	c := biopsy.Claim{Kind: biopsy.Application, State: biopsy.Installed, Whole: true, Name: path.Base(s.in.Path), Arch: settings["GOARCH"],
		Extra: map[string]string{"go:version": info.GoVersion}}
	if info.Main.Path != "" {
		c.Eco = "golang"
		c.Namespace, c.Name = goName(info.Main.Path)
		if info.Main.Version != "(devel)" {
			c.Version = info.Main.Version
		}
	}
	if info.Path != "" {
		c.Extra["go:package"] = info.Path
	}
	for _, k := range keptSettings {
		if v := settings[k]; v != "" {
			c.Extra["go:"+k] = v
		}
	}
	if c.Version == "" {
		if m := linkedVersion.FindStringSubmatch(settings["-ldflags"]); m != nil {
			c.Version, c.Extra["go:version-from"] = m[1], "-ldflags"
		}
	}
	return c
}

// linkedVersion finds the version that a build wrote into a variable with the linker's -X.
var linkedVersion = regexp.MustCompile(`-X[ =]['"]?[\w./-]*\.(?i:version|buildversion|appversion|programversion)=(v?\d+\.\d+[\w.+-]*)`)

// goModule is the claim of a linked module: of its replacement, when that is a module too. A replacement by a folder has no
// version; the original's stands, with less to be said for it.
func goModule(m *debug.Module) biopsy.Claim {
	extra := map[string]string{}
	if r := m.Replace; r != nil {
		if r.Version != "" && r.Version != "(devel)" && !isFolder(r.Path) {
			extra["go:replaces"] = m.Path + "@" + m.Version
			m = r
		} else {
			extra["go:replaced-by"] = r.Path
		}
	}
	if m.Sum != "" {
		extra["go:sum"] = m.Sum
	}
	c := biopsy.Claim{Eco: "golang", Version: m.Version}
	if c.Version == "(devel)" {
		c.Version = ""
	}
	c.Namespace, c.Name = goName(m.Path)
	if len(extra) > 0 {
		c.Extra = extra
	}
	return c
}

// linkedIn notes which functions of a module the program holds; nil when its line table does not say.
func linkedIn(c biopsy.Claim, symbols *nameset.Set) biopsy.Claim {
	if symbols != nil {
		c.Symbols = symbols.String()
	}
	return c
}

// isFolder tells a replacement by a folder: the go command wants it to start with "./" or "../", or to be absolute.
func isFolder(p string) bool {
	return strings.HasPrefix(p, ".") || path.IsAbs(p) || strings.Contains(p, `:\`)
}

// goName splits a module path as purl does: everything in front of the last slash is the namespace.
func goName(p string) (namespace, name string) {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i], p[i+1:]
	}
	return "", p
}

var goVersion = regexp.MustCompile(`^go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)`)

// goRelease turns "go1.21.3 X:boringcrypto" into "1.21.3"; "" for development builds.
func goRelease(v string) string {
	if m := goVersion.FindStringSubmatch(v); m != nil {
		return m[1]
	}
	return ""
}
