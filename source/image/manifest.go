package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

// maxDocument bounds manifests, indexes and configurations: registries refuse manifests above 4 MiB.
const maxDocument = 8 << 20

// maxLayers bounds the layers of one image: overlayfs mounts 500, and Docker 127.
const maxLayers = 1000

// store is where the blobs of an image are.
type store interface {
	// manifest returns a manifest or an index.
	manifest(d descriptor) ([]byte, error)
	// blob returns a layer or a configuration as it is stored.
	blob(d descriptor) (biopsy.Content, error)
}

// descriptor is a pointer to a blob, as OCI and Docker write it.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform"`
	Annotations map[string]string `json:"annotations"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// fits tells whether p is what is wanted; a variant counts only when it is.
func (p platform) fits(want platform) bool {
	return p.OS == want.OS && p.Architecture == want.Architecture && (want.Variant == "" || p.Variant == want.Variant)
}

// manifest is a manifest or an index: an index has Manifests.
type manifest struct {
	MediaType string       `json:"mediaType"`
	Config    descriptor   `json:"config"`
	Layers    []descriptor `json:"layers"`
	Manifests []descriptor `json:"manifests"`
}

// config is what of an image's configuration tells about its layers.
type config struct {
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []struct {
		CreatedBy  string `json:"created_by"`
		EmptyLayer bool   `json:"empty_layer"`
	} `json:"history"`
}

// fromIndex reads the image that the index.json of a layout leads to.
func fromIndex(s store, index []byte, want choice) (*image, error) {
	var m manifest
	if err := json.Unmarshal(index, &m); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	named := m.Manifests
	if want.name != "" {
		named = slices.DeleteFunc(slices.Clone(named), func(d descriptor) bool { return !d.answersTo(want.name) })
		if len(named) == 0 {
			return nil, hint.Add(fmt.Errorf("no image is called %q", want.name), "it holds "+names(m.Manifests))
		}
	}
	d, err := pick(named, want.platform)
	if err != nil {
		return nil, err
	}
	img, err := fromDescriptor(s, d, want.platform)
	if err != nil {
		return nil, err
	}
	img.name = cmp.Or(d.Annotations["io.containerd.image.name"], img.name)
	return img, nil
}

// answersTo tells whether a descriptor in index.json is meant by a name that the user gave.
func (d descriptor) answersTo(name string) bool {
	full := d.Annotations["io.containerd.image.name"]
	return name == d.Digest || name == d.Annotations["org.opencontainers.image.ref.name"] || name == full ||
		strings.HasSuffix(full, "/"+name)
}

// names lists how the images of an index are called.
func names(all []descriptor) string {
	var b strings.Builder
	for i, d := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(cmp.Or(d.Annotations["io.containerd.image.name"], d.Annotations["org.opencontainers.image.ref.name"], d.Digest))
		if d.Platform != nil {
			b.WriteString(" (" + d.Platform.String() + ")")
		}
	}
	return cmp.Or(b.String(), "none")
}

// pick chooses one manifest by platform. Attestations, which builders store beside images, are none.
func pick(all []descriptor, want platform) (descriptor, error) {
	var images, fit []descriptor
	for _, d := range all {
		if d.Annotations["vnd.docker.reference.type"] != "" || d.Platform != nil && d.Platform.OS == "unknown" || holds(images, d) {
			continue
		}
		images = append(images, d)
		if d.Platform != nil && d.Platform.fits(cmp.Or(want, platform{OS: "linux", Architecture: "amd64"})) {
			fit = append(fit, d)
		}
	}
	switch {
	case len(images) == 0:
		return descriptor{}, errors.New("it holds no image")
	case len(images) == 1 && (want == platform{} || images[0].Platform == nil):
		return images[0], nil
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1, slices.ContainsFunc(images, func(d descriptor) bool { return d.Platform == nil }):
		return descriptor{}, hint.Add(errors.New("it holds several images"), "choose one by :NAME behind the path: "+names(images))
	}
	return descriptor{}, hint.Add(fmt.Errorf("it holds no image for %s", cmp.Or(want, platform{OS: "linux", Architecture: "amd64"})),
		"choose by :NAME or ?platform=OS/ARCH behind the path: "+names(images))
}

func holds(all []descriptor, d descriptor) bool {
	return slices.ContainsFunc(all, func(o descriptor) bool { return o.Digest == d.Digest })
}

// fromDescriptor reads a manifest, going down through indexes.
func fromDescriptor(s store, d descriptor, want platform) (*image, error) {
	for range 4 { // index.json -> index of an image -> its manifest, and one to spare
		b, err := s.manifest(d)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
		}
		var m manifest
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
		}
		if len(m.Manifests) == 0 {
			return fromManifest(s, d.Digest, m)
		}
		if d, err = pick(m.Manifests, want); err != nil {
			return nil, fmt.Errorf("index %s: %w", d.Digest, err)
		}
	}
	return nil, errors.New("indexes lead to indexes without end")
}

func fromManifest(s store, digest string, m manifest) (*image, error) {
	if len(m.Layers) > maxLayers {
		return nil, fmt.Errorf("manifest %s has %d layers, more than %d", digest, len(m.Layers), maxLayers)
	}
	b, err := document(s, m.Config)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", m.Config.Digest, err)
	}
	img := &image{digest: digest}
	_, local := s.(files) // a registry's layers are checked as they come in
	for _, d := range m.Layers {
		img.layers = append(img.layers, layer{
			Layer: biopsy.Layer{DiffID: d.Digest}, blob: d.Digest, encrypted: strings.Contains(d.MediaType, "encrypted"), unchecked: local,
			open: func() (biopsy.Content, error) { return s.blob(d) },
		})
	}
	if err := img.describe(b); err != nil {
		return nil, err
	}
	return img, nil
}

// describe adds what the configuration knows about the layers. Configurations of other artifacts than images know nothing.
func (img *image) describe(b []byte) error {
	var c config
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if n := len(c.RootFS.DiffIDs); n != len(img.layers) && n > 0 {
		return fmt.Errorf("the configuration names %d layers, the manifest %d", n, len(img.layers))
	}
	for i, id := range c.RootFS.DiffIDs {
		img.layers[i].DiffID = id
	}
	var made []string
	for _, h := range c.History {
		if !h.EmptyLayer {
			made = append(made, h.CreatedBy)
		}
	}
	if len(made) == len(img.layers) { // else nobody can tell which is which
		for i, by := range made {
			img.layers[i].CreatedBy = by
		}
	}
	return nil
}

// document reads a small blob whole.
func document(s store, d descriptor) ([]byte, error) {
	c, err := s.blob(d)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	b, err := whole(c)
	if err != nil {
		return nil, err
	}
	return b, checkDigest(b, d.Digest)
}

// whole reads a small content.
func whole(c biopsy.Content) ([]byte, error) {
	if c.Size() > maxDocument {
		return nil, fmt.Errorf("%d bytes are too many", c.Size())
	}
	b := make([]byte, c.Size())
	if n, err := c.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return b, nil
}

// checkDigest tells whether b is what its digest names.
func checkDigest(b []byte, digest string) error { return checkStream(bytes.NewReader(b), digest) }

// checkStream reads r to its end and holds it against a digest.
func checkStream(r io.Reader, digest string) error {
	alg, want, _ := strings.Cut(digest, ":")
	var h hash.Hash
	switch alg {
	case "sha256":
		h = sha256.New()
	case "sha512":
		h = sha512.New()
	default:
		return fmt.Errorf("digest %q is neither sha256 nor sha512", digest)
	}
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{r}, make([]byte, 256<<10)); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("its digest is %s:%s", alg, got)
	}
	return nil
}
