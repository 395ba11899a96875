package ubuntu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// base is Canonical's page of security metadata.
const base = "https://security-metadata.canonical.com"

// Bounds of the archive, packed and plain: 68 MB and some GB are in use.
const (
	maxPacked = 2 << 30
	maxPlain  = 64 << 30
)

var parts = []download.Part{{Name: "vex", Base: base, Path: "/vex/vex-all.tar.xz", File: "vex-all.tar.xz", Max: maxPacked, Check: check}}

// fetch brings all VEX documents to ubuntu/vex/vex-all.tar.xz below Dir. The tracker itself is a git repository, and is read where
// somebody has cloned it.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return download.Parts(ctx, "ubuntu", parts, &http.Client{}, o)
}

// check unpacks the archive to its end: xz has checksums of its own.
func check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := codec.NewReader(codec.XZ, f)
	if err != nil {
		return fmt.Errorf("not an xz file: %w", err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, maxPlain))
	if err == nil && n == maxPlain {
		err = fmt.Errorf("unpacks to %d bytes and more", n)
	}
	return errors.Join(err, z.Close())
}
