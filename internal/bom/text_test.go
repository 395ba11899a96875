package bom

import (
	"io"
	"strings"
	"testing"
)

func TestCPE(t *testing.T) {
	for cpe, want := range map[string]bool{
		`cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*`: true, `cpe:2.3:o:x:y_z:1\+2\/3:-:*:en-us:*:*:*:*`: true, `cpe:2.3:*:a:b:?1*:*:*:*:*:*:*:*`: true,
		`cpe:2.3:a:b`: false, `cpe:2.3:x:a:b:1:*:*:*:*:*:*:*`: false, `cpe:2.3:a:a b:b:1:*:*:*:*:*:*:*`: false, `cpe:2.3:a:a:b:1:*:*:english:*:*:*:*`: false,
		`cpe:2.3:a:a:b:1+2:*:*:*:*:*:*:*`: false, `cpe:2.3:a:a:b::*:*:*:*:*:*:*`: false, ``: false,
	} {
		if got := CPE23(cpe); got != want {
			t.Errorf("CPE23(%q): got %v, want %v", cpe, got, want)
		}
	}
	for cpe, want := range map[string]bool{`cpe:/a:b:c:1.0`: true, `cpe:/o:linux:linux_kernel:2.6%2b`: true, `cpe:/:b`: true, `cpe:/a`: true, `cpe:/ab:c`: false,
		`cpe:/a:b:c:1:*`: false, `cpe:/a:1:2:3:4:5:6:7`: false, `cpe:/`: false, `cpe:2.3:a`: false} {
		if got := CPE22(cpe); got != want {
			t.Errorf("CPE22(%q): got %v, want %v", cpe, got, want)
		}
	}
}

func TestURI(t *testing.T) {
	for uri, want := range map[string]bool{
		"https://a.b/c?d=e#f": true, "pkg:npm/%40a/b@1": true, "urn:uuid:x": true, "https://u@h:80/": true, "": false, "a/b": false, "git@github.com:a/b.git": false,
		"https://host:port/": false, "https://a b": false, "https://a/%zz": false, "https://a/%4": false, "https://a#b#c": false, "http://[::1": false, "x:": false, "1x:y": false, "hü:x": false, "a:\x00": false,
	} {
		if got := URI(uri); got != want {
			t.Errorf("URI(%q): got %v, want %v", uri, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "a\tb\nc": "a\tb\nc", "a\x00b": "a\uFFFDb", "\xff": "\uFFFD", "ä\uffff": "ä\uFFFD", "\x1b[m": "\uFFFD[m"} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q): got %q, want %q", in, got, want)
		}
	}
	if got, want := Line(" a\r\n\nb\x00 "), "a b\uFFFD"; got != want {
		t.Errorf("Line: got %q, want %q", got, want)
	}
}

func TestUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "ab": "ab", "\xef\xbb\xbfa": "a", "\xff\xfea\x00\xac\x20": "a€", "\xfe\xff\x00a\x20\xac": "a€", "\xff\xfe\x3d\xd8\x00\xde": "😀",
	} {
		got, err := io.ReadAll(UTF8(strings.NewReader(in)))
		if err != nil || string(got) != want {
			t.Errorf("UTF8(%q): got %q, %v, want %q", in, got, err, want)
		}
	}
	if _, err := io.ReadAll(UTF8(strings.NewReader("\xff\xfea"))); err != io.ErrUnexpectedEOF {
		t.Errorf("half a character: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}
