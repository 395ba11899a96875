package installed

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/pe"
)

// DotnetAssembly reads the identity of .NET assemblies that stand without a deps.json: name and references from the metadata, the
// package's version from the version resource, since assembly versions are kept still on purpose.
var DotnetAssembly = biopsy.Extractor{
	Name:    "dotnet-assembly",
	Basis:   biopsy.Binary,
	Names:   []string{"*.dll", "*.exe"},
	Head:    func(head []byte) bool { return strings.HasPrefix(string(head[:min(len(head), 2)]), "MZ") },
	Extract: dotnetAssembly,
}

// runtimeProduct is how the runtime's own files call their product; they are one component, not two hundred packages.
const runtimeProduct = "Microsoft® .NET"

func dotnetAssembly(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	f, err := pe.Open(in.Content, in.Size())
	if errors.Is(err, pe.ErrNot) {
		return nil // a DOS program
	}
	if err != nil || !f.Managed() {
		return err
	}
	self, refs, err := f.Assembly()
	if err != nil || self.Name == "" || self.Culture != "" || policyAssembly.MatchString(self.Name) {
		return err // satellites only hold translations of the assembly they are named for, policies redirect to another
	}
	words, err := f.Versions()
	c := biopsy.Claim{Eco: "nuget", Name: self.Name, Version: assemblyVersion(self, words), State: biopsy.Installed, Supplier: field(words["CompanyName"]),
		Description: field(words["FileDescription"]), Extra: map[string]string{"dotnet:assembly-version": self.Version}}
	if p := words["ProductName"]; p == runtimeProduct || p == runtimeProduct+" Core" {
		c = biopsy.Claim{Kind: biopsy.Framework, Eco: "nuget", Name: "Microsoft.NETCore.App", Version: c.Version, State: biopsy.Installed, Supplier: c.Supplier}
	} else {
		for _, r := range refs {
			if r.Name != "mscorlib" && r.Name != "netstandard" && r.Name != "System" && !strings.HasPrefix(r.Name, "System.") {
				c.Needs = append(c.Needs, biopsy.Need{Name: r.Name, Scope: biopsy.Runtime})
			}
		}
		slices.SortFunc(c.Needs, func(a, b biopsy.Need) int { return strings.Compare(a.Name, b.Name) })
	}
	sheet{in, "dotnet-assembly", biopsy.Binary, emit}.say(c, sureGuess)
	return err
}

var (
	packageVersion = regexp.MustCompile(`^(\d+\.\d+(?:\.\d+)?)(\.\d+)?(-[0-9A-Za-z.-]+)?$`)
	policyAssembly = regexp.MustCompile(`^policy\.\d+\.\d+\.`)
)

// assemblyVersion prefers ProductVersion, which builds set to the package's version with "+COMMIT" behind it, then FileVersion. A
// fourth number of zero is none to NuGet, and one above 999 is the number of a build: Json.NET 6.0.8 says 6.0.8.18111.
func assemblyVersion(a pe.Assembly, words map[string]string) string {
	for _, v := range []string{words["ProductVersion"], words["FileVersion"], a.Version} {
		v, _, _ = strings.Cut(firstWord(v), "+")
		m := packageVersion.FindStringSubmatch(v)
		if m == nil || v == "0.0.0.0" {
			continue
		}
		if m[2] == ".0" || len(m[2]) > len(".999") {
			m[2] = ""
		}
		return m[1] + m[2] + m[3]
	}
	return ""
}
