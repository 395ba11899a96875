package vendor

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cve"
	"github.com/biopsy-sca/biopsy/refdb/builtin"
)

// openssl: secjson/CVE-2024-0727.json of github.com/openssl/release-metadata, CVE records of the makers' own hand. Versions of old branches
// end in letters: 1.0.2zj.
var openssl = form{"openssl", in("secjson"), func(s *source) error { return readRecord(s, "OPENSSL-") }}

// wolfssl: advisories/records/CVE-2026-5778.json of github.com/wolfSSL/wolfssl.
var wolfssl = form{"wolfssl", in("advisories/records"), func(s *source) error { return readRecord(s, "WOLFSSL-") }}

var recordName = regexp.MustCompile(`/CVE-\d{4}-\d{4,}\.json$`)

// in matches CVE records in a folder: their contents tell only far from the beginning whose they are.
func in(folder string) func(string, []byte) bool {
	return func(name string, _ []byte) bool {
		at := recordName.FindStringIndex(name)
		return at != nil && (strings.HasSuffix(name[:at[0]], "/"+folder) || name[:at[0]] == folder || strings.HasSuffix(name[:at[0]], "!"+folder))
	}
}

// readRecord keeps what a record says of the makers' software by their own numbers. Its other names, and the rest of it, come by the CVE feed.
func readRecord(s *source, prefix string) error {
	r, err := cve.Decode(s.doc, builtin.Upstream)
	if err != nil {
		s.bad("", err)
		return nil
	}
	for _, b := range r.Bad {
		s.bad(r.Advisory.ID, errors.New(b))
	}
	a := r.Advisory
	a.Affected = slices.DeleteFunc(a.Affected, func(af biopsy.Affected) bool { return af.Ecosystem != "Upstream" })
	if len(a.Affected) == 0 && a.Withdrawn.IsZero() {
		return nil
	}
	a.ID, a.Aliases = prefix+a.ID, append(a.Aliases, r.Advisory.ID)
	if a.Published.IsZero() {
		a.Published = released(s.doc)
	}
	if a.Modified.IsZero() {
		a.Modified = a.Published
	}
	return s.give(a)
}

// released reads the day of publication, which OpenSSL writes elsewhere; zero when there is none.
func released(doc []byte) time.Time {
	var r struct {
		Containers struct {
			CNA struct {
				Day string `json:"datePublic"`
			} `json:"cna"`
		} `json:"containers"`
	}
	if err := json.Unmarshal(doc, &r); err != nil {
		return time.Time{} // of another shape than theirs: there is nothing to add
	}
	t, err := cve.Time(r.Containers.CNA.Day)
	if err != nil {
		return time.Time{}
	}
	return t
}
