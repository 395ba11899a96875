package image

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/codec"
	"github.com/biopsy-sca/biopsy/internal/tarscan"
)

// isLayout knows a directory with an OCI layout in it.
func isLayout(path string) bool {
	_, err := os.Stat(filepath.Join(path, "oci-layout"))
	_, err2 := os.Stat(filepath.Join(path, "index.json"))
	return err == nil && err2 == nil
}

// isArchive knows a tar archive, also a compressed one, that holds an image. It looks no further than the first name that an
// image's archive would not have, or that only such an archive has.
func isArchive(path string) bool {
	f, err := openFile(path)
	if err != nil {
		return false
	}
	defer f.Close()
	first := head(f)
	format := codec.Detect(first)
	if format == "" {
		return len(first) == 512 && looksLikeImage(func(each func(tarscan.Entry) error) error { return tarscan.Archive(f, f.Size(), each) })
	}
	r, err := codec.NewReader(format, io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		return false
	}
	defer r.Close()
	return looksLikeImage(func(each func(tarscan.Entry) error) error { return tarscan.Stream(io.LimitReader(r, maxDetect), each) })
}

// maxDetect is how much of a compressed archive is unpacked to know it: more than whatever stands before the first name that tells.
const maxDetect = 64 << 20

var errDecided = errors.New("decided")

func looksLikeImage(scan func(func(tarscan.Entry) error) error) bool {
	answer, seen := false, 0
	err := scan(func(e tarscan.Entry) error {
		yes, no := tells(cleanName(e.Name))
		answer = yes
		if seen++; yes || no || seen > 1000 {
			return errDecided
		}
		return nil
	})
	return errors.Is(err, errDecided) && answer
}

// tells whether a name in an archive can only be that of an image's file, or can never be.
func tells(name string) (yes, no bool) {
	first, rest, deep := strings.Cut(name, "/")
	switch {
	case name == "manifest.json", name == "oci-layout", strings.HasPrefix(name, "blobs/sha256/"):
		return true, false
	case len(first) == 64 && isHex(first, false) && (rest == "layer.tar" || rest == "VERSION"):
		return true, false
	case !deep && len(name) == 68 && isHex(strings.TrimSuffix(name, ".tar"), false): // a layer, as podman and skopeo name it
		return true, false
	case name == "", !deep, first == "blobs", len(first) == 64 && isHex(first, false):
		return false, false
	}
	return false, true
}
