package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
)

// fromDocker reads the image that the manifest.json of a "docker save" archive describes. Its digest is that of the
// configuration (the image id of Docker), for such archives hold no manifest of a registry.
func fromDocker(s local, b []byte, want choice) (*image, error) {
	var all []dockerImage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	d, err := pickDocker(all, want.name)
	if err != nil {
		return nil, err
	}
	return dockerLayers(s, d)
}

// dockerLayers reads one image of the archive. Each layer must have the DiffID of the configuration, by which the image is named.
func dockerLayers(s local, d dockerImage) (*image, error) {
	if len(d.Layers) > maxLayers {
		return nil, fmt.Errorf("manifest.json names %d layers, more than %d", len(d.Layers), maxLayers)
	}
	conf, err := s.file(d.Config)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", d.Config, err)
	}
	sum := sha256.Sum256(conf)
	img := &image{digest: "sha256:" + hex.EncodeToString(sum[:])}
	if len(d.RepoTags) > 0 {
		img.name = d.RepoTags[0]
	}
	for _, name := range d.Layers {
		img.layers = append(img.layers, layer{blob: name, open: func() (biopsy.Content, error) { return s.open(name) }})
	}
	if err := img.describe(conf); err != nil {
		return nil, err
	}
	for i := range img.layers {
		img.layers[i].unpacked = img.layers[i].DiffID != ""
	}
	return img, nil
}

// dockerImage is one element of manifest.json.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string // oldest first
}

func pickDocker(all []dockerImage, name string) (dockerImage, error) {
	var tags []string
	for _, d := range all {
		tags = append(tags, d.RepoTags...)
		if name != "" && slices.Contains(d.RepoTags, name) {
			return d, nil
		}
	}
	switch {
	case len(all) == 0:
		return dockerImage{}, errors.New("manifest.json names no image")
	case name != "":
		return dockerImage{}, hint.Add(fmt.Errorf("no image is called %q", name), "it holds "+strings.Join(tags, ", "))
	case len(all) > 1:
		return dockerImage{}, hint.Add(errors.New("it holds several images"), "choose one by :NAME behind the path: "+strings.Join(tags, ", "))
	}
	return all[0], nil
}
