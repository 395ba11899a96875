package installed

import (
	"context"
	"path"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// WordPressPlugin reads the header comment of a plugin's main file (WordPress plugin handbook, 2024).
var WordPressPlugin = biopsy.Extractor{
	Name:    "wordpress-plugin",
	Basis:   biopsy.SourceCode,
	Names:   []string{"wp-content/plugins/*/*.php"},
	Extract: wordPressPlugin,
}

var pluginField = regexp.MustCompile(`(?mi)^[ \t/*#@]*(Plugin Name|Version|Author|License|Plugin URI|Description):[ \t]*(.*?)[ \t*/]*$`)

func wordPressPlugin(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	head := make([]byte, min(in.Size(), 8192)) // WordPress itself reads 8 KiB
	if err := readFull(in, head, 0); err != nil {
		return err
	}
	slug := path.Base(path.Dir(in.Path))
	c := biopsy.Claim{Eco: "generic", Namespace: "wordpress-plugin", Name: slug, State: biopsy.Installed}
	named := false
	for _, m := range pluginField.FindAllSubmatch(head, 16) {
		v := field(string(m[2]))
		switch strings.ToLower(string(m[1])) {
		case "plugin name":
			named = v != ""
		case "version":
			c.Version = first(c.Version, v)
		case "author":
			c.Supplier = first(c.Supplier, v)
		case "license":
			c.Licenses = declared(v)
		case "plugin uri":
			c.Homepage = v
		case "description":
			c.Description = v
		}
	}
	if !named {
		return nil
	}

	sheet{in, "wordpress-plugin", biopsy.SourceCode, emit}.say(c, sureManifest)
	return nil
}
