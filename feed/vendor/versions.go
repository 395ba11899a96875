package vendor

import (
	"regexp"
	"strings"
)

// products are what the makers of Mbed TLS number by itself. PolarSSL is its name before 2015.
var products = []string{"mbedtls", "mbed-crypto", "tf-psa-crypto"}

var product = regexp.MustCompile(`(?i)\b(mbed ?tls|polarssl|mbed ?crypto|tf[- ]?psa[- ]?crypto)\b`)

func productName(s string) string {
	s = strings.ToLower(s)
	switch {
	case strings.HasPrefix(s, "tf"):
		return "tf-psa-crypto"
	case strings.HasSuffix(s, "crypto"):
		return "mbed-crypto"
	}
	return "mbedtls"
}

// never is the beginning of an interval that says that no version is affected.
const never = "never"

var (
	markup   = regexp.MustCompile("<[a-z/]+>|\\*\\*|`")
	protocol = regexp.MustCompile(`\bD?TLS (?:version )?1\.\d\b|\bSSL ?v?\d(?:\.\d)?\b`)
	// "all Mbed TLS 4 versions up to 4.1.1" begins with 4.0; "including all 2.1 and later releases" adds nothing to what stands before it.
	wholeMajor = regexp.MustCompile(`\b(\d+)(?:\.x)? (?:versions?|releases?) up to\b`)
	idle       = regexp.MustCompile(`,? including all [^;]*`)
)

// plainText takes markup and names of protocols off a sentence, which have numbers, too.
func plainText(s string) string {
	s = strings.ReplaceAll(s, "<li>", "; ")
	s = strings.Join(strings.Fields(markup.ReplaceAllString(s, " ")), " ")
	s = product.ReplaceAllStringFunc(s, productName)
	return strings.TrimLeft(protocol.ReplaceAllString(s, ""), "; ")
}

// piece is one element of a sentence about versions.
type piece struct {
	kind byte // 'p' product, 'v' version, 'w' word, ';' a stop
	text string
}

var pieces = regexp.MustCompile(`mbedtls|mbed-crypto|tf-psa-crypto|\d+(?:\.\d+)+(?:\.x)?(?:-?(?:alpha|beta|pre|rc)\d*)?|[A-Za-z]+|[;.]`)

func cut(s string) []piece {
	var out []piece
	for _, t := range pieces.FindAllString(s, -1) {
		switch {
		case t == "mbedtls" || t == "mbed-crypto" || t == "tf-psa-crypto":
			out = append(out, piece{'p', t})
		case strings.HasSuffix(t, ".x"):
		case t[0] >= '0' && t[0] <= '9':
			out = append(out, piece{'v', t})
		case t == ";" || t == ".":
			out = append(out, piece{';', t})
		default:
			out = append(out, piece{'w', strings.ToLower(t)})
		}
	}
	return out
}

// affects understands sentences such as "All versions of Mbed TLS from 2.18.0 to 2.28.7 and from 3.0.0 to 3.5.2; all versions of Mbed
// Crypto", "PolarSSL 1.0 and up" or "versions prior to 1.3.19, 2.1.7 or 2.4.2". ok is false when no version and no "all versions" is in it.
func affects(s string) (spans map[string][]interval, ok bool) {
	s = wholeMajor.ReplaceAllString(idle.ReplaceAllString(s, ""), "from $1.0 to")
	r := &affectsReader{spans: map[string][]interval{}, name: "mbedtls"}
	if strings.Contains(s, "not affected") {
		r.spans["mbedtls"] = []interval{{from: never}}
		return r.spans, true
	}
	list := cut(s)
	for i, p := range list {
		switch p.kind {
		case 'p':
			r.name, r.series = p.text, ""
			r.named = append(r.named, p.text)
		case ';':
			r.stop()
		case 'w':
			r.word(p.text)
		case 'v':
			r.version(p.text, list[i+1:])
		}
	}
	r.stop()
	return r.spans, len(r.spans) > 0
}

// affectsReader goes through a sentence; mode is what the words before a version make of it.
type affectsReader struct {
	spans  map[string][]interval
	name   string   // the product at hand
	named  []string // products named since the last stop
	mode   string   // "": one version, or what begins; "from": begins; "to": ends a span; "before": the first that is mended
	series string   // mode of the version before, which "and" and "or" go on with; "" behind another product
	all    bool     // "all versions" since the last stop
	any    bool     // a version since the last stop
}

func (r *affectsReader) word(w string) {
	switch w {
	case "to", "through", "until":
		if r.mode != "before" { // "prior to"
			r.mode = "to"
		}
	case "before", "prior":
		r.mode = "before"
	case "from", "since":
		r.mode = "from"
	case "version", "versions":
		r.all = true
	}
}

// stop ends a clause: "all versions of Mbed TLS and Mbed Crypto" without a version is all of both.
func (r *affectsReader) stop() {
	if r.all && !r.any {
		for _, name := range r.named {
			if len(r.spans[name]) == 0 {
				r.spans[name] = []interval{{from: "0"}}
			}
		}
	}
	r.named, r.mode, r.series, r.all, r.any = nil, "", "", false, false
}

func (r *affectsReader) version(v string, rest []piece) {
	r.any = true
	mode := r.mode
	if mode == "" {
		mode = r.series
	}
	list := r.spans[r.name]
	n := len(list) - 1
	r.mode, r.series = "", ""
	switch {
	case mode == "before":
		iv := interval{from: "0", end: v}
		if n >= 0 && list[n].end != "" && order(v, list[n].end) > 0 {
			iv.from = behind(list[n].end)
		}
		list, r.series = append(list, iv), "before"
	case mode == "to" && n >= 0 && list[n].ending() == "" && list[n].from != "0":
		list[n].last = v
	case mode == "to":
		iv := interval{from: "0", last: v}
		if n >= 0 && list[n].from == "0" && list[n].last != "" && order(v, list[n].last) > 0 {
			iv.from = behind(list[n].last) // "up to 2.28.6 and 3.5.1"
		}
		list, r.series = append(list, iv), "to"
	case mode == "from":
		list = append(list, interval{from: v})
	default:
		list = append(list, begin(v, rest))
	}
	r.spans[r.name] = list
}

// begin looks behind a version for what it begins: "1.0 and up", "0.14.0 and earlier", "3.2.0 to", or nothing: it alone.
func begin(v string, rest []piece) interval {
	for _, p := range rest {
		switch {
		case p.kind != 'w':
			return interval{from: v, last: v}
		case p.text == "to" || p.text == "through":
			return interval{from: v}
		case p.text == "up" && len(rest) > 1 && rest[0].text == "up" && rest[1].text == "to":
			return interval{from: v}
		case p.text == "up" || p.text == "upwards" || p.text == "above" || p.text == "later" || p.text == "onwards":
			return interval{from: v}
		case p.text == "earlier" || p.text == "below":
			return interval{from: "0", last: v}
		case p.text != "and" && p.text != "or" && p.text != "versions" && p.text != "included" && p.text != "inclusive":
			return interval{from: v, last: v}
		}
	}
	return interval{from: v, last: v}
}

// goods returns the versions from which on a product is said not to be affected: "Mbed TLS 3.6.7 and later 3.6.x versions".
func goods(s string) map[string][]string {
	out, name := map[string][]string{}, "mbedtls"
	list := cut(s)
	for i, p := range list {
		switch p.kind {
		case 'p':
			name = p.text
		case 'v':
			if i+2 < len(list) && (list[i+1].text == "and" || list[i+1].text == "or") && (list[i+2].text == "up" || list[i+2].text == "later" || list[i+2].text == "above") {
				out[name] = append(out[name], p.text)
			}
		}
	}
	return out
}

// upgrades returns the versions that sentences tell to upgrade to. "the 3.6 branch" and "later 3.6 versions" are no versions.
func upgrades(s string) map[string][]string {
	out, name := map[string][]string{}, "mbedtls"
	list, heard := cut(s), false
	for i, p := range list {
		switch {
		case p.kind == ';':
			heard = false
		case p.kind == 'p':
			name = p.text
		case p.kind == 'w':
			heard = heard || p.text == "upgrade" || p.text == "starting"
		case heard && !isBranch(list, i):
			out[name] = append(out[name], p.text)
		}
	}
	return out
}

// isBranch tells "3.6" in "the 3.6 LTS branch" from a release.
func isBranch(list []piece, i int) bool {
	if strings.Count(list[i].text, ".") > 1 {
		return false
	}
	if i > 0 && (list[i-1].text == "later" || list[i-1].text == "the" || list[i-1].text == "all") {
		return true
	}
	if i+1 < len(list) {
		switch list[i+1].text {
		case "branch", "branches", "versions", "lts", "series", "releases":
			return true
		}
	}
	return false
}
