package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/format/scanfile"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
	"github.com/biopsy-sca/biopsy/report"
	"github.com/biopsy-sca/biopsy/scan"
)

func reportCommand(s *streams) *cobra.Command {
	var outputs []string
	var db, rule string
	c := &cobra.Command{
		Use:   "report SCAN",
		Short: "Write documents from a scan file or an SBOM, without scanning again",
		Long: `report writes any document from SCAN: a scan file (biopsy scan -o json=FILE), whose findings it takes as they are, or an SBOM, which
it matches against the book of advisories first. It works offline.

Formats: ` + formats(),
		Example: `  biopsy report pump.scan.json -o cyclonedx-xml=pump.cdx.xml
  biopsy report pump.scan.json -o cyclonedx-json@1.7`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("report needs one SCAN; its form is: %s", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(outputs)
			if err != nil {
				return err
			}
			rules, err := failOn(rule)
			if err != nil {
				return err
			}
			if rules.New {
				return usagef("--fail-on new: report has no baseline; biopsy scan --baseline SCAN has")
			}
			if err := checkOutputs(outs); err != nil {
				return err
			}
			result, err := load(cmd.Context(), args[0], db)
			if err != nil {
				return err
			}
			if rule != "" {
				result.Verdicts = rules.Verdicts(result.Findings, nil)
			}
			if err := s.write(result, outs); err != nil {
				return err
			}
			return verdict(result)
		},
	}
	c.Flags().StringArrayVarP(&outputs, "output", "o", nil, "write `FORMAT[@VERSION][=FILE]`; may be repeated")
	c.Flags().StringVar(&db, "db", "", "book of advisories, for an SBOM")
	c.Flags().StringVar(&rule, "fail-on", "", "exit 3 on findings of `SEVERITY` or worse, or on kev")
	return c
}

// formats lists the formats of -o with their versions.
func formats() string {
	var all []string
	for _, w := range report.All {
		name := w.Name
		if len(w.Versions) > 1 {
			name += "[@" + strings.Join(w.Versions, "|@") + "]"
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ") + "."
}

// load reads a scan file, or makes a scan of an SBOM.
func load(ctx context.Context, path, db string) (*biopsy.Scan, error) {
	is, err := isScanFile(path)
	if err != nil {
		return nil, err
	}
	if is {
		return readScanFile(path)
	}
	b, err := openBooks(db)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	sp, err := spool.Open("", biopsy.DefaultLimits.TotalSize)
	if err != nil {
		return nil, err
	}
	defer sp.Close()
	return scan.Run(ctx, []string{"sbom:" + path}, scan.Options{Tool: tool(), Books: b.list, Names: b.names, Spool: sp})
}

// isScanFile tells a scan file by its first bytes.
func isScanFile(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return false, err
	case info.IsDir():
		return false, hint.Add(fmt.Errorf("%s: is a directory", path), "biopsy scan "+path+" -o json=FILE makes a scan file of it")
	case !info.Mode().IsRegular(): // a pipe cannot be read twice
		return false, hint.Add(fmt.Errorf("%s: not a regular file", path), "copy what it holds into a file first")
	case info.Size() == 0:
		return false, fmt.Errorf("%s: is empty", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := bufio.NewReaderSize(f, 512).Peek(64)
	if len(head) == 0 && err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return scanfile.Is(head), nil
}
