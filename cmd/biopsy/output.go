package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/atomicfile"
	"github.com/biopsy-sca/biopsy/report"
	"github.com/biopsy-sca/biopsy/report/text"
)

// output is one -o: FORMAT[@VERSION][=FILE].
type output struct {
	writer  biopsy.Writer
	version string
	file    string // "" is stdout
}

// parseOutputs reads the values of -o; only one may go to stdout.
func parseOutputs(values []string) ([]output, error) {
	var all []output
	stdout := 0
	for _, v := range values {
		format, file, _ := strings.Cut(v, "=")
		name, version, _ := strings.Cut(format, "@")
		w, version, err := report.Find(name, version)
		if err != nil {
			return nil, usagef("-o %s: %w", v, err)
		}
		if file == "" || file == "-" {
			file = ""
			stdout++
		}
		if stdout > 1 {
			return nil, usagef("-o %s: two documents for standard output; give one of them a file: %s=FILE", v, format)
		}
		all = append(all, output{w, version, file})
	}
	return all, nil
}

// write writes every document; without one for stdout, the summary goes there.
func (s *streams) write(scan *biopsy.Scan, outs []output) error {
	summary := true
	for _, o := range outs {
		summary = summary && o.file != ""
	}
	for _, o := range outs {
		put := func(w io.Writer) error { return o.writer.Write(w, scan, o.version) }
		var err error
		if o.file == "" {
			err = put(s.out)
		} else {
			err = atomicfile.Write(o.file, put)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", o.writer.Name, err)
		}
	}
	switch {
	case !summary || s.quiet:
		return nil
	case len(outs) > 0:
		return text.Summary(s.err, scan, text.Style{Color: color(s.err), Rows: 15})
	}
	return text.Summary(s.out, scan, text.Style{Color: color(s.out), Rows: 15})
}

// verdict is errVerdict when any rule says no.
func verdict(scan *biopsy.Scan) error {
	for _, v := range scan.Verdicts {
		if !v.Pass {
			return errVerdict
		}
	}
	return nil
}
