package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// CPANSnapshot reads cpanfile.snapshot of Carton for Perl (Carton 1.0).
var CPANSnapshot = reader("cpanfile-snapshot", biopsy.Locked, cpanSnapshot, "cpanfile.snapshot")

func cpanSnapshot(d *doc) error {
	line, at, dist := 0, 0, ""
	for raw := range bytes.Lines(d.text) {
		line++
		s := strings.TrimRight(string(raw), " \r\n")
		body := strings.TrimLeft(s, " ")
		switch indent := len(s) - len(body); {
		case indent == 2:
			dist, at = body, line
		case indent == 4 && strings.HasPrefix(body, "pathname: "):
			d.add(at, cpanClaim(dist, strings.TrimPrefix(body, "pathname: ")))
		}
	}
	return nil
}

// cpanClaim reads "Dist-Name-1.0" and "A/AU/AUTHOR/Dist-Name-1.0.tar.gz".
func cpanClaim(dist, pathname string) biopsy.Claim {
	i := strings.LastIndexByte(dist, '-')
	parts := strings.Split(pathname, "/")
	if i < 0 || len(parts) < 4 {
		return biopsy.Claim{}
	}
	return pkg("cpan", parts[2]+"/"+dist[:i], dist[i+1:])
}
