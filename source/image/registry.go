package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

// remoteStore is a repository in a registry. Manifests and layers are checked against their digests as they come.
type remoteStore struct {
	repo    name.Repository
	options []remote.Option
	open    biopsy.OpenOptions
}

// openRegistry reads an image from its registry, with the credentials of "docker login" where there are any.
func openRegistry(ctx context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	if o.Offline {
		return nil, hint.Add(fmt.Errorf("registry:%s: not opened: offline", ref), "bring the image as a file: docker save, or skopeo copy to oci:")
	}
	rest, want, err := cutPlatform(ref)
	if err != nil {
		return nil, err
	}
	at, err := name.ParseReference(rest)
	if err != nil {
		return nil, err
	}
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return nil, fmt.Errorf("registry:%s: %w", ref, err)
	}
	s := remoteStore{repo: at.Context(), open: o, options: []remote.Option{remote.WithContext(ctx), remote.Reuse(puller)}}
	first, err := remote.Get(at, s.options...)
	if err != nil {
		return nil, fmt.Errorf("registry:%s: %w", ref, err)
	}
	img, err := fromDescriptor(s, descriptor{Digest: first.Digest.String(), Size: first.Size}, want.platform)
	if err != nil {
		return nil, fmt.Errorf("registry:%s: %w", ref, err)
	}
	img.name = rest
	return img.tree("registry:"+ref, nothing{}, o)
}

// nothing is closed when there is nothing to close.
type nothing struct{}

func (nothing) Close() error { return nil }

func (s remoteStore) manifest(d descriptor) ([]byte, error) {
	m, err := remote.Get(s.repo.Digest(d.Digest), s.options...)
	if err != nil {
		return nil, err
	}
	return m.Manifest, nil
}

// blob downloads a layer into the spool: it is read from there, and perhaps twice.
func (s remoteStore) blob(d descriptor) (biopsy.Content, error) {
	l, err := remote.Layer(s.repo.Digest(d.Digest), s.options...)
	if err != nil {
		return nil, err
	}
	body, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	c, err := s.open.Spool.Keep(body, s.open.Limits.TotalSize)
	return c, errors.Join(err, body.Close())
}
