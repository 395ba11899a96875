package distro

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
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
	c := osClaim(in, cmp.Or(v["ID"], "linux"), v["VERSION_ID"])
	c.Description, c.Homepage, c.Supplier = v["PRETTY_NAME"], v["HOME_URL"], v["VENDOR_NAME"]
	c.CPEs = osCPE(v["CPE_NAME"])
	for _, k := range osKeys {
		setExtra(&c, "os:"+strings.ToLower(k), v[k])
	}
	setExtra(&c, "os:codename", cmp.Or(v["VERSION_CODENAME"], v["UBUNTU_CODENAME"]))
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
	if in.Size() > maxRelease {
		return v, fmt.Errorf("release file of %d bytes, read up to %d", in.Size(), maxRelease)
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
