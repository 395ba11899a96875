package csaf

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// keyring are the keys by which a provider signs; empty when it names none.
type keyring = openpgp.EntityList

// fetchKeys brings the keys that the metadata name. A key whose fingerprint is another than the one named is an error: then nothing can
// be believed.
func (f *fetcher) fetchKeys(ctx context.Context, m *metadata) (keyring, error) {
	var out keyring
	for i, k := range m.Keys[:min(len(m.Keys), 20)] {
		if !f.web(k.URL) {
			continue
		}
		b, err := f.file(ctx, k.URL, fmt.Sprintf("key-%d.asc", i), maxSmall)
		if err != nil {
			return nil, fmt.Errorf("OpenPGP key: %w", err)
		}
		keys, err := readKeys(b)
		if err != nil {
			return nil, fmt.Errorf("OpenPGP key %s: %w", k.URL, err)
		}
		found := false
		for _, e := range keys {
			if k.Fingerprint == "" || strings.EqualFold(hex.EncodeToString(e.PrimaryKey.Fingerprint), k.Fingerprint) {
				out, found = append(out, e), true
			}
		}
		if !found {
			return nil, fmt.Errorf("OpenPGP key %s does not have the fingerprint %.80q that the provider names", k.URL, k.Fingerprint)
		}
	}
	return out, nil
}

func readKeys(b []byte) (keyring, error) {
	if bytes.Contains(b, []byte("-----BEGIN PGP")) {
		return openpgp.ReadArmoredKeyRing(bytes.NewReader(b))
	}
	return openpgp.ReadKeyRing(bytes.NewReader(b))
}

// verify holds a document against its signature where there are keys, else against its hash. What the list names must be there.
func (f *fetcher) verify(ctx context.Context, e entry, doc []byte) error {
	if len(f.keys) > 0 && e.signature != "" {
		b, err := f.get(ctx, e.signature)
		if err != nil {
			return err
		}
		if b != nil {
			return f.signed(doc, b)
		}
		if !e.guessed {
			return fmt.Errorf("%s: there is no signature, and the provider's list names one", e.signature)
		}
	}
	for _, address := range hashes(e) {
		b, err := f.get(ctx, address)
		if err != nil {
			return err
		}
		if b != nil {
			return hashed(doc, b)
		}
		if !e.guessed {
			return fmt.Errorf("%s: there is no hash, and the provider's list names one", address)
		}
	}
	return nil
}

// hashes are where a document's hash may be.
func hashes(e entry) []string {
	switch {
	case e.hash == "":
		return nil
	case e.guessed:
		return []string{e.hash, e.url + ".sha256"}
	}
	return []string{e.hash}
}

// hashed compares with the first word of a file as sha256sum and sha512sum write it.
func hashed(doc, file []byte) error {
	word, _, _ := strings.Cut(strings.TrimSpace(string(file)), " ")
	want, err := hex.DecodeString(word)
	if err != nil {
		return fmt.Errorf("not a hash: %.80q", word)
	}
	var got []byte
	switch len(want) {
	case sha256.Size:
		sum := sha256.Sum256(doc)
		got = sum[:]
	case sha512.Size:
		sum := sha512.Sum512(doc)
		got = sum[:]
	default:
		return fmt.Errorf("not a hash of SHA-256 or SHA-512: %.80q", word)
	}
	if !bytes.Equal(got, want) {
		return errors.New("the document is not the one that the provider's hash is of")
	}
	return nil
}

// signed verifies at the time of the signature: keys expire, and what they signed before stays signed.
func (f *fetcher) signed(doc, signature []byte) error {
	if bytes.Contains(signature, []byte("-----BEGIN PGP")) {
		block, err := armor.Decode(bytes.NewReader(signature))
		if err != nil {
			return fmt.Errorf("not an OpenPGP signature: %w", err)
		}
		if signature, err = io.ReadAll(block.Body); err != nil {
			return fmt.Errorf("not an OpenPGP signature: %w", err)
		}
	}
	p, err := packet.Read(bytes.NewReader(signature))
	if err != nil {
		return fmt.Errorf("not an OpenPGP signature: %w", err)
	}
	s, ok := p.(*packet.Signature)
	if !ok {
		return errors.New("not an OpenPGP signature")
	}
	then := &packet.Config{Time: func() time.Time { return s.CreationTime }}
	if _, err := openpgp.CheckDetachedSignature(f.keys, bytes.NewReader(doc), bytes.NewReader(signature), then); err != nil {
		return fmt.Errorf("the document's signature is not good: %w", err)
	}
	return nil
}
