package spdx

// The elements that are written, with their fields in the order of the file.

type node struct {
	Type         string `json:"type"`
	ID           string `json:"spdxId"`
	CreationInfo string `json:"creationInfo"`
	Name         string `json:"name,omitempty"`
}

type agent3 struct {
	node
	ExternalIdentifier []identifier3 `json:"externalIdentifier,omitempty"`
}

type creation3 struct {
	Type         string   `json:"type"`
	ID           string   `json:"@id"`
	SpecVersion  string   `json:"specVersion"`
	Created      string   `json:"created"`
	CreatedBy    []string `json:"createdBy"`
	CreatedUsing []string `json:"createdUsing,omitempty"`
}

type collection3 struct {
	node
	ProfileConformance []string     `json:"profileConformance,omitempty"`
	RootElement        []string     `json:"rootElement,omitempty"`
	SbomType           []string     `json:"software_sbomType,omitempty"`
	Extension          []extension3 `json:"extension,omitempty"`
}

type package3 struct {
	node
	Description        string        `json:"description,omitempty"`
	ExternalIdentifier []identifier3 `json:"externalIdentifier,omitempty"`
	VerifiedUsing      []hash3       `json:"verifiedUsing,omitempty"`
	SuppliedBy         string        `json:"suppliedBy,omitempty"`
	ValidUntilTime     string        `json:"validUntilTime,omitempty"`
	CopyrightText      string        `json:"software_copyrightText,omitempty"`
	PrimaryPurpose     string        `json:"software_primaryPurpose,omitempty"`
	DownloadLocation   string        `json:"software_downloadLocation,omitempty"`
	HomePage           string        `json:"software_homePage,omitempty"`
	PackageURL         string        `json:"software_packageUrl,omitempty"`
	PackageVersion     string        `json:"software_packageVersion,omitempty"`
	SourceInfo         string        `json:"software_sourceInfo,omitempty"`
	Extension          []extension3  `json:"extension,omitempty"`
}

type identifier3 struct {
	Type       string `json:"type"`
	Kind       string `json:"externalIdentifierType"`
	Identifier string `json:"identifier"`
}

type hash3 struct {
	Type      string `json:"type"`
	Algorithm string `json:"algorithm"`
	HashValue string `json:"hashValue"`
}

type extension3 struct {
	Type       string      `json:"type"`
	Properties []property3 `json:"extension_cdxProperty"`
}

type property3 struct {
	Type  string `json:"type"`
	Name  string `json:"extension_cdxPropName"`
	Value string `json:"extension_cdxPropValue,omitempty"`
}

type relation3 struct {
	node
	From             string   `json:"from"`
	To               []string `json:"to"`
	RelationshipType string   `json:"relationshipType"`
	Completeness     string   `json:"completeness,omitempty"`
	Scope            string   `json:"scope,omitempty"`
}

type expression3 struct {
	node
	Expression  string   `json:"simplelicensing_licenseExpression"`
	ListVersion string   `json:"simplelicensing_licenseListVersion,omitempty"`
	CustomIDs   []entry3 `json:"simplelicensing_customIdToUri,omitempty"`
}

type entry3 struct {
	Type  string `json:"type"`
	Key   string `json:"key"`
	Value string `json:"value"`
}

type text3 struct {
	node
	Text string `json:"simplelicensing_licenseText"`
}
