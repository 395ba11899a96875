package text

import (
	"fmt"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// soon is how many days ahead an end of support is worth a word: the time that a change of a device's software takes.
const soon = 180

// support says in one line how many components are supported no longer; nothing when no book knows any.
func (p *printer) support(s *biopsy.Scan) {
	var ended, near, unknown, supported int
	for i := range s.Components {
		switch u := s.Components[i].Support; {
		case u == nil || u.Level == "":
			unknown++
		case u.Level != "actively maintained":
			ended++
		case u.Days != nil && *u.Days <= soon:
			near++
		default:
			supported++
		}
	}
	if ended+near+supported == 0 {
		return
	}
	var words []string
	if ended > 0 {
		words = append(words, p.paint("31", fmt.Sprintf("%d ended", ended)))
	}
	if near > 0 {
		words = append(words, p.paint("33", fmt.Sprintf("%d end within %d days", near, soon)))
	}
	words = append(words, fmt.Sprintf("%d supported", supported), fmt.Sprintf("%d unknown", unknown))
	p.head("Support", "%s", strings.Join(words, ", "))
	p.line("")
}
