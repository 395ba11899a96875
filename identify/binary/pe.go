package binary

import (
	"context"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/pe"
)

// PE reads programs, libraries and drivers of Windows and UEFI.
var PE = biopsy.Extractor{
	Name:    "pe",
	Basis:   biopsy.Binary,
	From:    biopsy.Standard,
	Head:    func(head []byte) bool { return len(head) >= 64 && string(head[:2]) == "MZ" },
	Extract: readPE,
}

func readPE(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	f, err := pe.Open(in.Content, in.Size())
	if errors.Is(err, pe.ErrNot) {
		return nil // DOS programs and odd data start with MZ too
	}
	if err != nil {
		return err
	}
	x := map[string]string{"pe:type": "exe"}
	if f.Flags&pe.IsDLL != 0 {
		x["pe:type"] = "dll"
	}
	flag(x, "pe:aslr", f.DLLFlags&pe.DynamicBase != 0)
	flag(x, "pe:nx", f.DLLFlags&pe.NXCompatible != 0)
	flag(x, "pe:signed", f.Signed())
	flag(x, "pe:dotnet", f.Managed())
	words, err := f.Versions()
	for key, extra := range versionKeys {
		put(x, extra, words[key])
	}
	s := sheet{in, "pe", emit}
	s.say(biopsy.Claim{Kind: biopsy.FileKind, Whole: true, Name: path.Base(in.Path), State: biopsy.Installed, Arch: f.Arch(), Supplier: words["CompanyName"],
		Description: words["FileDescription"], Extra: x}, 1)
	if c, ok := product(words); ok && !f.Managed() {
		s.say(c, 0.6)
	}
	return err
}

// versionKeys are the version strings that are kept.
var versionKeys = map[string]string{
	"FileVersion": "pe:file-version", "InternalName": "pe:internal-name", "OriginalFilename": "pe:original-filename",
	"ProductName": "pe:product", "ProductVersion": "pe:product-version", "LegalCopyright": "pe:copyright",
}

var (
	productVersion = regexp.MustCompile(`^v?\d+([., ]+\d+)+[0-9A-Za-z.+-]*`)
	systemProducts = regexp.MustCompile(`(?i)^microsoft.*\bwindows.*operating system|^windows \(r\).*(ddk|driver)|^wine$`)
)

// product makes a component of ProductName and ProductVersion. Parts of Windows are none, and neither are versions of words.
func product(words map[string]string) (biopsy.Claim, bool) {
	name, version := words["ProductName"], words["ProductVersion"]
	if version = productVersion.FindString(version); name == "" || version == "" || systemProducts.MatchString(name) {
		return biopsy.Claim{}, false
	}
	version = strings.ReplaceAll(strings.ReplaceAll(version, ", ", "."), ",", ".") // "1, 2, 3, 4" of old resource compilers
	return biopsy.Claim{Kind: biopsy.Library, Name: name, Version: strings.TrimPrefix(version, "v"), State: biopsy.Embedded, Supplier: words["CompanyName"],
		Description: words["FileDescription"]}, true
}

func flag(x map[string]string, key string, on bool) {
	if on {
		x[key] = "true"
	}
}
