package eco

// julia: packages of the General registry. JLL packages wrap C libraries, and their build number ("1.2.11+0") counts: Julia's
// VersionNumber orders by it after all else (docs.julialang.org, "Version Number Literals").
var julia = Ecosystem{Name: "Julia", Purls: []string{"julia"}, Compare: compareWithBuild}
