package bom

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	biopsy "github.com/biopsy-sca/biopsy"
)

// space is the name space of our documents' ids: the UUIDv5 of "biopsy" in the URL name space of RFC 9562.
var space = [16]byte{0x55, 0xe5, 0xec, 0x8f, 0x0e, 0xcd, 0x5b, 0x79, 0x98, 0x3d, 0x20, 0x3e, 0x00, 0x25, 0xb8, 0x29}

// UUID returns a name-based UUID (RFC 9562, version 5) of everything the scan says: the same scan gives the same id.
func UUID(s *biopsy.Scan) (string, error) {
	sum := sha256.New()
	e := json.NewEncoder(sum)
	e.SetEscapeHTML(false)
	head := *s
	head.Inventory, head.Findings = biopsy.Inventory{Artifacts: s.Artifacts, Gaps: s.Gaps}, nil
	if err := e.Encode(&head); err != nil {
		return "", fmt.Errorf("hash scan: %w", err)
	}
	for i := range s.Components {
		if err := e.Encode(&s.Components[i]); err != nil {
			return "", fmt.Errorf("hash component %s: %w", s.Components[i].ID, err)
		}
	}
	for i := range s.Relations {
		if err := e.Encode(&s.Relations[i]); err != nil {
			return "", fmt.Errorf("hash relation %d: %w", i, err)
		}
	}
	for i := range s.Findings {
		if err := e.Encode(&s.Findings[i]); err != nil {
			return "", fmt.Errorf("hash finding %s: %w", s.Findings[i].ID, err)
		}
	}
	h := sha1.New()
	h.Write(space[:])
	h.Write(sum.Sum(nil))
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	x := hex.EncodeToString(u)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:], nil
}

// Created returns when the scan was made, in UTC to the second, or "" when it does not say.
func Created(s *biopsy.Scan) string {
	t, err := time.Parse(time.RFC3339, s.Created)
	if err != nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Dated returns Created, or the date of the newest knowledge the scan rests on, or the epoch: for formats that insist on a time.
func Dated(s *biopsy.Scan) string {
	if c := Created(s); c != "" {
		return c
	}
	newest := time.Unix(0, 0)
	if t, err := time.Parse(time.DateOnly, s.Options.AsOf); err == nil {
		newest = t
	}
	for _, b := range s.Books {
		if t, err := time.Parse(time.RFC3339, b.Built); err == nil && t.After(newest) {
			newest = t
		}
	}
	return newest.UTC().Format(time.RFC3339)
}

// Lifecycle names, in CycloneDX's words, when in its life the software was looked at; "" when the artifacts do not tell.
func Lifecycle(s *biopsy.Scan) string {
	phase := ""
	for _, a := range s.Artifacts {
		p := ""
		switch a.Kind {
		case "git-repository":
			p = "pre-build"
		case "container-image", "file":
			p = "post-build"
		case "directory":
			p = directory(s)
		}
		if p == "" || phase != "" && phase != p {
			return ""
		}
		phase = p
	}
	return phase
}

// directory tells a tree with installed software from one with sources only.
func directory(s *biopsy.Scan) string {
	phase := ""
	for i := range s.Components {
		switch s.Components[i].State {
		case biopsy.Installed, biopsy.Embedded:
			return "post-build"
		case biopsy.Declared, biopsy.Locked:
			phase = "pre-build"
		}
	}
	return phase
}

// Root is the reference of what a scan is about, in relations: its only artifact, or "" when there are several.
func Root(s *biopsy.Scan) string {
	if len(s.Artifacts) == 1 {
		return "artifact:0"
	}
	return ""
}
