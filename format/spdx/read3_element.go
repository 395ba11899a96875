package spdx

import (
	"encoding/json"
	"strings"

	"github.com/biopsy-sca/biopsy/internal/bom"
)

// element is any element of SPDX 3, with the fields of all classes that are read.
type element struct {
	Type        string `json:"type"`
	TypeLD      string `json:"@type"`
	ID          string `json:"spdxId"`
	IDLD        string `json:"@id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Summary     string `json:"summary"`
	Comment     string `json:"comment"`

	// CreationInfo
	SpecVersion  string `json:"specVersion"`
	Created      string `json:"created"`
	CreatedBy    refs   `json:"createdBy"`
	CreatedUsing refs   `json:"createdUsing"`

	// Artifact
	SuppliedBy     refs   `json:"suppliedBy"`
	OriginatedBy   refs   `json:"originatedBy"`
	BuiltTime      string `json:"builtTime"`
	ReleaseTime    string `json:"releaseTime"`
	ValidUntilTime string `json:"validUntilTime"`
	SupportLevel   refs   `json:"supportLevel"`
	VerifiedUsing  []struct {
		Type      string `json:"type"`
		Algorithm string `json:"algorithm"`
		HashValue string `json:"hashValue"`
	} `json:"verifiedUsing"`
	ExternalIdentifier []identifier      `json:"externalIdentifier"`
	ExternalRef        []json.RawMessage `json:"externalRef"`
	Extension          []struct {
		Properties []struct {
			Name  string `json:"extension_cdxPropName"`
			Value string `json:"extension_cdxPropValue"`
		} `json:"extension_cdxProperty"`
	} `json:"extension"`

	// Software
	PrimaryPurpose   string `json:"software_primaryPurpose"`
	CopyrightText    string `json:"software_copyrightText"`
	PackageVersion   string `json:"software_packageVersion"`
	PackageURL       string `json:"software_packageUrl"`
	DownloadLocation string `json:"software_downloadLocation"`
	HomePage         string `json:"software_homePage"`
	SourceInfo       string `json:"software_sourceInfo"`
	SbomType         refs   `json:"software_sbomType"`

	// Collections and relationships
	RootElement      refs   `json:"rootElement"`
	From             refs   `json:"from"`
	To               refs   `json:"to"`
	RelationshipType string `json:"relationshipType"`
	Completeness     string `json:"completeness"`
	Scope            string `json:"scope"`

	// Licences
	LicenseExpression string `json:"simplelicensing_licenseExpression"`
	CustomIDs         []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"simplelicensing_customIdToUri"`
	Member refs `json:"expandedlicensing_member"`

	// ExternalIdentifier as an element
	IdentifierType string `json:"externalIdentifierType"`
	Identifier     string `json:"identifier"`

	// Annotations
	Statement string `json:"statement"`
	Subject   string `json:"subject"`
}

// identifier is an external identifier, in its place, or an element of its own that others refer to.
type identifier struct {
	Kind       string `json:"externalIdentifierType"`
	Identifier string `json:"identifier"`
	ref        string // of the element that holds it; "" when it is here
}

func (x *identifier) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &x.ref)
	}
	type plain identifier
	return json.Unmarshal(b, (*plain)(x))
}

// refs is one string or a list of them; elements written in place give their id.
type refs []string

func (s *refs) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 0 && b[0] == '"':
		*s = refs{""}
		return json.Unmarshal(b, &(*s)[0])
	case json.Unmarshal(b, (*[]string)(s)) == nil:
		return nil
	}
	*s = nil
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, x := range list {
		if id := reference(x); id != "" {
			*s = append(*s, id)
		}
	}
	return nil
}

// reference returns the id of an element that is referred to, or written in place.
func reference(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, k := range []string{"spdxId", "@id"} {
			if id, ok := v[k].(string); ok {
				return id
			}
		}
	}
	return ""
}

// agentName is "Name <mail>" when a mail address is the one identifier.
func agentName(e *element) string {
	if len(e.ExternalIdentifier) == 1 && e.ExternalIdentifier[0].Kind == "email" {
		joined := bom.JoinMail(e.Name, e.ExternalIdentifier[0].Identifier)
		if _, mail := bom.SplitMail(joined); mail != "" {
			return joined
		}
	}
	return e.Name
}

// plainType brings "software:Package", "Software_Package" and a full IRI's last words to one spelling.
func plainType(t string) string {
	if i := strings.LastIndex(t, "/terms/"); i >= 0 {
		t = strings.TrimPrefix(t[i+len("/terms/"):], "Core/")
	}
	return strings.NewReplacer(":", "_", "/", "_").Replace(strings.ToLower(t))
}
