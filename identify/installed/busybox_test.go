package installed

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/nameset"
)

const busyBoxWords = "usage\x00Zz\x00[\x00[[\x00ash\x00awk\x00cat\x00udhcpc\x00vendortool\x00wget\x00aaa\x00"

func TestBusyBox(t *testing.T) {
	var got []biopsy.Evidence
	b := append([]byte("\x7fELF"), "\x00junk\x00BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1)\x00"+busyBoxWords...)
	if err := BusyBox.Extract(context.Background(), input("bin/busybox", b, nil), func(e biopsy.Evidence) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Claim.Version != "1.35.0" || got[0].Claim.Extra["busybox:build"] != "Debian 1:1.35.0-4+deb12u1" {
		t.Fatalf("got %+v, want version and build of the banner", got)
	}
	if want := "[ [[ ash awk cat udhcpc vendortool wget"; got[0].Claim.Extra["busybox:applets"] != want {
		t.Errorf("applets: got %q, want %q", got[0].Claim.Extra["busybox:applets"], want)
	}
	s, err := nameset.Parse(got[0].Claim.Symbols)
	if err != nil || !s.Has("awk") || s.Has("telnetd") {
		t.Errorf("set of applets: awk %v, telnetd %v, %v", s.Has("awk"), s.Has("telnetd"), err)
	}
}

func TestNoBusyBox(t *testing.T) {
	var gaps []biopsy.Gap
	for name, text := range map[string]string{"another shell": "GNU bash, version 5.2.15", "quoted in a text": "BusyBox v", "no applets": "BusyBox v1.35.0 (2024)\x00ls\x00cat\x00"} {
		in := input("bin/sh", []byte(text), nil)
		in.Gap = func(g biopsy.Gap) { gaps = append(gaps, g) }
		if err := BusyBox.Extract(context.Background(), in, func(e biopsy.Evidence) {
			if e.Claim.Symbols != "" {
				t.Errorf("%s: got applets %q", name, e.Claim.Extra["busybox:applets"])
			}
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(gaps) != 1 || !strings.Contains(gaps[0].Reason, "1.35.0") {
		t.Errorf("got gaps %v, want one for the program without applets", gaps)
	}
}

func FuzzBusyBox(f *testing.F) {
	f.Add([]byte("BusyBox v1.35.0 (x)\x00" + busyBoxWords))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := BusyBox.Extract(context.Background(), input("bin/busybox", b, nil), func(e biopsy.Evidence) {
			if !slices.IsSorted(strings.Fields(e.Claim.Extra["busybox:applets"])) {
				t.Errorf("applets out of order: %q", e.Claim.Extra["busybox:applets"])
			}
		}); err != nil {
			t.Fatal(err)
		}
	})
}
