// Package epss brings FIRST's Exploit Prediction Scoring System into the book of advisories.
//
// In: epss_scores-DATE.csv, plain or gzipped, with the columns cve, epss, percentile and a first line that says the date (the form in
// use since 2022-02). Out: one exploit per CVE, and a gap for each line that cannot be read. A score is a forecast for 30 days from
// its date, so a file without a date is refused.
package epss

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/biopsy-sca/biopsy"
)

// Feed is the EPSS scores.
var Feed = biopsy.Feed{Name: "epss", Match: match, Parse: parse, Fetch: fetch}

// Bounds of a scores file: 360,000 lines of 30 bytes are in use.
const (
	maxLine  = 4 << 10
	maxLines = 10_000_000
	maxBad   = 1000 // bad lines told one by one; a file with more is no scores file
)

func match(name string, head []byte) bool {
	base := path.Base(name)
	if !strings.HasSuffix(base, ".csv") && !strings.HasSuffix(base, ".csv.gz") {
		return false
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return strings.Contains(strings.ToLower(base), "epss")
	}
	return bytes.HasPrefix(head, []byte("#model_version")) || bytes.HasPrefix(head, []byte("cve,epss,percentile"))
}

func parse(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	in := io.Reader(io.NewSectionReader(r, 0, size))
	var magic [2]byte
	if _, err := r.ReadAt(magic[:], 0); err == nil && magic == [2]byte{0x1f, 0x8b} {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer z.Close()
		in = z
	}
	if err := parseLines(ctx, name, in, sink); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func parseLines(ctx context.Context, name string, in io.Reader, sink biopsy.Sink) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	date, bad := "", 0
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		switch {
		case n > maxLines:
			return fmt.Errorf("more than %d lines", maxLines)
		case strings.HasPrefix(line, "#"):
			date = scoreDate(line, date)
			continue
		case line == "" || strings.HasPrefix(line, "cve,"):
			continue
		case date == "":
			return errors.New("no score_date before the first score")
		}
		cve, e, err := score(line)
		if err != nil {
			sink.Bad(biopsy.Gap{Place: biopsy.Place{Path: name, Line: n}, Reader: "epss", Reason: err.Error()})
			if bad++; bad == maxBad {
				return fmt.Errorf("line %d: %d lines are no scores; giving up", n, bad)
			}
			continue
		}
		e.EPSSDate = date
		if err := sink.Exploit(cve, e); err != nil {
			return err
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return lines.Err()
}

// scoreDate reads "#model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000". Without a date the one before stays.
func scoreDate(comment, before string) string {
	_, rest, ok := strings.Cut(comment, "score_date:")
	if !ok || len(rest) < len(time.DateOnly) {
		return before
	}
	if _, err := time.Parse(time.DateOnly, rest[:len(time.DateOnly)]); err != nil {
		return before
	}
	return rest[:len(time.DateOnly)]
}

func score(line string) (string, biopsy.Exploit, error) {
	cve, rest, _ := strings.Cut(line, ",")
	epss, percentile, ok := strings.Cut(rest, ",")
	if !ok || !strings.HasPrefix(cve, "CVE-") {
		return "", biopsy.Exploit{}, fmt.Errorf("%.60q is not cve,epss,percentile", line)
	}
	p, err1 := strconv.ParseFloat(epss, 64)
	q, err2 := strconv.ParseFloat(percentile, 64)
	if err1 != nil || err2 != nil || !(p >= 0 && p <= 1) || !(q >= 0 && q <= 1) {
		return "", biopsy.Exploit{}, fmt.Errorf("%.60q has scores that are not between 0 and 1", line)
	}
	return cve, biopsy.Exploit{EPSS: p, Percentile: q}, nil
}
