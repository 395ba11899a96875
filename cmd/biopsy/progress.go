package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/biopsy-sca/biopsy"
)

// bar shows long work: a moving line on a terminal, one line per stage elsewhere.
type bar struct {
	s        *streams
	terminal bool

	mu    sync.Mutex
	stage string
	line  *progressbar.ProgressBar
}

// progress returns the bar of this run; silent when the user wants none.
func (s *streams) progress() *bar { return &bar{s: s, terminal: terminal(s.err)} }

// tell shows one step. It may be called from several goroutines.
func (b *bar) tell(p biopsy.Progress) {
	if b.s.noProgress || b.s.quiet {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.terminal:
		if p.Stage != b.stage {
			fmt.Fprintf(b.s.err, "biopsy: %s\n", p.Stage)
		}
	case p.Stage != b.stage || b.line == nil:
		b.clear()
		total := p.Total
		if total <= 0 {
			total = -1 // progressbar's word for unknown
		}
		b.line = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.s.err), progressbar.OptionSetDescription(p.Stage),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30))
		fallthrough
	default:
		if p.Total > 0 {
			b.line.ChangeMax64(p.Total)
		}
		_ = b.line.Set64(p.Done) // a bar that cannot be drawn must not end a scan
	}
	b.stage = p.Stage
}

// done takes the line away.
func (b *bar) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
}

func (b *bar) clear() {
	if b.line != nil {
		_ = b.line.Clear() // as above
		b.line = nil
	}
}
