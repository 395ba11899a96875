package distro

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/biopsy-sca/biopsy"
)

// places are paths that between them call every reader of text.
var places = []string{
	"var/lib/dpkg/status", "var/lib/dpkg/status.d/base", "var/lib/dpkg/status.d/base.md5sums", "var/lib/dpkg/info/base.list", "usr/share/doc/base/copyright",
	"a.deb!control.tar!control", "a.ipk!control.tar.gz!control", "usr/lib/opkg/status", "usr/lib/opkg/info/a.control", "usr/lib/opkg/info/a.list",
	"lib/apk/db/installed", "etc/os-release", "etc/openwrt_release", "etc/alpine-release", "etc/debian_version", "etc/redhat-release",
	"var/lib/pacman/local/a-1-1/desc", "var/lib/pacman/local/a-1-1/files", "var/db/pkg/a/b-1/PF", "var/db/pkg/a/b-1/LICENSE", "var/db/pkg/a/b-1/CONTENTS",
	"var/lib/chisel/manifest.wall", "var/lib/rpmmanifest/container-manifest-2", "meta/snap.yaml", "manifest.csv", "license.manifest", "var/lib/flatpak/app/a/b/c/d/export/share/metainfo/a.metainfo.xml",
}

// FuzzText shows any bytes to every reader of text: no panic, no claim without a name.
func FuzzText(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			for i, p := range places {
				if filepath.Base(p) == filepath.Base(file.Name) {
					f.Add(uint8(i), file.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, data []byte) {
		fuzzReaders(t, places[int(at)%len(places)], data)
	})
}

// FuzzRPM shows any bytes to the reader of RPM databases.
func FuzzRPM(f *testing.F) {
	for _, name := range []string{"sqlite", "ndb", "bdb-1234", "bdb-4321"} {
		f.Add(gunzip(f, "testdata/rpm/"+name+".gz"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzReaders(t, "var/lib/rpm/Packages", data)
	})
}

func fuzzReaders(t *testing.T, place string, data []byte) {
	called := false
	_, inner := biopsy.Split(place)
	for _, x := range All {
		if !wants(x, inner) {
			continue
		}
		called = true
		err := x.Extract(t.Context(), input(place, data, func(biopsy.Gap) {}), func(e biopsy.Evidence) {
			if e.Claim.Name == "" {
				t.Errorf("%s: claim without a name: %+v", x.Name, e)
			}
		})
		if err != nil && err.Error() == "" {
			t.Errorf("%s: error without words", x.Name)
		}
	}
	if !called {
		t.Fatalf("no reader wants %s", place)
	}
}

// TestPlaces keeps the fuzz targets whole: every reader but those of binary databases is called by one of the places.
func TestPlaces(t *testing.T) {
	for _, x := range All {
		called := x.Name == RPM.Name || x.Name == RPMLog.Name
		for _, p := range places {
			_, inner := biopsy.Split(p)
			called = called || wants(x, inner)
		}
		if !called {
			t.Errorf("no place calls %s", x.Name)
		}
	}
}
