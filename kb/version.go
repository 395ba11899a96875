package kb

import "strings"

// VersionTrait is the trait of a text in front of a version.
func VersionTrait(before string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(before) {
		h = (h ^ uint64(before[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// VersionsIn yields what may be versions in a text, each with what stands before it: digits with dots between, and what follows of
// letters and digits ("1.1.1w", "9.2p1", "3.0.0beta2"). Texts in which nothing stands before are left out: a bare number says nothing.
func VersionsIn(text string, yield func(before, version string)) {
	for i := 0; i < len(text); {
		if !digit(text[i]) || i > 0 && (text[i-1] == '.' || digit(text[i-1])) {
			i++
			continue
		}
		end := i
		for end < len(text) && (digit(text[end]) || letter(text[end]) || text[end] == '.') {
			end++
		}
		v := strings.TrimRight(text[i:end], ".")
		if n := strings.IndexByte(v, '.'); n > 0 && n+1 < len(v) && digit(v[n-1]) && digit(v[n+1]) && hasLetters(text[:i]) {
			yield(text[:i], v)
		}
		i = end
	}
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func hasLetters(s string) bool {
	n := 0
	for i := range len(s) {
		if letter(s[i]) {
			n++
		}
	}
	return n >= 2
}
