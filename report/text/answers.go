package text

import (
	"bufio"
	"io"

	"github.com/biopsy-sca/biopsy"
)

// Answers writes every finding, also those that are no, with every reason, then the moves that clear some.
func Answers(w io.Writer, s *biopsy.Scan) error {
	p := &printer{w: bufio.NewWriter(w)}
	for _, f := range s.Findings {
		p.line("%-8s %s  %s", f.Answer, f.Advisory, clean(f.Summary))
		for _, b := range f.Because {
			p.line("         %s: %s", b.Record, clean(b.Text))
		}
		if f.Scored != "" && f.Answer != biopsy.No {
			p.line("         %s, %s", f.Level, clean(f.Scored))
		}
	}
	p.advice(s, 0)
	return p.w.Flush()
}
