package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// settings fills the flags that the command line leaves out: from the environment (BIOPSY_FAIL_ON), else from biopsy.yaml
// (fail-on: high). A key that is no flag of any command is an error that names its line.
func settings(cmd *cobra.Command, path string, env func(string) (string, bool)) error {
	if v, ok := env("BIOPSY_CONFIG"); ok && path == "" {
		path = v
	}
	file, err := readSettings(cmd.Root(), path)
	if err != nil {
		return usage(err)
	}
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || bad != nil {
			return
		}
		values, from := file[f.Name], path
		if v, ok := env("BIOPSY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))); ok && v != "" {
			values, from = []string{v}, "environment"
		}
		for _, v := range values {
			if err := f.Value.Set(v); err != nil {
				bad = usagef("%s: %s: %w", from, f.Name, err)
			}
			f.Changed = true
		}
	})
	return bad
}

// readSettings reads biopsy.yaml: flag name to one value or a list. A missing default file is empty settings.
func readSettings(root *cobra.Command, path string) (map[string][]string, error) {
	name := path
	if name == "" {
		name = "biopsy.yaml"
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && path == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	m := doc.Content[0]
	if m.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want a list of settings, one \"flag: value\" a line", name, m.Line)
	}
	known := flagNames(root)
	out := map[string][]string{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if !known[key.Value] {
			return nil, fmt.Errorf("%s:%d: unknown key %q", name, key.Line, key.Value)
		}
		if _, twice := out[key.Value]; twice {
			return nil, fmt.Errorf("%s:%d: a second %q", name, key.Line, key.Value)
		}
		switch value.Kind {
		case yaml.ScalarNode:
			out[key.Value] = []string{value.Value}
		case yaml.SequenceNode:
			for _, item := range value.Content {
				if item.Kind != yaml.ScalarNode {
					return nil, fmt.Errorf("%s:%d: %s: want a list of values", name, item.Line, key.Value)
				}
				out[key.Value] = append(out[key.Value], item.Value)
			}
		default:
			return nil, fmt.Errorf("%s:%d: %s: want a value or a list", name, value.Line, key.Value)
		}
	}
	return out, nil
}

func flagNames(root *cobra.Command) map[string]bool {
	known := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return known
}
