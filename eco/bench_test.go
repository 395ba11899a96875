package eco

import (
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkCompare times each order on the pairs of its order file.
func BenchmarkCompare(b *testing.B) {
	files, err := filepath.Glob("testdata/order/*.txt")
	if err != nil {
		b.Fatal(err)
	}
	names := map[string]string{"semver": "crates.io", "pypi": "PyPI", "maven": "Maven", "nuget": "NuGet", "rubygems": "RubyGems", "packagist": "Packagist",
		"debian": "Debian", "rpm": "AlmaLinux", "apk": "Alpine", "upstream": "Upstream", "go": "Go"}
	for _, file := range files {
		ecosystem := names[strings.TrimSuffix(filepath.Base(file), ".txt")]
		if ecosystem == "" {
			continue
		}
		b.Run(ecosystem, func(b *testing.B) {
			ps := pairs(b, file)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := ps[i%len(ps)]
				if _, err := Compare(ecosystem, p[0], p[1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
