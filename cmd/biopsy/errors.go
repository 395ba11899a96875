package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/biopsy-sca/biopsy/internal/hint"
)

// The exit codes; help and doc/cli.md promise them.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitVerdict = 3
)

// usageError is a wrong command line or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errVerdict ends a run that finished and whose policy says no; the summary has said why.
var errVerdict = errors.New("a policy says no")

// exit prints an error once, with its hint, and turns it into an exit code.
func (s *streams) exit(err error) int {
	var u usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errVerdict):
		return exitVerdict
	}
	fmt.Fprintf(s.err, "biopsy: %v\n", err)
	if words := hint.Of(err); words != "" {
		fmt.Fprintf(s.err, "hint: %s\n", words)
	}
	if errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage
	}
	return exitFailed
}

// atLeast is cobra's argument check as a usage error that shows the command's form.
func atLeast(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef("%s needs %s; its form is: %s", cmd.CommandPath(), plural(n, "argument"), cmd.UseLine())
		}
		return nil
	}
}

// exactly is the same for a command that takes so many and no more.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s; its form is: %s", cmd.CommandPath(), plural(n, "argument"), cmd.UseLine())
		}
		return nil
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "an " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
