package reconcile

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/biopsy-sca/biopsy"
)

var update = flag.Bool("update", false, "rewrite the wanted answers")

// input is one line of evidence as the cases write it: the scan file's form, and what a scan file leaves out.
type input struct {
	biopsy.Evidence
	Owns  []string      `json:"owns"`
	Needs []biopsy.Need `json:"needs"`
}

// TestCases runs testdata/*.txtar: a section "evidence" with one JSON object a line, a section "layers" with DiffIDs, oldest first, and
// the wanted components and relations.
func TestCases(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sections := map[string]string{}
			for _, f := range ar.Files {
				sections[f.Name] = string(f.Data)
			}
			art := biopsy.Artifact{}
			for l := range strings.FieldsSeq(sections["layers"]) {
				art.Layers = append(art.Layers, biopsy.Layer{DiffID: l})
			}
			got := tell(Run(0, art, parse(t, sections["evidence"])))
			if *update {
				ar.Files[len(ar.Files)-1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := sections["want"]; got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for seed := range int64(5) {
				shuffled := parse(t, sections["evidence"])
				rand.New(rand.NewSource(seed)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				if again := tell(Run(0, art, shuffled)); again != got {
					t.Fatalf("another order of evidence gives another answer:\n%s\nand\n%s", again, got)
				}
			}
		})
	}
}

func parse(t *testing.T, lines string) []biopsy.Evidence {
	t.Helper()
	var all []biopsy.Evidence
	for line := range strings.Lines(lines) {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var in input
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, p := range in.Owns {
			in.Claim.Owns = append(in.Claim.Owns, biopsy.HashPath(p))
		}
		in.Claim.Needs = in.Needs
		if in.Confidence == 0 {
			in.Confidence = 0.9
		}
		all = append(all, in.Evidence)
	}
	return all
}

// tell writes the answer in lines that a person can review.
func tell(components []biopsy.Component, relations []biopsy.Relation) string {
	var b strings.Builder
	name := map[string]string{"artifact:0": "artifact"}
	for _, c := range components {
		name[c.ID] = strings.TrimPrefix(c.Eco+":"+c.Name+"@"+c.Version, ":")
	}
	for _, c := range components {
		fmt.Fprintf(&b, "%s", name[c.ID])
		if c.Purl != "" {
			fmt.Fprintf(&b, " %s", c.Purl)
		}
		for _, x := range []struct{ key, value string }{{"state", string(c.State)}, {"scope", string(c.Scope)}, {"layer", c.Layer}, {"aliases", strings.Join(c.Aliases, ",")}} {
			if x.value != "" {
				fmt.Fprintf(&b, " %s=%s", x.key, x.value)
			}
		}
		if c.Unowned {
			b.WriteString(" unowned")
		}
		for _, l := range c.Licenses {
			fmt.Fprintf(&b, " licence=%s", l.Expression)
		}
		b.WriteString("\n")
		for _, e := range c.Evidence {
			fmt.Fprintf(&b, "  %s %s\n", e.Reader, e.Place)
		}
	}
	for _, r := range relations {
		fmt.Fprintf(&b, "%s %s %s\n", name[r.From], r.Kind, name[r.To])
	}
	return b.String()
}
