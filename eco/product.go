package eco

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// product: finished products by vendor and product, as security advisories of their makers name them. The name is "vendor:product".
var product = Ecosystem{Name: "Product", Fold: foldProduct, Compare: compareProduct}

// ProductName joins a vendor's and a product's name as entries of ecosystem "Product" are called: in lower case, otherwise as spelled.
func ProductName(vendor, product string) string {
	vendor = strings.ReplaceAll(vendor, ":", " ")
	return strings.ToLower(oneSpace(vendor)) + ":" + strings.ToLower(oneSpace(product))
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// foldProduct brings spellings of one name together: "Becton, Dickinson and Company (BD):BD Alaris™ 8015 PC unit" is
// "becton dickinson:alaris 8015 pc unit". Accents, signs, legal forms and remarks in parentheses go; so does the vendor's name before
// the product's. What is left when nothing else would be stays.
func foldProduct(name string) string {
	vendor, product, ok := strings.Cut(name, ":")
	if !ok {
		return strings.Join(plainWords(name), " ")
	}
	v := FoldVendor(vendor)
	return v + ":" + strings.Join(withoutMaker(plainWords(product), v, vendor), " ")
}

// FoldVendor brings spellings of one maker together: "Philips Healthcare" and "Koninklijke Philips N.V." are "philips".
func FoldVendor(vendor string) string {
	words := plainWords(vendor)
	for len(words) > 1 && isLegalForm(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	if len(words) > 1 && words[0] == "the" {
		words = words[1:]
	}
	folded := strings.Join(words, " ")
	if same, ok := makers[folded]; ok {
		return same
	}
	return folded
}

// legalForms end a company's name and do not tell companies apart.
var legalForms = strings.Fields(`inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg kgaa se sa sas sarl spa srl bv nv ab
	as aps oy oyj pty pte pvt private kk and mbh sl sro zrt kft`)

func isLegalForm(word string) bool { return slices.Contains(legalForms, word) }

// makers are names that one maker is also called by, folded but for this.
var makers = map[string]string{
	"bd": "becton dickinson", "b braun melsungen": "b braun", "b braun medical": "b braun", "braun": "b braun",
	"philips healthcare": "philips", "koninklijke philips": "philips", "royal philips": "philips", "philips medical systems": "philips",
	"philips respironics": "philips", "phillips": "philips", "general electric": "ge", "ge healthcare": "ge",
	"ge healthcare technologies": "ge", "ge medical systems": "ge", "hill rom": "hillrom", "hillrom and eli baxter international": "hillrom",
	"roche diagnostics": "roche", "f hoffmann la roche": "roche", "zoll medical": "zoll", "natus": "natus medical", "st jude": "st jude medical",
	"baxter healthcare": "baxter", "baxter international": "baxter", "abbott laboratories": "abbott", "draegerwerk": "draeger",
	"draeger medical": "draeger", "fresenius kabi usa": "fresenius kabi", "fresenius kabi deutschland": "fresenius kabi",
	"medtronic minimed": "medtronic", "contec medical systems": "contec health", "smiths medical asd": "smiths medical",
}

// withoutMaker drops the vendor's name, folded or as initials in parentheses ("(BD)"), from the front of a product's.
func withoutMaker(product []string, folded, vendor string) []string {
	names := [][]string{strings.Fields(folded)}
	for short, long := range makers {
		if long == folded {
			names = append(names, strings.Fields(short))
		}
	}
	if _, rest, ok := strings.Cut(vendor, "("); ok {
		initials, _, _ := strings.Cut(rest, ")")
		names = append(names, plainWords(initials))
	}
	// The longest name goes first, so that the order of the map makes no difference.
	slices.SortFunc(names, func(a, b []string) int { return len(b) - len(a) })
	for range 2 { // "BD BD Pyxis": once in the name, once in front of it
		for _, n := range names {
			if len(n) > 0 && len(product) > len(n) && slices.Equal(product[:len(n)], n) {
				product = product[len(n):]
				break
			}
		}
	}
	return product
}

// plainWords are the words of a name: lower case, no accents, no signs, nothing in parentheses unless nothing else is there.
func plainWords(s string) []string {
	var b strings.Builder
	depth, inside := 0, false
	for _, r := range strings.ToLower(s) {
		switch {
		case r == '(' || r == '[':
			depth++
			b.WriteByte(' ')
			continue
		case (r == ')' || r == ']') && depth > 0:
			depth--
			inside = true
			continue
		case depth > 0:
			continue
		case r == '.' || r == '\'' || r == '’' || r == '™' || r == '®' || r == '©':
			// "S.p.A." is one word; "7.1" keeps its point
			if r == '.' && b.Len() > 0 && isDigit(b.String()[b.Len()-1]) {
				b.WriteByte('.')
			}
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+':
			b.WriteString(plainLetter(r))
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for i := range words {
		words[i] = strings.TrimRight(words[i], ".")
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	if len(words) == 0 && (inside || depth > 0) {
		return plainWords(strings.NewReplacer("(", " ", ")", " ", "[", " ", "]", " ").Replace(s))
	}
	return words
}

// plainLetters are the letters with accents of the makers' languages.
var plainLetters = map[rune]string{
	'ä': "ae", 'ö': "o", 'ü': "u", 'ß': "ss", 'å': "a", 'ø': "o", 'æ': "ae", 'é': "e", 'è': "e", 'ê': "e", 'á': "a", 'à': "a", 'â': "a", 'ã': "a",
	'ç': "c", 'ñ': "n", 'í': "i", 'ó': "o", 'ô': "o", 'õ': "o", 'ú': "u", 'ł': "l", 'ś': "s", 'š': "s", 'č': "c", 'ž': "z", 'ý': "y", 'ě': "e", 'ř': "r",
}

func plainLetter(r rune) string {
	if p, ok := plainLetters[r]; ok {
		return p
	}
	return string(r)
}

// MayBeProduct says whether two folded names of products may be of one product though they differ: same maker, and all words of the
// shorter name stand in the longer ("baxter:sigma spectrum" and "baxter:sigma spectrum infusion pump"). It never says that they are one.
func MayBeProduct(a, b string) bool {
	va, pa, okA := strings.Cut(a, ":")
	vb, pb, okB := strings.Cut(b, ":")
	if !okA || !okB || va != vb || va == "" {
		return false
	}
	short, long := strings.Fields(pa), strings.Fields(pb)
	if len(short) > len(long) {
		short, long = long, short
	}
	for _, w := range short {
		if !slices.Contains(long, w) {
			return false
		}
	}
	return len(short) > 0
}

// ErrApart says that two versions are each one, but of shapes whose order nobody tells.
var ErrApart = errors.New("versions of different shapes cannot be compared")

// compareProduct orders versions as makers of products number them. There is no standard, so it answers only where the shape of both
// versions is the same as far as they differ; what cannot be compared is an error.
//
//	version = [prefix] numbers {word | letter | number}
//
// "v", "rev", "version" and their like are no prefix; of single letters A is before B; other prefixes ("BIOS", "SV") must be equal.
// Then numbers, missing ones being zero, then part by part: alpha < beta < pre < rc < the end < everything else. Words must be equal.
func compareProduct(a, b string) (int, error) {
	p, err := splitProduct(a)
	if err != nil {
		return 0, err
	}
	q, err := splitProduct(b)
	if err != nil {
		return 0, err
	}
	differ := fmt.Errorf("%q and %q: %w", shortened(a), shortened(b), ErrApart)
	if p.prefix != q.prefix {
		if len(p.prefix) == 1 && len(q.prefix) == 1 {
			return strings.Compare(p.prefix, q.prefix), nil
		}
		return 0, differ
	}
	if c := compareCore(p.core, q.core); c != 0 {
		return c, nil
	}
	for i := range max(len(p.tail), len(q.tail)) {
		x, y := partAt(p.tail, i), partAt(q.tail, i)
		switch {
		case x.class != y.class && x.class > upEnd && y.class > upEnd, x.class == upWord && y.class == upWord && x.text != y.text:
			return 0, differ
		default:
			if c := x.compare(y); c != 0 {
				return c, nil
			}
		}
	}
	return 0, nil
}

func partAt(parts []upstreamPart, i int) upstreamPart {
	if i < len(parts) {
		return parts[i]
	}
	return upstreamPart{class: upEnd}
}

func shortened(v string) string {
	if len(v) > 80 {
		return v[:80] + "..."
	}
	return v
}

// productVersion is a version in its parts.
type productVersion struct {
	prefix string // lower case; "" for none that counts
	core   string
	tail   []upstreamPart
}

func splitProduct(version string) (productVersion, error) {
	s := strings.ToLower(strings.TrimSpace(version))
	n := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
	if n < 0 {
		n = len(s)
	}
	var p productVersion
	p.prefix = strings.Trim(strings.NewReplacer("_", " ", ".", " ", "-", " ").Replace(s[:n]), " ")
	s = s[n:]
	p.prefix = strings.TrimSuffix(p.prefix, " v")
	switch p.prefix {
	case "v", "ver", "version", "versions", "r", "rel", "release", "rev", "revision", "fw", "firmware", "firmware version", "sw", "software",
		"software version", "firmware v", "software v":
		p.prefix = ""
	}
	if len(version) > 128 || !isPrefix(p.prefix) || s == "" && len(p.prefix) != 1 || isDate(s) {
		return p, bad("products", version)
	}
	n = digits(s)
	for n+1 < len(s) && (s[n] == '.' || s[n] == '_') && isDigit(s[n+1]) {
		n += 1 + digits(s[n+1:])
	}
	p.core = s[:n]
	var ok bool
	if p.tail, ok = productTail(s[n:]); !ok {
		return p, bad("products", version)
	}
	return p, nil
}

func isPrefix(s string) bool {
	return !slices.Contains(months, s) && len(s) <= 12 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz ") == ""
}

var months = strings.Fields(`jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov november
	dec december`)

// isDate knows days, which no order of versions fits: "8/30/2024".
func isDate(s string) bool {
	day, rest, ok := strings.Cut(s, "/")
	month, year, ok2 := strings.Cut(rest, "/")
	return ok && ok2 && digits(day) == len(day) && digits(month) == len(month) && digits(year) >= 2
}

// productTail reads what follows the numbers; false when a word is none of a version.
func productTail(s string) (parts []upstreamPart, ok bool) {
	glued := true
	for {
		i := 0
		for i < len(s) && strings.IndexByte(" ._-+()/,:", s[i]) >= 0 {
			i++
		}
		closed := i > 0 && s[i-1] == ')' // "12.2(55)SE"
		glued, s = glued && i == 0, s[i:]
		if s == "" {
			return parts, true
		}
		if n := digits(s); n > 0 {
			parts, s, glued = append(parts, upstreamPart{upNumber, s[:n]}), s[n:], true
			continue
		}
		n := letters(s)
		if n == 0 {
			return nil, false
		}
		word := s[:n]
		s = s[n:]
		numberFollows := digits(strings.TrimLeft(s, " ._-")) > 0
		switch class := upstreamWord(word, false, numberFollows); {
		case class == upNeutral:
		case class == upPatch:
			parts = append(parts, upstreamPart{upWord, "patch"})
		case class < upEnd && len(word) > 1:
			parts = append(parts, upstreamPart{class: class})
		case word == "x": // "3.x.17" stands for many
			return nil, false
		case glued && n <= 2:
			parts = append(parts, upstreamPart{upLetter, word})
		case numberFollows && (n <= 3 || slices.Contains(versionWords, word)):
			parts = append(parts, upstreamPart{upWord, sameWord(word)})
		case closed && n <= 3:
			parts = append(parts, upstreamPart{upWord, word})
		case n == 1:
			parts = append(parts, upstreamPart{upLetter, word})
		default:
			return nil, false
		}
		glued = false
	}
}

// versionWords are words of more than three letters that stand before a number in versions.
var versionWords = []string{"update", "hotfix", "build", "patch", "revision", "service", "pack", "feature", "security", "rollup", "release"}

func sameWord(word string) string {
	switch word {
	case "upd":
		return "update"
	case "hf":
		return "hotfix"
	case "revision":
		return "rev"
	}
	return word
}
