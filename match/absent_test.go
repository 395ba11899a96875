package match

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/nameset"
	"github.com/biopsy-sca/biopsy/refdb"
)

// lookups is a book that knows records by id only.
type lookups map[string][]biopsy.Advisory

func (lookups) Package(string, string) ([]refdb.Entry, error)         { return nil, nil }
func (b lookups) Lookup(id string) ([]biopsy.Advisory, error)         { return b[id], nil }
func (lookups) Exploit(string) (e biopsy.Exploit, ok bool, err error) { return }

func names(list ...string) string {
	var s nameset.Set
	for _, n := range list {
		s.Add(n)
	}
	return s.String()
}

// ruledOut runs RuleOut over one component with one finding, and returns its answer and first reason.
func ruledOut(t *testing.T, c biopsy.Component, o Options, records ...biopsy.Advisory) (biopsy.Answer, biopsy.Because) {
	t.Helper()
	c.ID = "c"
	f := []biopsy.Finding{{Component: "c", Subject: "vulnerability", Advisory: "CVE-2024-1", Answer: biopsy.Yes, Because: []biopsy.Because{{Record: "CVE-2024-1", Rule: "range"}}}}
	if err := RuleOut(context.Background(), &biopsy.Inventory{Components: []biopsy.Component{c}}, []Book{lookups{"CVE-2024-1": records}}, f, o); err != nil {
		t.Fatal(err)
	}
	if f[0].Answer == biopsy.No && len(f[0].Because) != 2 {
		t.Errorf("got %d reasons, want the version's kept behind the new one", len(f[0].Because))
	}
	return f[0].Answer, f[0].Because[0]
}

func goModuleOf(symbols ...string) biopsy.Component {
	c := biopsy.Component{Eco: "golang", Namespace: "golang.org/x", Name: "net", Version: "v0.17.0"}
	for i, s := range symbols {
		c.Evidence = append(c.Evidence, biopsy.Evidence{Claim: biopsy.Claim{Symbols: s}, Place: biopsy.Place{Path: "usr/bin/" + string(rune('a'+i))}})
	}
	return c
}

func TestRuleOutGo(t *testing.T) {
	record := func(id, name string, symbols ...string) biopsy.Advisory {
		return biopsy.Advisory{ID: id, Published: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC),
			Affected: []biopsy.Affected{{Ecosystem: "Go", Name: name, Symbols: symbols}}}
	}
	html := names("golang.org/x/net/html", "golang.org/x/net/html.Parse")
	h2 := names("golang.org/x/net/http2", "golang.org/x/net/http2.Server.ServeConn")
	withdrawn := record("GO-2024-1", "golang.org/x/net", "golang.org/x/net/http2.Server.ServeConn")
	withdrawn.Withdrawn = withdrawn.Published
	want := record("GO-2024-1", "golang.org/x/net", "golang.org/x/net/http2.Server.ServeConn", "golang.org/x/net/http2.serverConn.serve")
	for name, c := range map[string]struct {
		component biopsy.Component
		records   []biopsy.Advisory
		asOf      time.Time
		want      biopsy.Answer
	}{
		"not linked":             {goModuleOf(html), []biopsy.Advisory{want}, time.Time{}, biopsy.No},
		"linked":                 {goModuleOf(h2), []biopsy.Advisory{want}, time.Time{}, biopsy.Yes},
		"linked in one of two":   {goModuleOf(html, h2), []biopsy.Advisory{want}, time.Time{}, biopsy.Yes},
		"a go.mod beside it":     {goModuleOf(html, ""), []biopsy.Advisory{want}, time.Time{}, biopsy.Yes},
		"damaged set":            {goModuleOf("?"), []biopsy.Advisory{want}, time.Time{}, biopsy.Yes},
		"whole package not":      {goModuleOf(html), []biopsy.Advisory{record("GO-2024-1", "golang.org/x/net", "golang.org/x/net/http2")}, time.Time{}, biopsy.No},
		"whole package":          {goModuleOf(h2), []biopsy.Advisory{record("GO-2024-1", "golang.org/x/net", "golang.org/x/net/http2")}, time.Time{}, biopsy.Yes},
		"no functions named":     {goModuleOf(html), []biopsy.Advisory{record("GO-2024-1", "golang.org/x/net")}, time.Time{}, biopsy.Yes},
		"second record disagree": {goModuleOf(html), []biopsy.Advisory{want, record("GO-2024-2", "golang.org/x/net", "golang.org/x/net/html.Parse")}, time.Time{}, biopsy.Yes},
		"another database":       {goModuleOf(html), []biopsy.Advisory{record("GHSA-1", "golang.org/x/net", "Server.ServeConn")}, time.Time{}, biopsy.Yes},
		"another module":         {goModuleOf(html), []biopsy.Advisory{record("GO-2024-1", "stdlib", "net/http.Serve")}, time.Time{}, biopsy.Yes},
		"withdrawn record":       {goModuleOf(html), []biopsy.Advisory{withdrawn}, time.Time{}, biopsy.Yes},
		"record of a later day":  {goModuleOf(html), []biopsy.Advisory{want}, time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), biopsy.Yes},
	} {
		got, because := ruledOut(t, c.component, Options{AsOf: c.asOf}, c.records...)
		if got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if got == biopsy.No && (because.Rule != "not-linked" || !strings.Contains(because.Text, "usr/bin/a")) {
			t.Errorf("%s: got reason %+v, want the rule not-linked and the program", name, because)
		}
	}
}

func TestRuleOutKernel(t *testing.T) {
	kernel := func(config ...string) biopsy.Component {
		return biopsy.Component{Eco: "generic", Name: "linux", Version: "6.1.90", Evidence: []biopsy.Evidence{
			{Claim: biopsy.Claim{Name: "linux", Version: "6.1.90", Symbols: names(config...), Extra: map[string]string{"linux:config-digest": "sha256:1"}}, Place: biopsy.Place{Path: "boot/zImage"}}}}
	}
	withModules := func(c biopsy.Component, list ...string) biopsy.Component {
		c.Evidence = append(c.Evidence, biopsy.Evidence{Claim: biopsy.Claim{Name: "linux", Symbols: names(list...), Extra: map[string]string{"linux:modules": "1"}}, Place: biopsy.Place{Path: "lib/modules/6.1.90/modules.dep"}})
		return c
	}
	withBuiltIn := func(c biopsy.Component, list ...string) biopsy.Component {
		c.Evidence = append(c.Evidence, biopsy.Evidence{Claim: biopsy.Claim{Name: "linux", Symbols: names(list...), Extra: map[string]string{"linux:builtin": "1"}}, Place: biopsy.Place{Path: "lib/modules/6.1.90/modules.builtin"}})
		return c
	}
	record := func(ecosystem, name string, files ...string) biopsy.Advisory {
		return biopsy.Advisory{ID: "CVE-2024-1", Affected: []biopsy.Affected{{Ecosystem: ecosystem, Name: name, Files: files}}}
	}
	xfs := record("Linux", "Kernel", "fs/xfs/xfs_inode.c")
	withFunctions := func(c biopsy.Component, list ...string) biopsy.Component {
		c.Evidence = append(c.Evidence, biopsy.Evidence{Claim: biopsy.Claim{Name: "linux", Symbols: names(list...), Extra: map[string]string{"linux:functions": "1"}}, Place: biopsy.Place{Path: "boot/zImage"}})
		return c
	}
	named := record("Linux", "Kernel", "fs/xfs/xfs_inode.c")
	named.Affected[0].Symbols = []string{"xfs_iget"}
	for name, c := range map[string]struct {
		component biopsy.Component
		record    biopsy.Advisory
		want      biopsy.Answer
	}{
		"off":                   {kernel("CONFIG_EXT4_FS=y"), xfs, biopsy.No},
		"on":                    {kernel("CONFIG_XFS_FS=y"), xfs, biopsy.Yes},
		"module shipped":        {withModules(kernel("CONFIG_XFS_FS=m"), "fs/xfs/xfs.ko"), xfs, biopsy.Yes},
		"module not shipped":    {withModules(kernel("CONFIG_XFS_FS=m"), "fs/fat/fat.ko"), xfs, biopsy.No},
		"list of built-in only": {withBuiltIn(kernel("CONFIG_XFS_FS=m"), "fs/fat/fat.ko"), xfs, biopsy.Yes},
		"lists without config":  {withBuiltIn(withModules(biopsy.Component{Eco: "generic", Name: "linux", Version: "6.1.90"}, "fs/fat/fat.ko"), "fs/ext4/ext4.ko"), xfs, biopsy.No},
		"function is there":     {withFunctions(kernel("CONFIG_EXT4_FS=y"), "xfs_iget"), named, biopsy.Yes},
		"function is not there": {withFunctions(kernel("CONFIG_EXT4_FS=y"), "ext4_iget"), named, biopsy.No},
		"a second kernel": {func() biopsy.Component {
			c := kernel("CONFIG_EXT4_FS=y")
			c.Evidence[0].Claim.Extra["linux:release"] = "6.1.90-a"
			c.Evidence = append(c.Evidence, biopsy.Evidence{Claim: biopsy.Claim{Name: "linux", Version: "6.1.90", Extra: map[string]string{"linux:release": "6.1.90-b"}}, Place: biopsy.Place{Path: "boot/other"}})
			return c
		}(), xfs, biopsy.Yes},
		"one file is there":    {kernel("CONFIG_EXT4_FS=y"), record("Linux", "Kernel", "fs/xfs/xfs_inode.c", "kernel/fork.c"), biopsy.Yes},
		"header beside it":     {kernel("CONFIG_EXT4_FS=y"), record("Linux", "Kernel", "fs/xfs/xfs_inode.c", "fs/xfs/xfs_inode.h"), biopsy.No},
		"header for all":       {kernel("CONFIG_EXT4_FS=y"), record("Linux", "Kernel", "fs/xfs/xfs_inode.c", "include/linux/fs.h"), biopsy.Yes},
		"headers only":         {kernel("CONFIG_EXT4_FS=y"), record("Linux", "Kernel", "include/linux/fs.h"), biopsy.Yes},
		"no files":             {kernel("CONFIG_EXT4_FS=y"), record("Linux", "Kernel"), biopsy.Yes},
		"by cpe":               {kernel("CONFIG_EXT4_FS=y"), record("CPE", "linux:linux_kernel", "fs/xfs/xfs_inode.c"), biopsy.No},
		"of another product":   {kernel("CONFIG_EXT4_FS=y"), record("CPE", "vendor:gateway", "fs/xfs/xfs_inode.c"), biopsy.Yes},
		"no configuration":     {biopsy.Component{Eco: "generic", Name: "linux", Version: "6.1.90"}, xfs, biopsy.Yes},
		"headers of debian":    {biopsy.Component{Eco: "deb", Namespace: "debian", Name: "linux-libc-dev", Version: "6.1.90-1", Source: &biopsy.Upstream{Name: "linux"}}, xfs, biopsy.No},
		"libraries of busybox": {biopsy.Component{Eco: "generic", Name: "busybox", Version: "1.35.0"}, xfs, biopsy.Yes},
	} {
		if got, because := ruledOut(t, c.component, Options{}, c.record); got != c.want {
			t.Errorf("%s: got %v because %q, want %v", name, got, because.Text, c.want)
		}
	}
}

func TestRuleOutApplets(t *testing.T) {
	box := biopsy.Component{Eco: "generic", Name: "busybox", Version: "1.30.1", Evidence: []biopsy.Evidence{
		{Basis: biopsy.Binary, Claim: biopsy.Claim{Name: "busybox", Symbols: names("ash", "ls", "udhcpc"), Extra: map[string]string{"busybox:applets": "ash ls udhcpc"}}, Place: biopsy.Place{Path: "bin/busybox"}}}}
	for file, want := range map[string]biopsy.Answer{"editors/awk.c": biopsy.No, "networking/udhcp/dhcpc.c": biopsy.Yes, "libbb/lineedit.c": biopsy.Yes, "networking/udhcp/d6_dhcpc.c": biopsy.No} {
		got, because := ruledOut(t, box, Options{}, biopsy.Advisory{ID: "CVE-2024-1", Affected: []biopsy.Affected{{Ecosystem: "Upstream", Name: "busybox", Files: []string{file}}}})
		if got != want {
			t.Errorf("%s: got %v because %q, want %v", file, got, because.Text, want)
		}
	}
	box.Evidence = append(box.Evidence, biopsy.Evidence{Basis: biopsy.Binary, Claim: biopsy.Claim{Name: "busybox"}, Place: biopsy.Place{Path: "usr/lib/renamed"}})
	awk := biopsy.Advisory{ID: "CVE-2024-1", Affected: []biopsy.Affected{{Ecosystem: "Upstream", Name: "busybox", Files: []string{"editors/awk.c"}}}}
	if got, _ := ruledOut(t, box, Options{}, awk); got != biopsy.Yes {
		t.Errorf("beside a program whose applets are not known: got %v, want yes", got)
	}
}
