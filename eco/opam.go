package eco

// opam: OCaml packages. The order is Debian's over the whole string (opam manual, "Version ordering"); any letters may begin it.
var opam = Ecosystem{Name: "opam", Purls: []string{"opam"}, Compare: compareOpam}

func compareOpam(a, b string) (int, error) {
	for _, v := range [...]string{a, b} {
		if v == "" || !debChars(v, "-_+.~:") {
			return 0, bad("opam", v)
		}
	}
	return debOrder(a, b), nil
}
