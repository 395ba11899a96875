package text

import "github.com/biopsy-sca/biopsy"

// advice writes the moves that clear most; rows 0 shows all.
func (p *printer) advice(s *biopsy.Scan, rows int) {
	best := s.BestAdvice()
	if len(best) == 0 {
		return
	}
	p.head("Advice", "%s would clear findings", count(len(best), "move"))
	shown := best
	if rows > 0 && len(shown) > rows {
		shown = shown[:rows]
	}
	for i := range shown {
		p.line("  %s", clean(shown[i].Says()))
	}
	if more := len(best) - len(shown); more > 0 {
		p.line("  and %d more; all of them: -o table", more)
	}
	p.line("")
}
