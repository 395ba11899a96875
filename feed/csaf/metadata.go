package csaf

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// metadata is provider-metadata.json (CSAF 2.0, 7.1.7), as far as it is read.
type metadata struct {
	Canonical     string         `json:"canonical_url"`
	Distributions []distribution `json:"distributions"`
	Keys          []publicKey    `json:"public_openpgp_keys"`
	Publisher     struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"publisher"`
}

type distribution struct {
	Directory string `json:"directory_url"`
	ROLIE     struct {
		Feeds []struct {
			URL string `json:"url"`
			TLP string `json:"tlp_label"`
		} `json:"feeds"`
	} `json:"rolie"`
}

type publicKey struct {
	Fingerprint string `json:"fingerprint"`
	URL         string `json:"url"`
}

// find brings the provider's metadata: from the address that is known, else from where a domain keeps them.
func (f *fetcher) find(ctx context.Context) (*metadata, error) {
	if f.metadata != "" {
		return f.readMetadata(ctx, f.metadata)
	}
	wellKnown, securityTxt, dns := f.places(f.Base)
	m, err := f.readMetadata(ctx, wellKnown)
	if err == nil {
		return m, nil
	}
	tried := []error{err}
	text, err := f.get(ctx, securityTxt)
	if err != nil {
		tried = append(tried, err)
	}
	for _, address := range csafLines(text) {
		if !f.web(address) {
			continue
		}
		if m, err = f.readMetadata(ctx, address); err == nil {
			return m, nil
		}
		tried = append(tried, err)
	}
	if m, err = f.readMetadata(ctx, dns); err == nil {
		return m, nil
	}
	return nil, fmt.Errorf("no provider-metadata.json: %w", errors.Join(append(tried, err)...))
}

// csafLines returns the addresses of security.txt's "CSAF:" lines (RFC 9116 and CSAF 2.0, 7.1.8).
func csafLines(text []byte) []string {
	var out []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan() && len(out) < 10; {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if value = strings.TrimSpace(value); ok && strings.EqualFold(strings.TrimSpace(key), "CSAF") {
			out = append(out, value)
		}
	}
	return out
}

// web holds an address to be one of HTTPS; of HTTP too where a mirror is one.
func (f *fetcher) web(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(f.Base, "http://") && strings.HasPrefix(address, "http://")
}

func (f *fetcher) readMetadata(ctx context.Context, address string) (*metadata, error) {
	b, err := f.get(ctx, address)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("%s: there is none", address)
	}
	var m metadata
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s: not a provider's metadata: %w", address, err)
	}
	if m.Canonical == "" && m.Publisher.Namespace == "" {
		return nil, fmt.Errorf("%s: not a provider's metadata", address)
	}
	return &m, nil
}
