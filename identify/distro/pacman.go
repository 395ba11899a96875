package distro

import (
	"context"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Pacman reads one installed package of Arch Linux (libalpm 15): var/lib/pacman/local/NAME-VERSION/desc, a field name between percent
// signs, its values one a line, an empty line.
var Pacman = biopsy.Extractor{
	Name:    "pacman",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/pacman/local/*/desc"},
	History: true,
	Extract: pacmanDesc,
}

// PacmanFiles reads which files a package installed: the file "files" beside desc, relative paths, folders with a slash behind.
var PacmanFiles = biopsy.Extractor{
	Name:    "pacman-files",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/pacman/local/*/files"},
	Extract: pacmanFiles,
}

// maxValues bounds the values of one field.
const maxValues = 4096

func pacmanDesc(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	fields := map[string][]string{}
	err := pacmanFields(ctx, in, func(field, value string) {
		if len(fields[field]) < maxValues {
			fields[field] = append(fields[field], value)
		}
	})
	one := func(field string) string { return strings.Join(fields[field], " ") }
	c := biopsy.Claim{
		Eco:         "alpm",
		Name:        one("NAME"),
		Version:     one("VERSION"),
		Arch:        one("ARCH"),
		State:       biopsy.Installed,
		Supplier:    one("PACKAGER"),
		Description: one("DESC"),
		Homepage:    one("URL"),
		Needs:       resolve(one("NAME"), apkNames(one("DEPENDS")), nil),
	}
	if c.Name == "" {
		return err
	}
	if base := one("BASE"); base != "" && base != c.Name {
		c.Source = &biopsy.Upstream{Name: base}
	}
	for _, l := range fields["LICENSE"] {
		c.Licenses = append(c.Licenses, declared(l)...)
	}
	setExtra(&c, "alpm:provides", strings.Join(apkNames(one("PROVIDES")), ","))
	setRoot(&c, rootOf(in.Path, "var/lib/pacman/"))
	emit(evidence(in, "pacman", 0, c))
	return err
}

// pacmanFields calls yield for every value. Fields of other names than capital letters and digits are passed over.
func pacmanFields(ctx context.Context, in biopsy.Input, yield func(field, value string)) error {
	r := readLines(in)
	field := ""
	for ctx.Err() == nil {
		b, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case len(b) == 0:
			field = ""
		case len(b) > 2 && b[0] == '%' && b[len(b)-1] == '%':
			field = string(b[1 : len(b)-1])
		case field != "":
			yield(field, string(b))
		}
	}
	return ctx.Err()
}

func pacmanFiles(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	o := owned{root: rootOf(in.Path, "var/lib/pacman/")}
	err := pacmanFields(ctx, in, func(field, value string) {
		if field == "FILES" && !strings.HasSuffix(value, "/") {
			o.add([]byte(value))
		}
	})
	name, version := pacmanName(strings.TrimSuffix(in.Path, "/files"))
	if name == "" || len(o.paths) == 0 {
		return err
	}
	c := biopsy.Claim{Eco: "alpm", Name: name, Version: version, About: true, Owns: o.paths}
	setRoot(&c, o.root)
	emit(evidence(in, "pacman-files", 0, c))
	return err
}

// pacmanName splits the folder "NAME-VERSION-RELEASE"; "" when it is of another shape.
func pacmanName(dir string) (name, version string) {
	base := dir[strings.LastIndexByte(dir, '/')+1:]
	release := strings.LastIndexByte(base, '-')
	if release <= 0 {
		return "", ""
	}
	v := strings.LastIndexByte(base[:release], '-')
	if v <= 0 {
		return "", ""
	}
	return base[:v], base[v+1:]
}
