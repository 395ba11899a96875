package installed

import (
	"context"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// LuaRock reads NAME-VERSION.rockspec (rockspec format 3.0) of LuaRocks' tree of installed rocks.
var LuaRock = biopsy.Extractor{
	Name:    "lua-rock",
	Basis:   biopsy.Manifest,
	Names:   []string{"*.rockspec"},
	Wants:   func(p string) bool { return strings.Contains(p, "luarocks/rocks") },
	Extract: luaRock,
}

var rockField = regexp.MustCompile(`(?m)^\s*(package|version|license|homepage|summary)\s*=\s*["']([^"'\n]*)["']`)

func luaRock(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, 1<<20)
	if err != nil {
		return err
	}
	c := biopsy.Claim{Eco: "luarocks", State: biopsy.Installed}
	for _, m := range rockField.FindAllStringSubmatch(string(b), -1) {
		switch m[1] {
		case "package":
			c.Name = strings.ToLower(m[2])
		case "version":
			c.Version = m[2]
		case "license":
			c.Licenses = declared(m[2])
		case "homepage":
			c.Homepage = m[2]
		case "summary":
			c.Description = m[2]
		}
	}
	if c.Name != "" {
		sheet{in, "lua-rock", biopsy.Manifest, emit}.say(c, sureProperties)
	}
	return nil
}
