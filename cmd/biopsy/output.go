package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/atomicfile"
	"github.com/biopsy-sca/biopsy/internal/hint"
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
	stdout, files := 0, map[string]bool{}
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
		if file != "" && files[filepath.Clean(file)] {
			return nil, usagef("-o %s: a second document for the same file", v)
		}
		files[filepath.Clean(file)] = true
		all = append(all, output{w, version, file})
	}
	return all, nil
}

// checkOutputs finds out before long work what could not be written behind it.
func checkOutputs(outs []output) error {
	for _, o := range outs {
		if o.file == "" || o.writer.Folder {
			continue
		}
		if err := atomicfile.Check(o.file); err != nil {
			return hint.Add(fmt.Errorf("write %s: %w", o.writer.Name, err), "-o takes FORMAT=FILE in a folder that exists and may be written")
		}
	}
	return nil
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
