package eol

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// csvHead begins both tables. Columns behind it: debian.csv has created, release, eol, eol-lts, eol-elts; ubuntu.csv has created,
// release, eol, eol-server, eol-esm, eol-legacy.
const csvHead = "version,codename,series,"

// cpes are the names of the distributions whose tables exist.
var cpes = map[string]string{"debian": "cpe:2.3:o:debian:debian_linux", "ubuntu": "cpe:2.3:o:canonical:ubuntu_linux"}

// parseCSV reads the table of the distribution that the file is named after. Unstable suites, which have no version, are left out.
func parseCSV(name string, r io.Reader, sink biopsy.Sink) error {
	id := strings.TrimSuffix(path.Base(name), ".csv")
	if cpes[id] == "" {
		return fmt.Errorf("read %s: a table of releases is named debian.csv or ubuntu.csv", name)
	}
	l := biopsy.Lifecycle{Product: id, Label: strings.ToUpper(id[:1]) + id[1:], Names: []string{cpes[id]}, Source: distro, URL: "https://salsa.debian.org/debian/distro-info-data"}
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		line, _ := rows.FieldPos(0)
		c, err := release(head, row)
		switch {
		case err != nil:
			sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: name, Line: line}, Reader: "eol", Reason: err.Error()})
		case c.Name != "":
			l.Cycles = append(l.Cycles, c)
		}
	}
	if len(l.Cycles) == 0 {
		return nil
	}
	return sink.Lifecycle(l)
}

// release reads one row; later columns may be missing.
func release(head, row []string) (biopsy.Cycle, error) {
	field := func(column string) string {
		for i, h := range head {
			if h == column && i < len(row) {
				return strings.TrimSpace(row[i])
			}
		}
		return ""
	}
	version, lts := strings.CutSuffix(field("version"), " LTS")
	c := biopsy.Cycle{Name: version, Codename: field("codename"), Released: field("release"), End: field("eol"), LTS: lts}
	if lts := field("eol-lts"); lts != "" { // of Debian: for everybody, from the same archive
		c.ActiveEnd, c.End = c.End, lts
	}
	c.End = max(c.End, field("eol-server")) // free fixes went on for servers of three old releases of Ubuntu
	c.ExtendedEnd = max(field("eol-esm"), field("eol-elts"), field("eol-legacy"))
	for _, day := range []string{c.Released, c.ActiveEnd, c.End, c.ExtendedEnd} {
		if day != "" && !isDay(day) {
			return c, fmt.Errorf("%.40q: %.40q is not a date", version, day)
		}
	}
	return c, nil
}
