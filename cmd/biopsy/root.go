package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// commands are the verbs, in the order in which help shows them. Adding one is a file and a line here.
var commands = []func(*streams) *cobra.Command{scanCommand, reportCommand, dbCommand, kbCommand, versionCommand, manCommand}

// streams are the ways in and out of one run: results go to out, words to err.
type streams struct {
	in       io.Reader
	out, err io.Writer

	config     string // path of biopsy.yaml; "" looks in the working folder
	noProgress bool
	quiet      bool
	verbose    bool
}

// results is standard output. It remembers that something could not be written, so that no command need ask for each line.
type results struct {
	io.Writer
	failed error
}

func (r *results) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if err != nil && r.failed == nil {
		r.failed = err
	}
	return n, err
}

// terminal tells whether w is one, and may be coloured and overwritten.
func terminal(w io.Writer) bool {
	if r, ok := w.(*results); ok {
		w = r.Writer
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// color tells whether w wants colours (https://no-color.org).
func color(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && terminal(w) }

// Main runs one command line and returns its exit code.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	debug.SetGCPercent(200)         // a third less time than the default of 100, for some 10 MB: doc/performance.md
	debug.SetMemoryLimit(512 << 20) // beyond it the collector works harder; --max-memory moves it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	to := &results{Writer: out}
	s := &streams{in: in, out: to, err: errw}
	root := rootCommand(s)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(to)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; nothing was written")
	}
	if err == nil && to.failed != nil {
		err = fmt.Errorf("write results: %w", to.failed)
	}
	return s.exit(err)
}

func rootCommand(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "biopsy",
		Short: "Find what a device ships, what is wrong with it, and write the documents",
		Long: `biopsy scans what a connected medical device ships (trees, containers, binaries, SBOMs), writes its Software Bill of
Materials, and says for each known vulnerability whether the device is affected: yes, no or unknown, and why.

Exit codes: 0 done; 1 could not finish; 2 wrong command line or configuration; 3 finished, and a policy or --fail-on says no.

Every flag can also be set by its environment twin (--db is BIOPSY_DB) or by a key of the same name in biopsy.yaml.`,
		Version:       release,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return settings(cmd, s.config, os.LookupEnv)
		},
	}
	p := root.PersistentFlags()
	p.StringVar(&s.config, "config", "", "`FILE` with settings (default biopsy.yaml, when there is one)")
	p.BoolVar(&s.noProgress, "no-progress", false, "no progress on stderr")
	p.BoolVarP(&s.quiet, "quiet", "q", false, "only results and errors")
	p.BoolVarP(&s.verbose, "verbose", "v", false, "say more on stderr")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	for _, c := range commands {
		cmd := c(s)
		root.AddCommand(cmd)
	}
	return root
}

// say writes words for the user, unless told to be quiet.
func (s *streams) say(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.err, format+"\n", args...)
	}
}
