package distro

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/eco"
)

// Flatpak reads what an installed Flatpak says of itself (AppStream 1.0, metainfo): app/ID/ARCH/BRANCH/COMMIT/export/share/metainfo/*.xml.
var Flatpak = biopsy.Extractor{
	Name:    "flatpak",
	Basis:   biopsy.Manifest,
	Names:   []string{"export/share/metainfo/*.metainfo.xml", "export/share/metainfo/*.appdata.xml"},
	Wants:   func(path string) bool { return under(path, "flatpak/app/") },
	Extract: flatpakMetainfo,
}

const maxMetainfo = 4 << 20

// metainfo is the part of an AppStream component that is of use.
type metainfo struct {
	ID        string   `xml:"id"`
	Names     []text   `xml:"name"`
	Summaries []text   `xml:"summary"`
	License   string   `xml:"project_license"`
	Developer []text   `xml:"developer>name"`
	OldDev    []text   `xml:"developer_name"`
	URLs      []metaAt `xml:"url"`
	Releases  []struct {
		Version string `xml:"version,attr"`
	} `xml:"releases>release"`
}

// text is one of the translations of a field; the original has no language.
type text struct {
	Lang string `xml:"lang,attr"`
	Text string `xml:",chardata"`
}

type metaAt struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

func flatpakMetainfo(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	var m metainfo
	d := xml.NewDecoder(io.LimitReader(in.Reader(), maxMetainfo))
	if err := d.Decode(&m); err != nil {
		return fmt.Errorf("read metainfo: %w", err)
	}
	id := strings.TrimSpace(m.ID)
	if id == "" {
		return fmt.Errorf("metainfo without an id")
	}
	c := biopsy.Claim{Eco: "flatpak", Kind: biopsy.Application, Name: id, State: biopsy.Installed, Supplier: cmp.Or(original(m.Developer), original(m.OldDev)),
		Description: original(m.Summaries), Licenses: declared(m.License)}
	if len(m.Releases) > 0 { // the newest is first
		c.Version = m.Releases[0].Version
	}
	for _, u := range m.URLs {
		if u.Type == "homepage" {
			c.Homepage = strings.TrimSpace(u.Text)
		}
	}
	c.Purl = eco.Purl("flatpak", "", c.Name, c.Version)
	setExtra(&c, "flatpak:name", original(m.Names))
	emit(evidence(in, "flatpak", 0, c))
	return nil
}

// original returns the text that is no translation; "" when there is none.
func original(all []text) string {
	for _, t := range all {
		if t.Lang == "" {
			return strings.TrimSpace(t.Text)
		}
	}
	return ""
}
