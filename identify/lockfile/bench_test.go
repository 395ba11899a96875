package lockfile

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/biopsy-sca/biopsy"
)

func benchmark(b *testing.B, x biopsy.Extractor, name string, text []byte) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		in := biopsy.Input{File: biopsy.File{Path: name}, Content: content{bytes.NewReader(text)}}
		if err := x.Extract(b.Context(), in, func(biopsy.Evidence) { n++ }); err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkNPMLock(b *testing.B) {
	var t bytes.Buffer
	fmt.Fprint(&t, `{"name": "big", "lockfileVersion": 3, "packages": {"": {"name": "big"}`)
	for i := range 5000 {
		fmt.Fprintf(&t, `,
    "node_modules/pkg-%d": {
      "version": "1.%d.0",
      "resolved": "https://registry.npmjs.org/pkg-%d/-/pkg-%d-1.%d.0.tgz",
      "integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
      "license": "MIT",
      "dependencies": { "pkg-%d": "^1.0.0", "pkg-%d": "^1.0.0" },
      "engines": { "node": ">=10" }
    }`, i, i, i, i, i, (i*7)%5000, (i*11)%5000)
	}
	fmt.Fprint(&t, "}}")
	benchmark(b, NPMLock, "package-lock.json", t.Bytes())
}

func BenchmarkPNPMLock(b *testing.B) {
	var t bytes.Buffer
	fmt.Fprint(&t, "lockfileVersion: '9.0'\n\npackages:\n\n")
	for i := range 5000 {
		fmt.Fprintf(&t, "  pkg-%d@1.%d.0:\n    resolution: {integrity: sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==}\n    engines: {node: '>=10'}\n\n", i, i)
	}
	fmt.Fprint(&t, "snapshots:\n\n")
	for i := range 5000 {
		fmt.Fprintf(&t, "  pkg-%d@1.%d.0:\n    dependencies:\n      pkg-%d: 1.%d.0\n\n", i, i, (i*7)%5000, (i*7)%5000)
	}
	benchmark(b, PNPMLock, "pnpm-lock.yaml", t.Bytes())
}

func BenchmarkCargoLock(b *testing.B) {
	var t bytes.Buffer
	fmt.Fprint(&t, "version = 4\n")
	for i := range 2000 {
		fmt.Fprintf(&t, "\n[[package]]\nname = \"pkg-%d\"\nversion = \"1.%d.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\ndependencies = [\n \"pkg-%d\",\n]\n", i, i, (i*7)%2000)
	}
	benchmark(b, CargoLock, "Cargo.lock", t.Bytes())
}

func BenchmarkMavenPOM(b *testing.B) {
	var t bytes.Buffer
	fmt.Fprint(&t, "<project><groupId>a</groupId><artifactId>b</artifactId><version>1</version><dependencies>")
	for i := range 1000 {
		fmt.Fprintf(&t, "\n<dependency><groupId>org.example</groupId><artifactId>lib-%d</artifactId><version>1.%d</version></dependency>", i, i)
	}
	fmt.Fprint(&t, "</dependencies></project>")
	benchmark(b, MavenPOM, "pom.xml", t.Bytes())
}
