package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
)

var created = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

// pair is a key pair that is the same every time.
func pair(t testing.TB, seed int64) (minisign.PublicKey, minisign.PrivateKey) {
	t.Helper()
	pub, priv, err := minisign.GenerateKey(rand.New(rand.NewSource(seed)))
	if err != nil {
		t.Fatal(err)
	}
	return pub, priv
}

// sample is a bundle of two files, as bytes.
func sample(t testing.TB, priv minisign.PrivateKey) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"book": "all that is known", "policy": "be careful"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := Write(&b, []File{{Name: "policy.yaml", Path: filepath.Join(dir, "policy")}, {Name: "advisories.refdb", Path: filepath.Join(dir, "book")}}, priv, created); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func onDisk(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.bundle")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	pub, priv := pair(t, 1)
	data := sample(t, priv)
	if !bytes.Equal(data, sample(t, priv)) {
		t.Error("the same files, key and time give other bytes")
	}
	if !Is(data) || Is(data[1:]) || Is(data[:20]) {
		t.Error("a bundle is not known by its head, or something else is")
	}
	b, err := Open(onDisk(t, data), pub)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	to := filepath.Join(t.TempDir(), "x")
	if err := b.Extract("advisories.refdb", to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || string(got) != "all that is known" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := b.Extract("policy.yaml", to); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v: a file that is there is not overwritten", err)
	}
	if err := b.Extract("other", to+"2"); err == nil || b.Has("other") || !b.Has("policy.yaml") {
		t.Errorf("got %v, want no file of that name", err)
	}
	if b.Created != "2026-08-20T12:00:00Z" {
		t.Errorf("got %s", b.Created)
	}
}

// again writes the members of a bundle anew, changed by edit; a member that edit returns nil for is left out.
func again(t *testing.T, data []byte, edit func(name string, content []byte) []byte, more ...string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, m := range in.File {
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if content = edit(m.Name, content); content != nil {
			if err := store(out, m.Name, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range more {
		if err := store(out, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRefused(t *testing.T) {
	pub, priv := pair(t, 1)
	_, other := pair(t, 2)
	good := sample(t, priv)
	in := func(name, old, new string) []byte {
		return again(t, good, func(n string, c []byte) []byte {
			if n == name && new == "-" {
				return nil
			}
			if n == name {
				return bytes.Replace(c, []byte(old), []byte(new), 1)
			}
			return c
		})
	}
	same := func(_ string, c []byte) []byte { return c }
	for name, c := range map[string]struct {
		data []byte
		is   error
		want string
	}{
		"another key":        {sample(t, other), ErrSignature, "signed with key"},
		"changed manifest":   {in(manifestName, "2026", "2027"), ErrSignature, "was changed"},
		"changed comment":    {in(signatureName, "bundle 2026", "bundle 2027"), ErrSignature, "was changed"},
		"no signature":       {in(signatureName, "", "-"), ErrNotBundle, ""},
		"broken signature":   {in(signatureName, "untrusted", "trusted"), ErrSignature, ""},
		"changed file":       {in("advisories.refdb", "known", "knowm"), ErrContents, "was signed"},
		"longer file":        {in("advisories.refdb", "known", "known!"), ErrContents, "another size"},
		"missing file":       {in("policy.yaml", "", "-"), ErrContents, "policy.yaml is missing"},
		"one more":           {again(t, good, same, "extra"), ErrContents, "extra is not listed"},
		"cut":                {good[:len(good)/2], ErrNotBundle, ""},
		"cut at its end":     {good[:len(good)-1], ErrNotBundle, ""},
		"not a zip":          {[]byte("hello"), ErrNotBundle, ""},
		"another zip":        {again(t, good, func(string, []byte) []byte { return nil }, "a", "b"), ErrNotBundle, ""},
		"damaged first byte": {append([]byte("x"), good[1:]...), ErrNotBundle, ""},
	} {
		path := onDisk(t, c.data)
		b, err := Open(path, pub)
		if err == nil {
			to := filepath.Join(t.TempDir(), "x")
			err = b.Extract("advisories.refdb", to)
			if _, there := os.Stat(to); there == nil {
				t.Errorf("%s: a refused file stays", name)
			}
			b.Close()
		}
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v and %q", name, err, c.is, c.want)
		}
	}
}

func TestSignedNonsense(t *testing.T) {
	pub, priv := pair(t, 1)
	for manifest, want := range map[string]string{
		`{"biopsyBundle":2}`: "version 2", `[]`: "cannot unmarshal",
		`{"biopsyBundle":1,"files":[{"name":"../x"}]}`: "no name of a file", `{"biopsyBundle":1,"files":[{"name":""}]}`: "no name of a file",
	} {
		data := again(t, sample(t, priv), func(n string, c []byte) []byte {
			switch n {
			case manifestName:
				return []byte(manifest)
			case signatureName:
				return minisign.Sign(priv, []byte(manifest))
			}
			return c
		})
		if _, err := Open(onDisk(t, data), pub); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", manifest, err, want)
		}
	}
}

func TestKeys(t *testing.T) {
	public, private, err := GenerateKey(rand.New(rand.NewSource(3)), "")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := PublicKey(onDisk(t, public))
	if err != nil {
		t.Fatal(err)
	}
	priv, err := PrivateKey(onDisk(t, private), "")
	if err != nil || !pub.Equal(priv.Public()) {
		t.Errorf("got %v and keys that do not belong together", err)
	}
	lines := strings.Fields(string(public))
	if inline, err := PublicKey(lines[len(lines)-1]); err != nil || !inline.Equal(pub) {
		t.Errorf("a key written out: got %v, %v", inline, err)
	}
	for _, path := range []string{onDisk(t, private), onDisk(t, nil), onDisk(t, make([]byte, maxKey+1)), "/nowhere"} {
		if _, err := PublicKey(path); err == nil {
			t.Errorf("%s: taken for a public key", path)
		}
	}
	if _, err := PrivateKey(onDisk(t, public), ""); err == nil {
		t.Error("a public key is taken for a private one")
	}
}

func TestWriteErrors(t *testing.T) {
	_, priv := pair(t, 1)
	if err := Write(io.Discard, []File{{Name: "x", Path: "/nowhere"}}, priv, created); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	pub, priv := pair(f, 1)
	data := sample(f, priv)
	f.Add(data)
	f.Add(data[:len(data)-5])
	path := filepath.Join(f.TempDir(), "b")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Open(path, pub)
		if err != nil {
			return
		}
		defer b.Close()
		if err := b.Extract("advisories.refdb", filepath.Join(t.TempDir(), "x")); err == nil && len(b.Files) != 2 {
			t.Error("a bundle that nobody signed")
		}
	})
}
