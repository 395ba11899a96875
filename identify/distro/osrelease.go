package distro

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// OSRelease reads which operating system a root file system is: os-release(5), systemd 256. The file in /etc stands before the
// one in /usr/lib, which shows in the confidence.
var OSRelease = biopsy.Extractor{
	Name:    "os-release",
	Basis:   biopsy.Manifest,
	Names:   []string{"etc/os-release", "usr/lib/os-release", "etc/initrd-release"},
	Extract: osRelease,
}

// OSLegacy reads the older files that name an operating system. Each claim is About: it adds to the system that an os-release
// names, and tells the distribution of packages where there is none.
var OSLegacy = biopsy.Extractor{
	Name:  "os-legacy",
	Basis: biopsy.Manifest,
	Names: []string{"etc/openwrt_release", "etc/lsb-release", "etc/alpine-release", "etc/debian_version", "etc/redhat-release",
		"etc/centos-release", "etc/fedora-release", "etc/system-release"},
	Extract: osLegacy,
}

// maxRelease bounds what is read of these files; real ones stay below 2 KiB.
const maxRelease = 64 << 10

// The confidence in each kind of file that names an operating system.
const (
	sureEtc    = 1.0
	sureUsrLib = 0.95
	sureLegacy = 0.7
)

// osKeys are the fields of os-release that end up in Extra, as "os:" and the lower-case name.
var osKeys = []string{"ID", "VERSION_ID", "ID_LIKE", "VERSION_CODENAME", "PRETTY_NAME", "NAME", "VERSION", "BUILD_ID", "VARIANT_ID", "IMAGE_ID",
	"IMAGE_VERSION", "SUPPORT_END", "SUPPORT_URL", "BUG_REPORT_URL", "PLATFORM_ID", "OPENWRT_BOARD", "OPENWRT_ARCH", "DISTRO_CODENAME"}

func osRelease(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	v, err := assignments(in)
	if len(v) == 0 {
		return err
	}
	sure := sureEtc
	if under(in.Path, "usr/lib/os-release") {
		sure = sureUsrLib
	}
	// os-release(5): without ID it is "linux"
	c := osClaim(in, first(v["ID"], "linux"), v["VERSION_ID"])
	c.Description, c.Homepage, c.Supplier = v["PRETTY_NAME"], v["HOME_URL"], v["VENDOR_NAME"]
	c.CPEs = osCPE(v["CPE_NAME"])
	for _, k := range osKeys {
		setExtra(&c, "os:"+strings.ToLower(k), v[k])
	}
	setExtra(&c, "os:codename", first(v["VERSION_CODENAME"], v["UBUNTU_CODENAME"]))
	e := evidence(in, "os-release", 0, c)
	e.Confidence = sure
	emit(e)
	return err
}

// osClaim starts a claim about the operating system of the root that the file lies in.
func osClaim(in biopsy.Input, id, version string) biopsy.Claim {
	c := biopsy.Claim{Kind: biopsy.OperatingSystem, Eco: "generic", Name: id, Version: version, State: biopsy.Installed}
	setRoot(&c, rootOf(in.Path, "etc/", "usr/lib/"))
	setExtra(&c, "os:id", id)
	setExtra(&c, "os:version_id", version)
	return c
}

// osCPE returns the CPE as 2.3. Fedora, openSUSE and others state it as a 2.2 URI that ends in the version.
func osCPE(name string) []string {
	if strings.HasPrefix(name, "cpe:2.3:") {
		return []string{name}
	}
	version := ""
	if f := strings.Split(name, ":"); len(f) > 4 {
		version = f[4]
	}
	if cpe := cpe23(name, version); cpe != "" {
		return []string{cpe}
	}
	return nil
}

// assignments reads KEY=value lines in the shell syntax that os-release(5) allows. Later lines win.
func assignments(in biopsy.Input) (map[string]string, error) {
	s := bufio.NewScanner(io.LimitReader(in.Reader(), maxRelease))
	v := map[string]string{}
	for s.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(s.Text()), "=")
		if ok && key != "" && key[0] != '#' {
			v[key] = unquote(value)
		}
	}
	if err := s.Err(); err != nil {
		return v, fmt.Errorf("read assignments: %w", err)
	}
	return v, nil
}

// unquote takes the shell's quotes and backslashes off a value.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
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

// debianClaim reads "12.5" or "trixie/sid". Derived distributions keep the file as it is, so it is no claim of an operating system,
// and adds to one only that is Debian.
func debianClaim(in biopsy.Input, line string) biopsy.Claim {
	if line == "" {
		return biopsy.Claim{}
	}
	c := biopsy.Claim{Eco: "generic", Name: "debian"}
	setRoot(&c, rootOf(in.Path, "etc/"))
	setExtra(&c, "os:point_release", line)
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

// redhatClaim reads "CentOS Linux release 7.9.2009 (Core)". The zero claim when the words are of no distribution we know.
func redhatClaim(in biopsy.Input, line string) biopsy.Claim {
	for _, d := range redhatIDs {
		if !strings.HasPrefix(line, d.words) {
			continue
		}
		_, rest, _ := strings.Cut(line, " release ")
		version, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		c := osClaim(in, d.id, version)
		c.Description = line
		setExtra(&c, "os:pretty_name", line)
		return c
	}
	return biopsy.Claim{}
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
