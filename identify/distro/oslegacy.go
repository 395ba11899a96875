package distro

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// OSLegacy reads the older files that name an operating system. Each claim is About: it adds to the system that an os-release
// names, and tells the distribution of packages where there is none.
var OSLegacy = biopsy.Extractor{
	Name:  "os-legacy",
	Basis: biopsy.Manifest,
	Names: []string{"etc/openwrt_release", "etc/lsb-release", "etc/alpine-release", "etc/debian_version", "etc/redhat-release",
		"etc/centos-release", "etc/fedora-release", "etc/system-release"},
	Extract: osLegacy,
}

func osLegacy(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	text, err := io.ReadAll(io.LimitReader(in.Reader(), maxRelease))
	if err != nil {
		return fmt.Errorf("read release: %w", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	var c biopsy.Claim
	switch path.Base(in.Path) {
	case "openwrt_release", "lsb-release":
		c, err = lsbClaim(in)
	case "alpine-release":
		c = osClaim(in, "alpine", line)
	case "debian_version":
		c = debianClaim(in, line)
	default:
		c = redhatClaim(in, line)
	}
	if c.Name == "" {
		return err
	}
	c.About, c.State = true, ""
	e := evidence(in, "os-legacy", 0, c)
	e.Confidence = sureLegacy
	emit(e)
	return err
}

// lsbClaim reads DISTRIB_ID and its like (LSB 5, and OpenWrt after it). The zero claim when there is no id.
func lsbClaim(in biopsy.Input) (biopsy.Claim, error) {
	v, err := assignments(in)
	if v["DISTRIB_ID"] == "" {
		return biopsy.Claim{}, err
	}
	c := osClaim(in, strings.ToLower(v["DISTRIB_ID"]), v["DISTRIB_RELEASE"])
	c.Description = v["DISTRIB_DESCRIPTION"]
	setExtra(&c, "os:pretty_name", v["DISTRIB_DESCRIPTION"])
	setExtra(&c, "os:codename", v["DISTRIB_CODENAME"])
	setExtra(&c, "os:openwrt_board", v["DISTRIB_TARGET"])
	setExtra(&c, "os:openwrt_arch", v["DISTRIB_ARCH"])
	setExtra(&c, "os:build_id", v["DISTRIB_REVISION"])
	return c, err
}

// debianClaim reads "12.5" or "trixie/sid". Derived distributions keep the file as it is, so it names no operating system.
func debianClaim(in biopsy.Input, line string) biopsy.Claim {
	if line == "" {
		return biopsy.Claim{}
	}
	return pointRelease(in, "debian", line)
}

// pointRelease adds to an operating system that an os-release names, and to no other.
func pointRelease(in biopsy.Input, id, release string) biopsy.Claim {
	c := biopsy.Claim{Eco: "generic", Name: id}
	setRoot(&c, rootOf(in.Path, "etc/"))
	setExtra(&c, "os:point_release", release)
	return c
}

// redhatIDs are the first words of release files, and the os-release ID of the same distribution.
var redhatIDs = []struct{ words, id string }{
	{"Red Hat Enterprise Linux", "rhel"},
	{"CentOS", "centos"},
	{"Fedora", "fedora"},
	{"Rocky Linux", "rocky"},
	{"AlmaLinux", "almalinux"},
	{"Oracle Linux", "ol"},
	{"Amazon Linux", "amzn"},
	{"Scientific Linux", "scientific"},
}

// redhatClaim reads "CentOS release 6.10 (Final)". Version 7 and all of later years have an os-release, with the shorter version that
// advisories speak of, and derived distributions keep this file for programs that look for it: there it names no operating system. The
// zero claim when the words are of no distribution we know.
func redhatClaim(in biopsy.Input, line string) biopsy.Claim {
	for _, d := range redhatIDs {
		if !strings.HasPrefix(line, d.words) {
			continue
		}
		_, rest, _ := strings.Cut(line, " release ")
		version, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		major, _, _ := strings.Cut(version, ".")
		if len(major) != 1 || major[0] > '6' {
			return pointRelease(in, d.id, version)
		}
		c := osClaim(in, d.id, major)
		c.Description = line
		setExtra(&c, "os:pretty_name", line)
		setExtra(&c, "os:point_release", version)
		return c
	}
	return biopsy.Claim{}
}
