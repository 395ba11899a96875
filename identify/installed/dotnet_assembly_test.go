package installed

import (
	"testing"

	"github.com/biopsy-sca/biopsy/internal/pe/petest"
)

func TestDotnetAssembly(t *testing.T) {
	serilog := &petest.Assembly{Name: "Serilog", Version: [4]uint16{2, 0, 0, 0}, Refs: []petest.Assembly{{Name: "System.Runtime"}, {Name: "Serilog.Core"}, {Name: "mscorlib"}}}
	cases := []struct {
		name     string
		assembly *petest.Assembly
		versions [][2]string
		want     string
	}{
		{"app/Serilog.dll", serilog, [][2]string{{"CompanyName", "Serilog Contributors"}, {"ProductVersion", "2.10.0+d7a1"}},
			`app/Serilog.dll: dotnet-assembly library nuget//Serilog@2.10.0 installed  binary-analysis 0.70
  purl pkg:nuget/Serilog@2.10.0
  supplier Serilog Contributors
  need Serilog.Core runtime
  extra dotnet:assembly-version=2.0.0.0
`},
		{"app/Odd.dll", &petest.Assembly{Name: "Odd", Version: [4]uint16{1, 2, 3, 4}}, [][2]string{{"ProductVersion", "nightly"}},
			`app/Odd.dll: dotnet-assembly library nuget//Odd@1.2.3.4 installed  binary-analysis 0.70
  purl pkg:nuget/Odd@1.2.3.4
  extra dotnet:assembly-version=1.2.3.4
`},
		{"app/System.Text.Json.dll", &petest.Assembly{Name: "System.Text.Json", Version: [4]uint16{6, 0, 0, 0}}, [][2]string{{"ProductName", "Microsoft® .NET"}, {"ProductVersion", "6.0.21+e40b"}},
			`app/System.Text.Json.dll: dotnet-assembly framework nuget//Microsoft.NETCore.App@6.0.21 installed  binary-analysis 0.70
  purl pkg:nuget/Microsoft.NETCore.App@6.0.21
`},
		{"app/Newtonsoft.Json.dll", &petest.Assembly{Name: "Newtonsoft.Json", Version: [4]uint16{6, 0, 0, 0}}, [][2]string{{"ProductVersion", "6.0.8.18111"}},
			`app/Newtonsoft.Json.dll: dotnet-assembly library nuget//Newtonsoft.Json@6.0.8 installed  binary-analysis 0.70
  purl pkg:nuget/Newtonsoft.Json@6.0.8
  extra dotnet:assembly-version=6.0.0.0
`},
		{"app/policy.5.0.Newtonsoft.Json.dll", &petest.Assembly{Name: "policy.5.0.Newtonsoft.Json"}, nil, ""},
		{"app/de/Serilog.resources.dll", &petest.Assembly{Name: "Serilog.resources", Culture: "de"}, nil, ""},
		{"app/native.dll", nil, [][2]string{{"ProductVersion", "1.0"}}, ""},
	}
	for _, c := range cases {
		b := petest.Image{Machine: 0x14c, Assembly: c.assembly, Versions: c.versions}.Bytes()
		if got := read(c.name, b, nil); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
