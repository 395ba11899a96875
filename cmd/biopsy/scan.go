package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/internal/treepath"
	"github.com/biopsy-sca/biopsy/judge"
	"github.com/biopsy-sca/biopsy/scan"
)

// scanFlags are the flags of scan as the user gave them.
type scanFlags struct {
	outputs      []string
	depth, class string
	name         string
	version      string
	db, asOf     string
	kb           string
	failOn       string
	baseline     string
	exclude      []string
	jobs         int
	maxMemory    string
	limitDepth   int
	limitSize    string
	limitFiles   int
	offline      bool
	reproducible bool
}

func scanCommand(s *streams) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Find what a target ships and what is wrong with it",
		Long: `scan opens each TARGET, reads what is in it, matches it against the book of advisories, and prints a summary or writes documents.

A TARGET is a path, detected by its content (directory, file, container archive, SBOM), or has a scheme:
dir: file: oci: docker-archive: registry: git: sbom:. Several targets make one scan.`,
		Example: `  biopsy scan rootfs/
  biopsy scan docker-archive:pump.tar -o cyclonedx-json=pump.cdx.json -o sarif=pump.sarif
  biopsy scan . --fail-on high,kev`,
		Args: atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runScan(cmd.Context(), s, args, f) },
	}
	p := c.Flags()
	p.StringArrayVarP(&f.outputs, "output", "o", nil, "write `FORMAT[@VERSION][=FILE]`; may be repeated (see biopsy report --help for the formats)")
	p.StringVar(&f.depth, "depth", "", "how far to look: quick (package metadata), standard (also binaries and archives), deep (every byte)")
	p.StringVar(&f.class, "class", "", "IEC 62304 safety class A, B or C; picks the depth where none is given (A quick, B standard, C deep)")
	p.StringVar(&f.name, "name", "", "name of the product in documents (default the first target's)")
	p.StringVar(&f.version, "version", "", "version of the product in documents")
	p.StringVar(&f.db, "db", "", "book of advisories (default "+defaultDB("$XDG_DATA_HOME")+"); the built-in book is always read")
	p.StringVar(&f.kb, "kb", "", "book of software (default "+defaultKB("$XDG_DATA_HOME")+"); the starter book is always read")
	p.StringVar(&f.asOf, "as-of", "", "answer with what was known on `DATE` (YYYY-MM-DD)")
	p.StringVar(&f.failOn, "fail-on", "", "exit 3 on findings of `SEVERITY` or worse, on kev, or on new ones; joined by commas")
	p.StringVar(&f.baseline, "baseline", "", "scan file whose findings --fail-on new knows already")
	p.StringArrayVar(&f.exclude, "exclude", nil, "skip paths that match `GLOB` (** crosses folders); may be repeated")
	p.IntVar(&f.jobs, "jobs", 0, "files looked at side by side (default one per processor)")
	p.StringVar(&f.maxMemory, "max-memory", "", "work the garbage collector harder to stay under `SIZE` (512M, 2G)")
	p.IntVar(&f.limitDepth, "limit-depth", biopsy.DefaultLimits.Depth, "containers opened inside each other")
	p.StringVar(&f.limitSize, "limit-size", "", "bytes unpacked from containers in one target (default 64G)")
	p.IntVar(&f.limitFiles, "limit-files", biopsy.DefaultLimits.Files, "files looked at in one target")
	p.BoolVar(&f.offline, "offline", false, "refuse every reference that needs the network")
	p.BoolVar(&f.reproducible, "reproducible", false, "leave the time of day out: equal input gives equal bytes")
	return c
}

func runScan(ctx context.Context, s *streams, targets []string, f scanFlags) (err error) {
	outs, err := parseOutputs(f.outputs)
	if err != nil {
		return err
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	if err := checkOutputs(outs); err != nil {
		return err
	}
	books, err := openBooks(f.db)
	if err != nil {
		return err
	}
	defer books.Close()
	o.Books, o.Names = books.list, books.names
	known, err := openSoftware(f.kb)
	if err != nil {
		return err
	}
	defer known.Close()
	o.Software = known.list
	if f.baseline != "" {
		if o.Baseline, err = readScanFile(f.baseline); err != nil {
			return fmt.Errorf("--baseline: %w", err)
		}
	}
	sp, err := spool.Open("", o.Limits.TotalSize)
	if err != nil {
		return err
	}
	defer sp.Close()
	o.Spool = sp
	bar := s.progress()
	o.Progress = bar.tell
	result, err := scan.Run(ctx, targets, o)
	bar.done()
	if err != nil {
		return err
	}
	if err := s.write(result, outs); err != nil {
		return err
	}
	return verdict(result)
}

// options checks the flags and turns them into what scan takes.
func (f scanFlags) options() (scan.Options, error) {
	o := scan.Options{Tool: tool(), Name: f.name, Version: f.version, Jobs: f.jobs, Exclude: f.exclude, Offline: f.offline, Limits: biopsy.DefaultLimits}
	if !f.reproducible {
		o.Now = time.Now()
	}
	var err error
	if o.Depth, err = depth(f.depth, f.class); err != nil {
		return o, err
	}
	if f.asOf != "" {
		day, err := time.Parse(time.DateOnly, f.asOf)
		if err != nil {
			return o, usagef("--as-of %s: want a date like 2026-08-01", f.asOf)
		}
		o.AsOf = day.Add(24*time.Hour - time.Second) // the whole of that day, UTC
	}
	if o.FailOn, err = failOn(f.failOn); err != nil {
		return o, err
	}
	if _, err := treepath.ParseGlobs(f.exclude); err != nil {
		return o, usage(hint.Add(fmt.Errorf("--exclude: %w", err), `write globs like "**/test/**" or "*.log"`))
	}
	if o.FailOn.New && f.baseline == "" {
		return o, usagef("--fail-on new needs --baseline SCAN")
	}
	if f.jobs < 0 || f.jobs > maxJobs {
		return o, usagef("--jobs %d: want 0 (one per processor) to %d", f.jobs, maxJobs)
	}
	if f.limitDepth < 0 || f.limitFiles < 0 {
		return o, usagef("--limit-depth %d, --limit-files %d: want no negative number", f.limitDepth, f.limitFiles)
	}
	o.Limits.Depth, o.Limits.Files = f.limitDepth, f.limitFiles
	if f.limitSize != "" {
		if o.Limits.TotalSize, err = size(f.limitSize); err != nil {
			return o, usagef("--limit-size: %w", err)
		}
	}
	if f.maxMemory != "" {
		n, err := size(f.maxMemory)
		if err != nil {
			return o, usagef("--max-memory: %w", err)
		}
		debug.SetMemoryLimit(n)
	}
	return o, nil
}

// failOn reads the value of --fail-on; a value without any rule would let everything pass unseen.
func failOn(value string) (judge.FailOn, error) {
	rules, err := judge.ParseFailOn(value)
	if err != nil {
		return rules, usagef("--fail-on: %w", err)
	}
	if value != "" && rules == (judge.FailOn{}) {
		return rules, usagef("--fail-on %q: names no rule", value)
	}
	return rules, nil
}

// maxJobs is more than any machine has processors; each job costs memory.
const maxJobs = 1024

// classDepths says how deep a device of an IEC 62304 safety class is looked at.
var classDepths = map[string]biopsy.Depth{"": biopsy.Standard, "A": biopsy.Quick, "B": biopsy.Standard, "C": biopsy.Deep}

func depth(word, class string) (biopsy.Depth, error) {
	d, ok := classDepths[strings.ToUpper(class)]
	if !ok {
		return "", usagef("--class %s: want A, B or C", class)
	}
	d = cmp.Or(biopsy.Depth(word), d)
	if !slices.Contains([]biopsy.Depth{biopsy.Quick, biopsy.Standard, biopsy.Deep}, d) {
		return "", usagef("--depth %s: want quick, standard or deep", word)
	}
	return d, nil
}

// size reads a number of bytes with an optional binary unit: 512M, 2G.
func size(s string) (int64, error) {
	digits := strings.TrimRight(strings.ToUpper(s), "KMGTIB")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s)[len(digits):], "B"), "I")
	shift, known := map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[unit]
	if err != nil || !known || n <= 0 || n > 1<<62>>shift {
		return 0, fmt.Errorf("%q is no size; want a number with K, M, G or T", s)
	}
	return n << shift, nil
}

func readScanFile(path string) (*biopsy.Scan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := scanfile.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
