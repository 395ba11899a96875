package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy"
)

// release is set by the release build: -ldflags "-X main.release=1.2.3".
var release = "0.1.0-dev"

// tool names this program in documents.
func tool() biopsy.Tool {
	t := biopsy.Tool{Name: "biopsy", Version: release}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				t.Commit = s.Value
			}
		}
	}
	return t
}

func versionCommand(s *streams) *cobra.Command {
	var db string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print version, schema versions and the books",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			t := tool()
			fmt.Fprintf(s.out, "biopsy %s", t.Version)
			if t.Commit != "" {
				fmt.Fprintf(s.out, " (%s)", t.Commit)
			}
			fmt.Fprintf(s.out, "\nscan file %d\n", biopsy.ScanVersion)
			b, err := openBooks(db)
			if err != nil {
				return err
			}
			defer b.Close()
			for _, book := range b.list {
				printBook(s.out, book.Snapshot())
			}
			return nil
		},
	}
	c.Flags().StringVar(&db, "db", "", "book of advisories")
	return c
}
