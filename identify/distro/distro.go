// Package distro reads the package databases of Linux distributions.
//
// What comes in: a database file, a file list or an os-release, wherever a root file system lies in the tree. What goes out:
// one claim per installed package with its edges and files, and claims about the operating system itself. Namespace, Distro and
// Purl stay empty: only the whole tree knows which distribution it is, and the reconciler fills them. It never decides
// which of two claims is right, and never follows a link.
package distro

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// All is every reader of this room.
var All = []biopsy.Extractor{
	OSRelease,
	OSLegacy,
	Dpkg,
	DpkgStatusD,
	DpkgFiles,
	DpkgSums,
	DpkgCopyright,
	DebControl,
	Opkg,
	OpkgControl,
	OpkgFiles,
	Apk,
	RPM,
	RPMLog,
	RPMManifest,
	Chisel,
	Pacman,
	PacmanFiles,
	Portage,
	PortageFiles,
	Snap,
	Flatpak,
	Buildroot,
	Yocto,
}

// maxPackages bounds the packages of one database; the whole of Debian has 70,000.
const maxPackages = 300_000

var errMany = fmt.Errorf("more than %d packages", maxPackages)

// evidence wraps a claim that a database makes in one line or record.
func evidence(in biopsy.Input, reader string, line int, c biopsy.Claim) biopsy.Evidence {
	return biopsy.Evidence{Claim: c, Place: in.At(line), Reader: reader, Basis: biopsy.Manifest, Confidence: 1, Shadowed: in.Shadowed}
}
