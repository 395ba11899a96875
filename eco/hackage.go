package eco

// hackage: Haskell packages. Versions are numbers parted by dots (Haskell Package Versioning Policy).
var hackage = Ecosystem{Name: "Hackage", Purls: []string{"hackage"}, Compare: compareHackage}

// ghc: the compiler and its tools, named by component and numbered like packages.
var ghc = Ecosystem{Name: "GHC", Compare: compareHackage}

func compareHackage(a, b string) (int, error) { return compareNumbers("Hackage", ".", a, b) }
