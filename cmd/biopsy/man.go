package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "man [FOLDER]",
		Short: "Print the man page, or write the pages of all commands into a folder",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			date := time.Unix(0, 0) // pages of one version are the same bytes on every day
			head := &doc.GenManHeader{Title: "BIOPSY", Section: "1", Source: "biopsy " + release, Date: &date}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if len(args) == 0 {
				return doc.GenMan(root, head, s.out)
			}
			return doc.GenManTree(root, head, args[0])
		},
	}
}
