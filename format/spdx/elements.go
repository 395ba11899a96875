package spdx

// The elements of SPDX 2.3, as its JSON schema names them. Fields that are not read or written are absent; "" and nil are left out.

type header struct {
	SPDXVersion       string       `json:"spdxVersion"`
	DataLicense       string       `json:"dataLicense"`
	SPDXID            string       `json:"SPDXID"`
	Name              string       `json:"name"`
	DocumentNamespace string       `json:"documentNamespace"`
	CreationInfo      creationInfo `json:"creationInfo"`
	Comment           string       `json:"comment,omitempty"`
	Annotations       []annotation `json:"annotations,omitempty"`
}

type creationInfo struct {
	Comment            string   `json:"comment,omitempty"`
	Created            string   `json:"created"`
	Creators           []string `json:"creators"`
	LicenseListVersion string   `json:"licenseListVersion,omitempty"`
}

type pkg struct {
	Name                  string        `json:"name"`
	SPDXID                string        `json:"SPDXID"`
	VersionInfo           string        `json:"versionInfo,omitempty"`
	PackageFileName       string        `json:"packageFileName,omitempty"`
	Supplier              string        `json:"supplier,omitempty"`
	Originator            string        `json:"originator,omitempty"`
	DownloadLocation      string        `json:"downloadLocation"`
	FilesAnalyzed         *bool         `json:"filesAnalyzed,omitempty"`
	Checksums             []checksum    `json:"checksums,omitempty"`
	Homepage              string        `json:"homepage,omitempty"`
	SourceInfo            string        `json:"sourceInfo,omitempty"`
	LicenseConcluded      string        `json:"licenseConcluded,omitempty"`
	LicenseDeclared       string        `json:"licenseDeclared,omitempty"`
	LicenseComments       string        `json:"licenseComments,omitempty"`
	CopyrightText         string        `json:"copyrightText,omitempty"`
	Summary               string        `json:"summary,omitempty"`
	Description           string        `json:"description,omitempty"`
	Comment               string        `json:"comment,omitempty"`
	ExternalRefs          []externalRef `json:"externalRefs,omitempty"`
	AttributionTexts      []string      `json:"attributionTexts,omitempty"`
	PrimaryPackagePurpose string        `json:"primaryPackagePurpose,omitempty"`
	ReleaseDate           string        `json:"releaseDate,omitempty"`
	BuiltDate             string        `json:"builtDate,omitempty"`
	ValidUntilDate        string        `json:"validUntilDate,omitempty"`
	HasFiles              []string      `json:"hasFiles,omitempty"`
	Annotations           []annotation  `json:"annotations,omitempty"`
}

type file struct {
	FileName         string       `json:"fileName"`
	SPDXID           string       `json:"SPDXID"`
	FileTypes        []string     `json:"fileTypes,omitempty"`
	Checksums        []checksum   `json:"checksums"`
	LicenseConcluded string       `json:"licenseConcluded,omitempty"`
	CopyrightText    string       `json:"copyrightText,omitempty"`
	Comment          string       `json:"comment,omitempty"`
	Annotations      []annotation `json:"annotations,omitempty"`
}

type checksum struct {
	Algorithm     string `json:"algorithm"`
	ChecksumValue string `json:"checksumValue"`
}

type externalRef struct {
	ReferenceCategory string `json:"referenceCategory"`
	ReferenceType     string `json:"referenceType"`
	ReferenceLocator  string `json:"referenceLocator"`
	Comment           string `json:"comment,omitempty"`
}

type annotation struct {
	Annotator      string `json:"annotator"`
	AnnotationDate string `json:"annotationDate"`
	AnnotationType string `json:"annotationType"`
	Comment        string `json:"comment"`
}

type relationship struct {
	SpdxElementID      string `json:"spdxElementId"`
	RelationshipType   string `json:"relationshipType"`
	RelatedSpdxElement string `json:"relatedSpdxElement"`
	Comment            string `json:"comment,omitempty"`
}

type extractedLicense struct {
	LicenseID     string   `json:"licenseId"`
	ExtractedText string   `json:"extractedText"`
	Name          string   `json:"name,omitempty"`
	SeeAlsos      []string `json:"seeAlsos,omitempty"`
}
