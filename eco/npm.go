package eco

// npm: names may carry a scope and keep their case (old packages differ by it); versions are strict semver.
var npm = Ecosystem{Name: "npm", Purls: []string{"npm"}, Join: slash, Compare: compareSemver}
