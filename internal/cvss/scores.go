package cvss

import (
	"fmt"
	"strings"

	v2 "github.com/pandatix/go-cvss/20"
	v30 "github.com/pandatix/go-cvss/30"
	v31 "github.com/pandatix/go-cvss/31"
)

// Scores are the three scores of CVSS 2 and 3, 0 to 10. Without temporal or environmental metrics these equal the base score, but for
// version 2, whose environmental score without metrics is the temporal one.
type Scores struct{ Base, Temporal, Environmental float64 }

// All computes the scores of a vector of version 2.0, 3.0 or 3.1.
func All(vector string) (Scores, error) {
	var s interface{ BaseScore() float64 }
	var err error
	switch version, _, _ := strings.Cut(vector, "/"); version {
	case "CVSS:3.1":
		s, err = v31.ParseVector(vector)
	case "CVSS:3.0":
		s, err = v30.ParseVector(vector)
	default:
		s, err = v2.ParseVector(strings.TrimSuffix(strings.TrimPrefix(vector, "("), ")"))
	}
	if err != nil {
		return Scores{}, fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	full := s.(interface {
		TemporalScore() float64
		EnvironmentalScore() float64
	})
	return Scores{s.BaseScore(), full.TemporalScore(), full.EnvironmentalScore()}, nil
}
