package distro

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// RPMManifest reads the list that distroless images of Azure Linux and CBL-Mariner carry in place of a database: the answer of
// rpm --query --all (RPM 4.18) in ten columns between tabs, one package a line.
var RPMManifest = biopsy.Extractor{
	Name:    "rpm-manifest",
	Basis:   biopsy.Manifest,
	Names:   []string{"var/lib/rpmmanifest/container-manifest-2"},
	History: true,
	Extract: rpmManifest,
}

// The columns that are read. Between them stand when it was installed and built, its size, and the epoch as a number.
const (
	manifestName = iota
	manifestVersion
	_
	_
	manifestVendor
	manifestEpoch // "(none)" when the package has none
	_
	manifestArch
	_
	manifestSource
	manifestColumns
)

// rpmManifest reads all lines that it can; the first that is no package becomes the error.
func rpmManifest(ctx context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	root := rootOf(in.Path, "var/lib/rpmmanifest/")
	r := readLines(in)
	var bad error
	for ctx.Err() == nil {
		b, err := r.next()
		if err == io.EOF {
			return bad
		}
		if err != nil {
			return err
		}
		if r.n > maxPackages {
			return errMany
		}
		if len(bytes.TrimSpace(b)) == 0 {
			continue
		}
		column := strings.SplitN(string(b), "\t", manifestColumns+1)
		if len(column) != manifestColumns || column[manifestName] == "" {
			if bad == nil {
				bad = fmt.Errorf("line %d is not a name and %d columns more", r.n, manifestColumns-1)
			}
			continue
		}
		if c := rpmManifestClaim(column); c.Name != "gpg-pubkey" {
			setRoot(&c, root)
			emit(evidence(in, "rpm-manifest", r.n, c))
		}
	}
	return ctx.Err()
}

func rpmManifestClaim(column []string) biopsy.Claim {
	known := func(i int) string {
		if column[i] == "(none)" {
			return ""
		}
		return column[i]
	}
	plain := known(manifestVersion)
	c := biopsy.Claim{
		Eco:      "rpm",
		Name:     column[manifestName],
		Version:  plain,
		Arch:     known(manifestArch),
		State:    biopsy.Installed,
		Supplier: known(manifestVendor),
		Source:   rpmSource(known(manifestSource), column[manifestName], plain),
	}
	setEpoch(&c, known(manifestEpoch))
	setExtra(&c, "rpm:source-rpm", known(manifestSource))
	return c
}
