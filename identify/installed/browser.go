package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// Bower reads .bower.json, which bower (1.8, 2014 to 2021) leaves in each package it installed, and bower.json beside it.
var Bower = biopsy.Extractor{
	Name:  "bower",
	Basis: biopsy.Manifest,
	Names: []string{".bower.json", "bower.json"},
	Wants: func(p string) bool {
		return strings.HasSuffix(p, ".bower.json") || strings.Contains(p, "bower_components/")
	},
	Extract: bower,
}

func bower(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, maxText)
	if err != nil {
		return err
	}
	var p struct {
		packageJSON
		Release json.RawMessage `json:"_release"`
		Source  json.RawMessage `json:"_source"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	c := biopsy.Claim{Eco: "bower", Name: text(p.Name), Version: first(text(p.Version), text(p.Release)), State: biopsy.Installed,
		Description: text(p.Description), Homepage: text(p.Homepage), Repository: first(text(p.Source), repository(p.Repository)),
		Licenses: nodeLicenses(p.License)}
	c.Needs = nodeNeeds(p.Dependencies, "", biopsy.Runtime)
	if c.Name == "" || c.Version == "" {
		return nil // bower.json need not say its version; .bower.json beside it does
	}
	sheet{in, "bower", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}

// BrowserScript reads the banner comment at the start of well-known scripts for browsers. Scripts of node_modules have a
// package.json and are left to it.
var BrowserScript = biopsy.Extractor{
	Name:  "browser-script",
	Basis: biopsy.SourceCode,
	From:  biopsy.Standard, // every script must be opened for it
	Names: []string{"*.js"},
	Wants: func(p string) bool {
		return !strings.Contains(p, "node_modules/") && !strings.Contains(p, "usr/share/nodejs/")
	},
	Head:    func(head []byte) bool { _, _, ok := banner(head); return ok },
	Extract: browserScript,
}

// maxBanner is how far into a script its banner may reach.
const maxBanner = 512

const bannerVersion = `[vV]?(\d+\.\d+(?:\.\d+)*(?:-?(?:alpha|beta|rc)[.\d]*)?)`

// banners give the npm name of what the first comment of a script names. One pattern each; the first group is the version.
var banners = []struct {
	word    string // must occur, lower case: cheaper than the pattern
	npm     string
	pattern *regexp.Regexp
}{
	{"jquery ui", "jquery-ui", regexp.MustCompile(`jQuery UI(?: -)? ` + bannerVersion)},
	{"jquery migrate", "jquery-migrate", regexp.MustCompile(`jQuery Migrate(?: -)? ` + bannerVersion)},
	{"jquery validation", "jquery-validation", regexp.MustCompile(`jQuery Validation Plugin(?: -)? ` + bannerVersion)},
	{"jquery", "jquery", regexp.MustCompile(`jQuery (?:JavaScript Library )?` + bannerVersion)},
	{"bootstrap", "bootstrap", regexp.MustCompile(`Bootstrap(?:\.js by @fat & @mdo|'s JavaScript)?\s+` + bannerVersion)},
	{"angularjs", "angular", regexp.MustCompile(`AngularJS ` + bannerVersion)},
	{"vue.js", "vue", regexp.MustCompile(`Vue\.js ` + bannerVersion)},
	{"react", "react", regexp.MustCompile(`@license React ` + bannerVersion + `\s*\n[ *]*react\.`)},
	{"backbone.js", "backbone", regexp.MustCompile(`Backbone\.js ` + bannerVersion)},
	{"underscore.js", "underscore", regexp.MustCompile(`Underscore\.js ` + bannerVersion)},
	{"lodash", "lodash", regexp.MustCompile(`(?i)lodash(?: \(Custom Build\))? ` + bannerVersion)},
	{"knockout", "knockout", regexp.MustCompile(`Knockout JavaScript library ` + bannerVersion)},
	{"handlebars", "handlebars", regexp.MustCompile(`handlebars ` + bannerVersion)},
	{"moment.js", "moment", regexp.MustCompile(`moment\.js\s*\n//!? version : ` + bannerVersion)},
	{"d3", "d3", regexp.MustCompile(`https://d3js\.org ` + bannerVersion)},
	{"chart.js", "chart.js", regexp.MustCompile(`Chart\.js\s+(?:\*\s+http\S+\s+\*\s+Version: )?` + bannerVersion)},
	{"dompurify", "dompurify", regexp.MustCompile(`DOMPurify ` + bannerVersion)},
	{"sweetalert2", "sweetalert2", regexp.MustCompile(`sweetalert2 ` + bannerVersion)},
	{"select2", "select2", regexp.MustCompile(`Select2 ` + bannerVersion)},
	{"datatables", "datatables.net", regexp.MustCompile(`DataTables ` + bannerVersion)},
	{"axios", "axios", regexp.MustCompile(`(?i)axios ` + bannerVersion)},
	{"leaflet", "leaflet", regexp.MustCompile(`Leaflet ` + bannerVersion)},
	{"video.js", "video.js", regexp.MustCompile(`Video\.js ` + bannerVersion)},
	{"three.js", "three", regexp.MustCompile(`three\.js ` + bannerVersion)},
	{"ember", "ember-source", regexp.MustCompile(`@version\s+` + bannerVersion)},
	{"popper.js", "@popperjs/core", regexp.MustCompile(`@popperjs/core ` + bannerVersion)},
	{"popper", "@popperjs/core", regexp.MustCompile(`@popperjs/core ` + bannerVersion)},
	{"modernizr", "modernizr", regexp.MustCompile(`(?i)modernizr ` + bannerVersion)},
	{"requirejs", "requirejs", regexp.MustCompile(`RequireJS ` + bannerVersion)},
}

// banner reads the comment that a script starts with.
func banner(head []byte) (npm, version string, ok bool) {
	s := strings.TrimLeft(string(head[:min(len(head), maxBanner)]), " \t\r\n;\ufeff")
	if !strings.HasPrefix(s, "/*") && !strings.HasPrefix(s, "//") {
		return "", "", false
	}
	low := strings.ToLower(s)
	for _, b := range banners {
		if !strings.Contains(low, b.word) {
			continue
		}
		if m := b.pattern.FindStringSubmatch(s); m != nil {
			return b.npm, m[1], true
		}
	}
	return "", "", false
}

func browserScript(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	head := make([]byte, min(in.Size(), maxBanner))
	if err := readFull(in, head, 0); err != nil {
		return err
	}
	npm, version, ok := banner(head)
	if !ok {
		return nil
	}
	c := biopsy.Claim{Eco: "npm", Version: version, State: biopsy.Installed}
	c.Namespace, c.Name = npmName(npm)
	sheet{in, "browser-script", biopsy.SourceCode, emit}.say(c, 0.8)
	return nil
}
