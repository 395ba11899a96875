// Package bundle keeps several files in one signed file, for sites without a network.
//
// In: files and a minisign key. Out: a zip with a manifest of their sizes and SHA-256 sums, and a signature of the manifest (minisign's
// format of 2024, Ed25519 over BLAKE2b-512). Open believes nothing before the signature is verified, and Extract leaves a file only
// when its sum is right. The layout is in doc/bundle.md.
package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"
)

// Version is the version of the manifest that this code writes and reads.
const Version = 1

// The first two members.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.json.minisig"
)

// Bounds of what is read before the signature is verified, and of the number of files.
const (
	maxManifest  = 1 << 20
	maxSignature = 4 << 10
	maxFiles     = 1000
)

// The ways in which a bundle is refused.
var (
	ErrNotBundle = errors.New("not a bundle, or cut short")
	ErrSignature = errors.New("the signature does not fit")
	ErrContents  = errors.New("the contents are not what was signed")
)

// Manifest is what is signed.
type Manifest struct {
	Bundle  int    `json:"biopsyBundle"` // Version
	Created string `json:"created"`      // RFC 3339
	Files   []File `json:"files"`        // by name
}

// File is one file of a bundle.
type File struct {
	Name   string `json:"name"` // one element of a path
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal

	Path string `json:"-"` // where Write reads it
}

// Write writes a bundle of the files at Path under Name. The same files, key and time give the same bytes.
func Write(w io.Writer, files []File, key minisign.PrivateKey, created time.Time) error {
	m := Manifest{Bundle: Version, Created: created.UTC().Format(time.RFC3339)}
	for _, f := range files {
		var err error
		if f.Size, f.SHA256, err = sum(f.Path); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		m.Files = append(m.Files, f)
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	signature := minisign.SignWithComments(key, text, "biopsy bundle "+m.Created, "signature of "+manifestName)
	z := zip.NewWriter(w)
	if err := errors.Join(store(z, manifestName, text), store(z, signatureName, signature)); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	for _, f := range m.Files {
		if err := copyIn(z, f); err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	return z.Close()
}

// store adds a member without packing it: books are packed already.
func store(z *zip.Writer, name string, content []byte) error {
	m, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = m.Write(content)
	return err
}

// copyIn adds a file, which must still be what its sum was taken of.
func copyIn(z *zip.Writer, f File) (err error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store})
	if err != nil {
		return err
	}
	h := sha256.New()
	if n, err := io.Copy(io.MultiWriter(out, h), in); err != nil {
		return err
	} else if n != f.Size || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s changed while it was read", f.Path)
	}
	return nil
}

func sum(path string) (size int64, digest string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}

// Is tells whether head, the first bytes of a file, begins a bundle.
func Is(head []byte) bool {
	const local = 30 // bytes of a zip member's header before its name
	return len(head) >= local+len(manifestName) && string(head[:4]) == "PK\x03\x04" && string(head[local:local+len(manifestName)]) == manifestName &&
		!strings.HasPrefix(string(head[local+len(manifestName):]), ".")
}

// Bundle is an opened bundle whose manifest is signed by the key it was opened with.
type Bundle struct {
	Manifest
	zip *zip.ReadCloser
}

// Open verifies the manifest's signature and that the bundle holds the files it lists and no others. The files themselves are verified
// by Extract.
func Open(path string, key minisign.PublicKey) (*Bundle, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrNotBundle, err)
	}
	b := &Bundle{zip: z}
	if err := b.verify(key); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), z.Close())
	}
	return b, nil
}

// Close closes the file.
func (b *Bundle) Close() error { return b.zip.Close() }

func (b *Bundle) verify(key minisign.PublicKey) error {
	members := b.zip.File
	if len(members) < 2 || len(members) > maxFiles || members[0].Name != manifestName || members[1].Name != signatureName {
		return ErrNotBundle
	}
	text, err := read(members[0], maxManifest)
	if err != nil {
		return err
	}
	signature, err := read(members[1], maxSignature)
	if err != nil {
		return err
	}
	var s minisign.Signature
	if err := s.UnmarshalText(signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if s.KeyID != key.ID() {
		return fmt.Errorf("%w: signed with key %016X, and the key given is %016X", ErrSignature, s.KeyID, key.ID())
	}
	if !minisign.Verify(key, text, signature) {
		return fmt.Errorf("%w: %s or its signature was changed", ErrSignature, manifestName)
	}
	if err := json.Unmarshal(text, &b.Manifest); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrContents, manifestName, err)
	}
	if b.Bundle != Version {
		return fmt.Errorf("bundle has version %d, and this biopsy reads %d", b.Bundle, Version)
	}
	return b.compare(members[2:])
}

// compare holds that the zip has exactly the files of the manifest.
func (b *Bundle) compare(members []*zip.File) error {
	for i, f := range b.Files {
		if f.Name != filepath.Base(f.Name) || strings.ContainsAny(f.Name, `/\`) || strings.HasPrefix(f.Name, ".") {
			return fmt.Errorf("%w: %q is no name of a file", ErrContents, f.Name)
		}
		if i >= len(members) || members[i].Name != f.Name || members[i].UncompressedSize64 != uint64(f.Size) {
			return fmt.Errorf("%w: %s is missing, or has another size", ErrContents, f.Name)
		}
	}
	if len(members) > len(b.Files) {
		return fmt.Errorf("%w: %s is not listed", ErrContents, members[len(b.Files)].Name)
	}
	return nil
}

// Has tells whether the bundle holds a file of that name.
func (b *Bundle) Has(name string) bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Name == name })
}

// Extract writes a file of the bundle to path, which must not exist. When its sum is wrong, or anything else is, nothing stays there.
func (b *Bundle) Extract(name, path string) (err error) {
	i := slices.IndexFunc(b.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("the bundle holds no %s", name)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", name, err), os.Remove(path))
		}
	}()
	in, err := b.zip.File[i+2].Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContents, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, b.Files[i].Size+1))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContents, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); n != b.Files[i].Size || got != b.Files[i].SHA256 {
		return fmt.Errorf("%w: its sum is %s, and %s was signed", ErrContents, got, b.Files[i].SHA256)
	}
	return out.Sync()
}

// read returns a member of at most max bytes.
func read(f *zip.File, max int64) (b []byte, err error) {
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNotBundle, f.Name, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b, err = io.ReadAll(io.LimitReader(in, max+1))
	if err != nil || int64(len(b)) > max {
		return nil, errors.Join(fmt.Errorf("%w: %s cannot be read, or is too large", ErrNotBundle, f.Name), err)
	}
	return b, nil
}
