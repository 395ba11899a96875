package distro

import (
	"context"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Dpkg reads the database of installed packages of Debian and its relatives (dpkg 1.22, deb-status(5) as kept in
// /var/lib/dpkg/status). Packages that left only configuration files behind are not claimed.
var Dpkg = biopsy.Extractor{
	Name:    "dpkg",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/dpkg/status"},
	History: true,
	Extract: dpkgStatus,
}

// DpkgStatusD reads the databases of images without dpkg: one control file per package in /var/lib/dpkg/status.d.
var DpkgStatusD = biopsy.Extractor{
	Name:    "dpkg-status-d",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/dpkg/status.d/*", "usr/lib/dpkg/status.d/*"},
	Wants:   inStatusD,
	History: true,
	Extract: dpkgStatus,
}

// DebControl reads the control file inside a .deb or .ipk package that lies in the tree without being installed.
var DebControl = biopsy.Extractor{
	Name:    "deb-control",
	Basis:   biopsy.Manifest,
	Names:   []string{"control"},
	Wants:   func(path string) bool { return path == "control" },
	Extract: debControl,
}

var debFields = fieldSet("Package", "Status", "Version", "Architecture", "Source", "Maintainer", "Original-Maintainer", "Homepage",
	"Description", "Section", "Depends", "Pre-Depends", "Provides", "Built-Using", "Static-Built-Using", "Multi-Arch")

func inStatusD(path string) bool {
	return under(path, "lib/dpkg/status.d/") && !strings.HasSuffix(path, ".md5sums")
}

func dpkgStatus(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	root := rootOf(in.Path, "var/lib/dpkg/", "usr/lib/dpkg/")
	reader := "dpkg"
	if inStatusD(in.Path) {
		reader = "dpkg-status-d"
	}
	return debPackages(ctx, in, func(s *stanza) {
		if !debPresent(s.get("Status")) {
			return
		}
		c := debClaim(s, "deb")
		c.State = biopsy.Installed
		setRoot(&c, root)
		emit(evidence(in, reader, s.line, c))
	})
}

// debControl claims what a package file would install. Its files are members of the same descent.
func debControl(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	eco := packageFile(in.In)
	if eco == "" {
		return nil
	}
	return debPackages(ctx, in, func(s *stanza) {
		c := debClaim(s, "deb")
		if eco == "opkg" {
			c = opkgClaim(s)
		}
		c.State = biopsy.Embedded
		emit(evidence(in, "deb-control", s.line, c))
	})
}

// packageFile returns the ecosystem of the package file that a chain of descents goes through last; "" for none.
func packageFile(descents string) string {
	eco := ""
	for name := range strings.SplitSeq(descents, "!") {
		switch {
		case strings.HasSuffix(name, ".deb"), strings.HasSuffix(name, ".udeb"):
			eco = "deb"
		case strings.HasSuffix(name, ".ipk"), strings.HasSuffix(name, ".opk"):
			eco = "opkg"
		}
	}
	return eco
}

// debPackages calls each for every paragraph that names a package.
func debPackages(ctx context.Context, in biopsy.Input, each func(*stanza)) error {
	r := stanzas{lines: readLines(in), want: opkgFields}
	s := stanza{fields: make(map[string]string, 16)}
	for n := 0; ctx.Err() == nil; n++ {
		if n > maxPackages {
			return errMany
		}
		err := r.next(&s)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if s.get("Package") != "" {
			each(&s)
		}
	}
	return ctx.Err()
}

// debPresent tells from a Status field ("install ok installed") whether the package's files are there. What is selected for
// removal but not removed is. A control file has no status: it is taken for what it stands in for.
func debPresent(status string) bool {
	f := strings.Fields(status)
	if len(f) == 0 {
		return true
	}
	switch f[len(f)-1] {
	case "not-installed", "config-files":
		return false
	}
	return true
}

// debClaim says what a paragraph says; eco is "deb" or "opkg".
func debClaim(s *stanza, eco string) biopsy.Claim {
	c := biopsy.Claim{
		Eco:         eco,
		Kind:        debKind(s.get("Section")),
		Name:        s.get("Package"),
		Version:     s.get("Version"),
		Arch:        s.get("Architecture"),
		Source:      debSource(s.get("Source")),
		Supplier:    oneLine(s.get("Maintainer")),
		Homepage:    s.get("Homepage"),
		Description: s.get("Description"),
		Needs:       debNeeds(s.get("Pre-Depends"), s.get("Depends")),
	}
	setExtra(&c, eco+":section", s.get("Section"))
	setExtra(&c, eco+":multi-arch", s.get("Multi-Arch"))
	setExtra(&c, eco+":provides", debNames(s.get("Provides")))
	setExtra(&c, eco+":built-using", oneLine(s.get("Built-Using")))
	setExtra(&c, eco+":static-built-using", oneLine(s.get("Static-Built-Using")))
	setExtra(&c, eco+":original-maintainer", oneLine(s.get("Original-Maintainer")))
	if st := s.get("Status"); st != "" && !strings.HasSuffix(st, " installed") {
		setExtra(&c, eco+":status", st)
	}
	return c
}

// debKind knows the archive sections (Debian policy 2.4) whose packages are libraries; other sections say nothing certain.
func debKind(section string) biopsy.Kind {
	switch section[strings.LastIndexByte(section, '/')+1:] {
	case "libs", "oldlibs", "libdevel":
		return biopsy.Library
	}
	return ""
}

// oneLine unfolds a field.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }
