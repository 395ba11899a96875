package bundle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"aead.dev/minisign"
)

// ErrPassword means that a private key is locked and no password was given.
var ErrPassword = errors.New("the key is locked with a password")

// GenerateKey returns a new pair as files of minisign; an empty password leaves the private key unlocked. random is where its
// randomness comes from.
func GenerateKey(random io.Reader, password string) (public, private []byte, err error) {
	pub, priv, err := minisign.GenerateKey(random)
	if err != nil {
		return nil, nil, err
	}
	if public, err = pub.MarshalText(); err != nil {
		return nil, nil, err
	}
	if password != "" {
		private, err = minisign.EncryptKey(password, priv)
	} else {
		private, err = priv.MarshalText()
	}
	return append(public, '\n'), append(private, '\n'), err
}

// maxKey bounds a key's file; they have under 300 bytes.
const maxKey = 4 << 10

// PrivateKey reads a private key of minisign.
func PrivateKey(path, password string) (key minisign.PrivateKey, err error) {
	text, err := keyFile(path)
	if err != nil {
		return key, err
	}
	switch {
	case !minisign.IsEncrypted(text):
		err = key.UnmarshalText(text)
	case password == "":
		err = ErrPassword
	default:
		key, err = minisign.DecryptKey(password, text)
	}
	if err != nil {
		return key, fmt.Errorf("private key %s: %w", path, err)
	}
	return key, nil
}

// PublicKey reads a public key of minisign: from a file, or written out ("RWQ...").
func PublicKey(value string) (key minisign.PublicKey, err error) {
	if strings.HasPrefix(value, "RW") && len(value) == 56 {
		if err := key.UnmarshalText([]byte(value)); err == nil {
			return key, nil
		}
	}
	text, err := keyFile(value)
	if err != nil {
		return key, err
	}
	if err := key.UnmarshalText(text); err != nil {
		return key, fmt.Errorf("public key %s: %w", value, err)
	}
	return key, nil
}

func keyFile(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err = io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxKey {
		return nil, fmt.Errorf("%s: too large for a key", path)
	}
	return []byte(strings.TrimSpace(string(text))), nil
}
