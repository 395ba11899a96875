package kbuild

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy/eco"
)

func table(t testing.TB) *Table {
	t.Helper()
	linux, err := Linux()
	if err != nil {
		t.Fatal(err)
	}
	return linux
}

func kernels(t testing.TB) func(a, b string) int {
	return func(a, b string) int {
		c, err := eco.Compare("Upstream", a, b)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func config(text string) func(string) string {
	m := map[string]string{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(word, "CONFIG_"), "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

func modules(list ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(list, name) }
}

// TestAbsent: the rules of the Makefiles named in the comments, read by a person.
func TestAbsent(t *testing.T) {
	const wlan = "NET=y WLAN=y WLAN_VENDOR_ATH=y ATH9K_HW=m "
	for name, c := range map[string]struct {
		version, file string
		build         Build
		want          string
	}{
		// drivers/net/wireless/ath/ath9k/Makefile: obj-$(CONFIG_ATH9K_HTC) += ath9k_htc.o
		"option off":           {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config(wlan)}, "CONFIG_ATH9K_HTC is off"},
		"folder off":           {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config("NET=y ATH9K_HTC=m ATH9K_HW=m WLAN_VENDOR_ATH=y")}, "CONFIG_WLAN is off"},
		"on":                   {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config(wlan + "ATH9K_HTC=m")}, ""},
		"module not shipped":   {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config(wlan + "ATH9K_HTC=m"), Module: modules("fs/fat/fat")}, "the module ath9k_htc is not in the image"},
		"module shipped":       {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config(wlan + "ATH9K_HTC=m"), Module: modules("drivers/net/wireless/ath/ath9k/ath9k_htc")}, ""},
		"built in":             {"6.1.90", "drivers/net/wireless/ath/ath9k/htc_hst.c", Build{Option: config(wlan + "ATH9K_HTC=y"), Module: modules("fs/fat/fat")}, ""},
		"lists alone":          {"6.1.90", "fs/xfs/xfs_inode.c", Build{Module: modules("fs/fat/fat"), BuiltIn: true}, "xfs is neither built in nor among the modules"},
		"modules alone":        {"6.1.90", "fs/xfs/xfs_inode.c", Build{Module: modules("fs/fat/fat")}, ""},
		"never a module":       {"6.1.90", "net/ipv4/tcp_input.c", Build{Module: modules("fs/fat/fat"), BuiltIn: true}, ""},
		"always":               {"6.1.90", "kernel/fork.c", Build{Option: config("")}, ""},
		"other architecture":   {"6.1.90", "arch/x86/kvm/x86.c", Build{Option: config("ARM64=y KVM=y")}, "CONFIG_X86 is off"},
		"two paths agree":      {"6.6.20", "fs/xfs/xfs_inode.c", Build{Option: config("EXT4_FS=y")}, "CONFIG_XFS_FS is off"},
		"dropped between":      {"6.6.20", "mm/slub.c", Build{Option: config("MMU=y")}, ""},
		"older than the table": {"4.19.100", "fs/xfs/xfs_inode.c", Build{Option: config("EXT4_FS=y")}, ""},
		"newer than the table": {"8.0", "fs/xfs/xfs_inode.c", Build{Option: config("EXT4_FS=y")}, ""},
		"unknown file":         {"6.1.90", "drivers/vendor/secret.c", Build{Option: config("EXT4_FS=y")}, ""},
		"nothing known":        {"6.1.90", "fs/xfs/xfs_inode.c", Build{}, ""},
	} {
		if got := table(t).Absent(c.version, c.file, c.build, kernels(t)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestDamagedTable(t *testing.T) {
	for _, text := range []string{"", "6.1\n", "6.1\n\nx fs/a.c\n", "6.1\n\n9 fs/a.c 1 A:A:\n", "6.1\n\n-1 fs/a.c\n"} {
		if got, err := read(strings.NewReader(text)); err == nil && len(got.files) > 0 {
			t.Errorf("read(%q) = %d files, want an error or none", text, len(got.files))
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("6.1.176 6.12.107\nA B\n0 fs/a.c 1 A:A: 2 B::fs/b\n3 b.c 3 ::\n", "fs/a.c")
	f.Fuzz(func(t *testing.T, text, file string) {
		got, err := read(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(got.versions) > 64 {
			return
		}
		got.Absent("6.6", file, Build{Option: config("A=y")}, strings.Compare)
	})
}

func TestApplets(t *testing.T) {
	if got := Applets("editors/awk.c"); !slices.Equal(got, []string{"awk"}) {
		t.Errorf("awk.c: got %v", got)
	}
	if got := Applets("networking/udhcp/common.c"); !slices.Contains(got, "udhcpd") || !slices.Contains(got, "udhcpc6") {
		t.Errorf("udhcp/common.c: got %v, want all programs of udhcp", got)
	}
	if got := Applets("libbb/lineedit.c"); got != nil {
		t.Errorf("lineedit.c comes in by a feature: got %v, want nil", got)
	}
	if !IsApplet("ash") || !IsApplet("[[") || IsApplet("openssl") {
		t.Error("ash and [[ are applets, openssl is none")
	}
}

// TestRealKernel holds the table against a kernel as a distribution built it (BIOPSY_KERNEL: the unpacked package, with boot/config-* and
// lib/modules): no file of a module that is there may be called absent.
func TestRealKernel(t *testing.T) {
	root := os.Getenv("BIOPSY_KERNEL")
	if root == "" {
		t.Skip("BIOPSY_KERNEL names no unpacked kernel package")
	}
	configs, err := filepath.Glob(filepath.Join(root, "boot/config-*"))
	if err != nil || len(configs) == 0 {
		t.Fatal("no configuration", err)
	}
	text, err := os.ReadFile(configs[0])
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "CONFIG_") {
			on = append(on, strings.TrimSpace(line))
		}
	}
	built := map[string]bool{}
	tree := filepath.Join(root, "lib/modules")
	err = filepath.WalkDir(tree, func(p string, _ fs.DirEntry, err error) error {
		if _, name, ok := strings.Cut(strings.TrimPrefix(p, tree), "/kernel/"); ok && strings.Contains(name, ".ko") {
			name, _, _ = strings.Cut(name, ".ko")
			built[name] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := Build{Option: config(strings.Join(on, " ")), Module: func(name string) bool { return built[name] }}
	_, version, _ := strings.Cut(filepath.Base(configs[0]), "config-")
	linux := table(t)
	release := -1
	for i, v := range linux.versions {
		if series(v) == series(version) {
			release = i
		}
	}
	if release < 0 {
		t.Fatalf("the table has no release of the series of %s", version)
	}
	there, gone, met := 0, 0, map[string]bool{}
	for file := range linux.files {
		why := linux.Absent(version, file, b, kernels(t))
		if why == "" {
			there++
			continue
		}
		gone++
		for _, x := range linux.terms(file, release) {
			if built[x.module] && !strings.Contains(why, "CONFIG_") {
				t.Errorf("%s of the module %s, which was built, is called absent: %s", file, x.module, why)
			}
		}
	}
	for file := range linux.files {
		for _, x := range linux.terms(file, release) {
			if built[x.module] && linux.Absent(version, file, b, kernels(t)) == "" {
				met[x.module] = true
			}
		}
	}
	known := 0
	for name := range built {
		if _, ok := linux.files[name+".c"]; ok || met[name] {
			known++
			if !met[name] {
				t.Errorf("the module %s was built, and every file of it is called absent", name)
			}
		}
	}
	t.Logf("%s: %d modules built, %d of them in the table; %d source files called absent, %d not", version, len(built), known, gone, there)
}
