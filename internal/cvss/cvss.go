// Package cvss computes base scores from CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0.
//
// In: a vector. Out: its score, or why the vector is none. It follows the FIRST specifications (v4.0 of 2023-11-01) by way of
// pandatix/go-cvss, and never guesses a missing metric.
package cvss

import (
	"fmt"
	"strings"

	v2 "github.com/pandatix/go-cvss/20"
	v30 "github.com/pandatix/go-cvss/30"
	v31 "github.com/pandatix/go-cvss/31"
	v4 "github.com/pandatix/go-cvss/40"
)

// Score returns the base score of a vector, 0 to 10. A version 2 vector has no prefix and may stand in parentheses. For version 4,
// whose score has no base part of its own, threat and environment metrics are dropped first.
func Score(vector string) (float64, error) {
	version, _, _ := strings.Cut(vector, "/")
	switch version {
	case "CVSS:4.0":
		return scoreV4(vector)
	case "CVSS:3.1":
		v, err := v31.ParseVector(vector)
		if err != nil {
			return 0, fmt.Errorf("CVSS vector %q: %w", vector, err)
		}
		return v.BaseScore(), nil
	case "CVSS:3.0":
		v, err := v30.ParseVector(vector)
		if err != nil {
			return 0, fmt.Errorf("CVSS vector %q: %w", vector, err)
		}
		return v.BaseScore(), nil
	}
	v, err := v2.ParseVector(strings.TrimSuffix(strings.TrimPrefix(vector, "("), ")"))
	if err != nil {
		return 0, fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	return v.BaseScore(), nil
}

// v4Base are the base metrics of CVSS 4.0, in the order a vector must name them.
var v4Base = map[string]bool{"AV": true, "AC": true, "AT": true, "PR": true, "UI": true, "VC": true, "VI": true, "VA": true, "SC": true, "SI": true, "SA": true}

func scoreV4(vector string) (float64, error) {
	if _, err := v4.ParseVector(vector); err != nil {
		return 0, fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	base := []string{"CVSS:4.0"}
	for _, m := range strings.Split(vector, "/")[1:] {
		if name, _, _ := strings.Cut(m, ":"); v4Base[name] {
			base = append(base, m)
		}
	}
	v, err := v4.ParseVector(strings.Join(base, "/"))
	if err != nil {
		return 0, fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	return v.Score(), nil
}
