package sbom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/cyclonedx"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/format/spdx"
	"github.com/biopsy-sca/biopsy/internal/bom/bomtest"
)

// documents are SBOMs of every form, none with an ending that tells.
func documents(t *testing.T) map[string]string {
	t.Helper()
	dir, s := t.TempDir(), bomtest.Scan()
	out := map[string]string{}
	for name, write := range map[string]func(*os.File) error{
		"cyclonedx-json": func(f *os.File) error { return cyclonedx.WriteJSON(f, s, "1.6") },
		"cyclonedx-xml":  func(f *os.File) error { return cyclonedx.WriteXML(f, s, "1.7") },
		"spdx-json":      func(f *os.File) error { return spdx.WriteJSON(f, s) },
		"spdx-tag":       func(f *os.File) error { return spdx.WriteTagValue(f, s) },
		"spdx-3":         func(f *os.File) error { return spdx.WriteJSONLD(f, s) },
	} {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		out[name] = path
	}
	return out
}

func TestOpen(t *testing.T) {
	for name, path := range documents(t) {
		if !Opener.Detect(path) {
			t.Errorf("%s: not detected", name)
		}
		tree, err := Opener.Open(context.Background(), path, biopsy.OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		want := biopsy.Artifact{Ref: "sbom:" + path, Name: name, Kind: "sbom", Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(b)), Files: 1}
		if got := tree.Artifact; got.Ref != want.Ref || got.Name != want.Name || got.Kind != want.Kind || got.Digest != want.Digest || got.Size != want.Size || got.Files != 1 {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got, want := len(tree.Inventory.Components), 6; got != want {
			t.Errorf("%s: got %d components, want %d", name, got, want)
		}
		if tree.Subject == nil || tree.Subject.Name != "Infusion Pump" {
			t.Errorf("%s: subject %+v", name, tree.Subject)
		}
		for _, c := range tree.Inventory.Components {
			if len(c.Evidence) == 0 || c.Evidence[0].Place.Artifact != 0 {
				t.Errorf("%s: %s has evidence %+v", name, c.Name, c.Evidence)
			}
		}
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestKinds(t *testing.T) {
	for head, want := range map[string]string{
		`{"bomFormat": "CycloneDX"`: "cyclonedx", `{"components":[{"bomFormat":"x"}],"bomFormat":"CycloneDX"}`: "cyclonedx",
		`{"x":{"bomFormat":"CycloneDX"}}`: "", `{"properties":{"bomFormat":{"enum":["CycloneDX"]}}}`: "", `{"bomFormat":{"enum":["CycloneDX"]}}`: "",
		`{"SPDXID":"SPDXRef-DOCUMENT"`: "spdx", `{"spdxVersion":"SPDX-2.3"}`: "spdx", `{"sbom":{"SPDXID":"SPDXRef-DOCUMENT"}}`: "spdx",
		`{"@context":["https://spdx.org/rdf/3.0.1/spdx-context.jsonld"],`: "spdx", `{"@context":"https://openvex.dev/ns"}`: "",
		`{"_type":"s","predicateType":"https://cyclonedx.org/bom/v1.4","predicate":{`:      "cyclonedx",
		`<?xml version="1.0"?><!-- c --><bom xmlns="http://cyclonedx.org/schema/bom/1.0">`: "cyclonedx", `<bom>`: "", `<html>`: "",
		`<?xml version="1.0" encoding="ISO-8859-1"?><b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.0">`: "cyclonedx",
		`<rdf:RDF xmlns:spdx="http://spdx.org/rdf/terms#">`:                                                "spdx", "# c\nSPDXVersion: SPDX-2.2": "spdx", "a: 1\nspdxVersion: SPDX-2.3": "spdx",
		"SPDXVersion\n": "", "": "", "{": "", `{"biopsy": 1}`: "", "\ufeff{\"spdxVersion\":\"SPDX-2.3\"": "spdx", "SPDX-License-Identifier: MIT": "",
	} {
		if got := kindOf(strings.NewReader(head)); got != want {
			t.Errorf("%s: got %q, want %q", head, got, want)
		}
	}
}

func TestNotAnSBOM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scan")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := scanfile.Write(f, bomtest.Scan()); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if Opener.Detect(path) || Opener.Detect(filepath.Dir(path)) || Opener.Detect(path+"-absent") {
		t.Error("a scan file, a directory or nothing is taken for an SBOM")
	}
	if _, err := Opener.Open(context.Background(), path, biopsy.OpenOptions{}); err == nil || !strings.Contains(err.Error(), "neither CycloneDX nor SPDX") {
		t.Errorf("got %v", err)
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a"},`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Opener.Open(context.Background(), broken, biopsy.OpenOptions{}); err == nil || !strings.Contains(err.Error(), "broken.json: cyclonedx: components") {
		t.Errorf("got %v", err)
	}
}

func TestCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, path := range documents(t) {
		if _, err := Opener.Open(ctx, path, biopsy.OpenOptions{}); err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// With BIOPSY_CORPORA set, every document in its folder sboms opens or says what is wrong; the answers are logged.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("BIOPSY_CORPORA")
	if dir == "" {
		t.Skip("BIOPSY_CORPORA is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "sboms", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		d, err := Read(context.Background(), file)
		if err != nil {
			t.Logf("%v", err)
			continue
		}
		t.Logf("%s: %s %s %s, %d components, %d relations, %d gaps", filepath.Base(file), d.Format, d.Version, d.Encoding, len(d.Inventory.Components), len(d.Inventory.Relations), len(d.Inventory.Gaps))
	}
}
