package vendor

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Addresses of the makers' repositories and pages. GitHub packs a repository on the fly and gives the pack an ETag.
const (
	curlBase   = "https://curl.se"
	rawBase    = "https://raw.githubusercontent.com"
	githubBase = "https://github.com"
	yoctoBase  = "https://git.openembedded.org"
)

// maxZip bounds a repository's pack: wolfSSL's has some 100 MB, the others less than 10.
const maxZip = 1 << 30

var parts = []download.Part{
	{Name: "curl", Base: curlBase, Path: "/docs/vuln.json", File: "vuln.json", Max: maxFile, Check: check},
	{Name: "openssl", Base: githubBase, Path: "/openssl/release-metadata/archive/HEAD.zip", File: "release-metadata.zip", Max: maxZip, Check: check},
	{Name: "mbedtls", Base: githubBase, Path: "/Mbed-TLS/mbedtls-docs/archive/HEAD.zip", File: "mbedtls-docs.zip", Max: maxZip, Check: check},
	{Name: "nginx", Base: rawBase, Path: "/nginx/nginx.org/main/xml/en/security_advisories.xml", File: "security_advisories.xml", Max: maxFile, Check: check},
	{Name: "node", Base: rawBase, Path: "/nodejs/security-wg/main/vuln/core/index.json", File: "index.json", Max: maxFile, Check: check},
	{Name: "wolfssl", Base: githubBase, Path: "/wolfSSL/wolfssl/archive/HEAD.zip", File: "wolfssl.zip", Max: maxZip, Check: check, Asked: true},
	{Name: "yocto", Base: yoctoBase, Path: "/openembedded-core/plain/meta/conf/distro/include/cve-extra-exclusions.inc", File: "cve-extra-exclusions.inc", Max: maxFile, Check: check, Asked: true},
}

// fetch brings each maker's list to vendor/MAKER below Dir. wolfSSL's stands in its whole repository, and the Yocto project's is an opinion
// about others: they come only when they are named. The kernel's list has ended and is read where somebody has it.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	return download.Parts(ctx, "vendor", parts, &http.Client{}, o)
}

// check holds that a zip has its directory, which stands at the end, and that other files are of one of the forms: servers answer with pages
// for people, too.
func check(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 4<<10)
	n, err := f.Read(head)
	if err != nil {
		return err
	}
	if head = head[:n]; n > 3 && string(head[:4]) == "PK\x03\x04" {
		z, err := zip.OpenReader(path)
		if err != nil {
			return err
		}
		return z.Close()
	}
	if formOf(path, head) == nil {
		return fmt.Errorf("not a list of any maker: begins with %.40q", head)
	}
	return nil
}
