package eco

import "strings"

// cpe: software as CPE names it, "vendor:product". Its versions are its makers', so their order is that of Upstream.
var cpe = Ecosystem{Name: "CPE", Fold: strings.ToLower, Compare: compareUpstream}
