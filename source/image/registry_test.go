package image

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/biopsy-sca/biopsy/internal/hint"
)

func imageOf(t *testing.T, layers ...[]byte) v1.Image {
	t.Helper()
	img := empty.Image
	for _, b := range layers {
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil })
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, l); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func TestRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	tag := func(s string) name.Reference {
		ref, err := name.ParseReference(host + s)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	img := imageOf(t, sample(t)...)
	if err := remote.Write(tag("/acme/pump:1"), img); err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: imageOf(t, tarOf(t, item{"arm64", "x"})), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: imageOf(t, tarOf(t, item{"amd64", "x"})), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	if err := remote.WriteIndex(tag("/acme/multi:1"), index); err != nil {
		t.Fatal(err)
	}
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Registry.Open(context.Background(), host+"/acme/pump:1", options(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, tree); got != wantSample {
		t.Errorf("got\n%s want\n%s", got, wantSample)
	}
	if tree.Artifact.Digest != want.String() || tree.Artifact.Name != host+"/acme/pump:1" {
		t.Errorf("artifact %+v, want digest %s", tree.Artifact, want)
	}
	tree.Close()
	for ref, want := range map[string]string{"/acme/multi:1": "amd64", "/acme/multi:1?platform=linux/arm64": "arm64", "/acme/pump@" + want.String(): "etc/b"} {
		tree, err := Registry.Open(context.Background(), host+ref, options(t))
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		if got := list(t, tree); !strings.Contains(got, want) {
			t.Errorf("%s: got %s want %s", ref, got, want)
		}
		tree.Close()
	}
	if _, err := Registry.Open(context.Background(), host+"/acme/none:1", options(t)); err == nil {
		t.Error("an image that is not there opens")
	}
}

func TestRegistryOffline(t *testing.T) {
	o := options(t)
	o.Offline = true
	_, err := Registry.Open(context.Background(), "registry.invalid/x", o)
	if err == nil || !strings.Contains(err.Error(), "offline") || hint.Of(err) == "" {
		t.Errorf("got %v", err)
	}
}
