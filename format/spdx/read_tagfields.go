package spdx

import (
	"fmt"
	"strings"

	biopsy "github.com/biopsy-sca/biopsy"
)

// passed are tags of SPDX 2 that are read over: they say nothing that the words hold.
var passed = map[string]bool{"DataLicense": true, "DocumentComment": true, "LicenseListVersion": true, "ExternalDocumentRef": true,
	"FilesAnalyzed": true, "PackageVerificationCode": true, "PackageLicenseInfoFromFiles": true, "LicenseInfoInFile": true, "LicenseComments": true,
	"FileNotice": true, "FileContributor": true, "FileDependency": true, "FileAttributionText": true, "ArtifactOfProjectName": true,
	"ArtifactOfProjectHomePage": true, "ArtifactOfProjectURI": true, "LicenseComment": true, "Reviewer": true, "ReviewDate": true,
	"ReviewComment": true, "ExternalRefComment": true}

func (t *tagValue) noteField(tag, value string) bool {
	switch tag {
	case "AnnotationDate":
		t.note.AnnotationDate = value
	case "AnnotationType":
		t.note.AnnotationType = value
	case "SPDXREF":
		t.noteOn = value
	case "AnnotationComment":
		t.note.Comment = value
	default:
		return false
	}
	return true
}

func (t *tagValue) documentField(tag, value string) bool {
	switch tag {
	case "SPDXVersion":
		t.head.SPDXVersion = value
	case "DocumentName":
		t.head.Name = value
	case "DocumentNamespace":
		t.head.DocumentNamespace = value
	case "Creator":
		t.head.CreationInfo.Creators = append(t.head.CreationInfo.Creators, value)
	case "Created":
		t.head.CreationInfo.Created = value
	case "CreatorComment":
		t.head.CreationInfo.Comment = value
	case "SPDXID":
		if t.pkg != nil || t.file != nil {
			return false
		}
		t.head.SPDXID = value
		t.self(value)
	default:
		return false
	}
	return true
}

func (t *tagValue) extractedField(tag, value string) bool {
	switch tag {
	case "ExtractedText":
		t.extra.ExtractedText = value
	case "LicenseName":
		t.extra.Name = value
	case "LicenseCrossReference":
		t.extra.SeeAlsos = append(t.extra.SeeAlsos, value)
	default:
		return false
	}
	return true
}

func (t *tagValue) fileField(tag, value string) bool {
	f := t.file
	switch tag {
	case "SPDXID":
		f.SPDXID = value
	case "FileType":
		f.FileTypes = append(f.FileTypes, value)
	case "FileChecksum":
		f.Checksums = append(f.Checksums, parseChecksum(value))
	case "LicenseConcluded":
		f.LicenseConcluded = value
	case "FileCopyrightText":
		f.CopyrightText = value
	case "FileComment":
		f.Comment = value
	default:
		return false
	}
	return true
}

func (t *tagValue) packageField(tag, value string) bool {
	p := t.pkg
	to := packageText(p, tag)
	switch {
	case to != nil:
		*to = value
	case tag == "PackageChecksum":
		p.Checksums = append(p.Checksums, parseChecksum(value))
	case tag == "PackageAttributionText":
		p.AttributionTexts = append(p.AttributionTexts, value)
	case tag == "ExternalRef":
		f := strings.Fields(value)
		if len(f) != 3 {
			t.Gap(biopsy.Gap{Place: t.at(), Reason: fmt.Sprintf("external reference %.80q has not three words", value)})
			return true
		}
		p.ExternalRefs = append(p.ExternalRefs, externalRef{ReferenceCategory: f[0], ReferenceType: f[1], ReferenceLocator: f[2]})
	case tag == "ExternalRefComment" && len(p.ExternalRefs) > 0:
		p.ExternalRefs[len(p.ExternalRefs)-1].Comment = value
	default:
		return false
	}
	return true
}

// packageText is the field of a package that a tag fills with its text; nil for tags that are more than that.
func packageText(p *pkg, tag string) *string {
	switch tag {
	case "SPDXID":
		return &p.SPDXID
	case "PackageVersion":
		return &p.VersionInfo
	case "PackageFileName":
		return &p.PackageFileName
	case "PackageSupplier":
		return &p.Supplier
	case "PackageOriginator":
		return &p.Originator
	case "PackageDownloadLocation":
		return &p.DownloadLocation
	case "PackageHomePage":
		return &p.Homepage
	case "PackageSourceInfo":
		return &p.SourceInfo
	case "PackageLicenseConcluded":
		return &p.LicenseConcluded
	case "PackageLicenseDeclared":
		return &p.LicenseDeclared
	case "PackageLicenseComments":
		return &p.LicenseComments
	case "PackageCopyrightText":
		return &p.CopyrightText
	case "PackageSummary":
		return &p.Summary
	case "PackageDescription":
		return &p.Description
	case "PackageComment":
		return &p.Comment
	case "PrimaryPackagePurpose":
		return &p.PrimaryPackagePurpose
	case "ReleaseDate":
		return &p.ReleaseDate
	case "BuiltDate":
		return &p.BuiltDate
	case "ValidUntilDate":
		return &p.ValidUntilDate
	}
	return nil
}

func parseChecksum(s string) checksum {
	alg, value, _ := strings.Cut(s, ":")
	return checksum{strings.TrimSpace(alg), strings.TrimSpace(value)}
}
