package csaf

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func document(t testing.TB, name string) *Document {
	t.Helper()
	d, err := Parse(file(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

// plain is JSON as maps, to compare without regard to spaces and order.
func plain(t testing.TB, doc []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWriteKeepsAll(t *testing.T) {
	for _, name := range []string{"full.json", "full-2.1.json"} {
		doc := file(t, name)
		var out bytes.Buffer
		if err := Write(&out, document(t, name)); err != nil {
			t.Fatal(err)
		}
		if got, want := plain(t, out.Bytes()), plain(t, doc); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: written again it is\n%s", name, out.Bytes())
		}
	}
}

// TestFullSaysAll holds that full.json has every property of the standard, so that TestWriteKeepsAll means something.
func TestFullSaysAll(t *testing.T) {
	v := plain(t, file(t, "full.json"))
	var walk func(s *shape, v any, at string, depth int)
	walk = func(s *shape, v any, at string, depth int) {
		switch x := v.(type) {
		case map[string]any:
			for name, sub := range s.object {
				if x[name] == nil {
					continue
				}
				walk(sub, x[name], at+"/"+name, depth)
			}
		case []any:
			for _, item := range x {
				walk(s.list, item, at, depth)
			}
		}
		if seen[s] == nil {
			seen[s] = map[string]bool{}
		}
		if x, ok := v.(map[string]any); ok {
			for name := range x {
				seen[s][name] = true
			}
			places[s] = at
		}
	}
	walk(documentShape, v, "", 0)
	for s, names := range seen {
		for name := range s.object {
			if !names[name] {
				t.Errorf("full.json has no %s/%s", places[s], name)
			}
		}
	}
}

var (
	seen   = map[*shape]map[string]bool{}
	places = map[*shape]string{}
)

func TestParseBad(t *testing.T) {
	for doc, want := range map[string]string{
		"":                                    "not a CSAF document",
		"[]":                                  "JSON array",
		`{"document":{}}`:                     "not a CSAF document",
		`{"document":{"csaf_version":"3.0"}}`: `version "3.0"`,
		`{"document":{"csaf_version":"2.0","title":7}}`:             "at byte",
		`{"document":{"csaf_version":"2.0"},"vulnerabilities":7}`:   "vulnerabilities is a JSON number",
		`{"document":{"csaf_version":"2.0"},"vulnerabilities":[{]}`: "not a CSAF document: at byte",
	} {
		if _, err := Parse([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", doc, err, want)
		}
	}
	if _, err := Parse([]byte(`{"bomFormat":"CycloneDX"}`)); !errors.Is(err, ErrNotCSAF) {
		t.Errorf("got %v, want ErrNotCSAF", err)
	}
}

func TestProducts(t *testing.T) {
	p := document(t, "full.json").Products()
	var got strings.Builder
	for _, x := range p.All {
		fmt.Fprintf(&got, "%s: vendor %q family %q product %q %s %q patch %q arch %q rest %q", x.ID, x.Vendor, x.Family, x.Product, x.Kind, x.Version, x.Patch,
			x.Architecture, x.Rest)
		if x.Component != nil {
			fmt.Fprintf(&got, " = %s %s %s", x.Component.ID, x.Relation, x.Of.ID)
		}
		got.WriteByte('\n')
	}
	golden(t, "products.txt", got.String())
	if got := strings.Join(p.Members([]string{"P-2"}, []string{"G-1", "G-9"}), " "); got != "P-2 P-1" {
		t.Errorf("members: got %q", got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(file(t, name)); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// TestRelationshipsInACircle and of great number: neither may hang.
func TestRelationshipsInACircle(t *testing.T) {
	d := &Document{ProductTree: &ProductTree{FullNames: []FullName{{ID: "a"}}}}
	last := "a"
	for i := range 5000 {
		id := fmt.Sprint(i)
		d.ProductTree.Relationships = append(d.ProductTree.Relationships, Relationship{FullName: FullName{ID: id}, Reference: last, RelatesTo: last})
		last = id
	}
	d.ProductTree.Relationships[0].Reference = "7"
	p := d.Products()
	steps := 0
	for x := p.Find("4999"); x != nil && steps < 6000; x = x.Of {
		steps++
	}
	if steps < 4000 || steps == 6000 {
		t.Errorf("%d steps from the last product to the first", steps)
	}
	if ps := Validate(d); len(ps) == 0 || ps[0].Test != "6.1.3" {
		t.Errorf("got %v, want a circle", ps)
	}
}

// TestLargeGroups: a group that is named often does not cost its size each time.
func TestLargeGroups(t *testing.T) {
	d := document(t, "full.json")
	g := &d.ProductTree.Groups[0]
	for i := range 20_000 {
		g.ProductIDs = append(g.ProductIDs, fmt.Sprint(i))
	}
	v := &d.Vulnerabilities[0]
	for range 20_000 {
		v.Flags = append(v.Flags, Flag{Label: ComponentNotPresent, GroupIDs: []string{"G-1"}})
	}
	ps := Validate(d)
	if last := ps[len(ps)-1]; !strings.Contains(last.Text, "more places") && !strings.Contains(ps[0].Text, "more places") {
		t.Errorf("got %d problems, the last %v", len(ps), last)
	}
}

func TestVersions(t *testing.T) {
	var out strings.Builder
	for line := range strings.Lines(string(file(t, "versions.txt"))) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			continue
		}
		out.WriteString(line + "\n")
		if !strings.HasPrefix(line, "#") {
			out.WriteString("\t" + inWords(ParseVersions(line)) + "\n")
		}
	}
	golden(t, "versions.txt", out.String())
}

func inWords(v Versions) string {
	var out []string
	if v.Ecosystem != "Product" {
		out = append(out, v.Ecosystem+":")
	}
	if v.All {
		out = append(out, "all")
	}
	for _, r := range v.Ranges {
		var events []string
		for _, e := range r.Events {
			switch {
			case e.Introduced != "":
				events = append(events, "from "+e.Introduced)
			case e.Fixed != "":
				events = append(events, "fixed "+e.Fixed)
			case e.LastAffected != "":
				events = append(events, "last "+e.LastAffected)
			case e.Limit != "":
				events = append(events, "below "+e.Limit)
			}
		}
		out = append(out, "["+strings.Join(events, ", ")+"]")
	}
	for _, e := range v.Exact {
		out = append(out, "= "+e)
	}
	for _, e := range v.Except {
		out = append(out, "not "+e)
	}
	if v.If != "" {
		out = append(out, "if "+v.If)
	}
	if v.Text != "" {
		out = append(out, "text only")
	}
	return strings.Join(out, " ")
}

// TestMandatory runs testdata/mandatory.txt: "want TEST..." lines, each followed by edits of full.json that make these tests fail.
func TestMandatory(t *testing.T) {
	if ps := Validate(document(t, "full.json")); len(ps) > 0 {
		t.Fatalf("full.json is not valid: %v", ps)
	}
	tried := map[string]bool{}
	for _, c := range strings.Split(string(file(t, "mandatory.txt")), "\nwant ")[1:] {
		lines := strings.Split(strings.TrimSpace(c), "\n")
		d := edited(t, file(t, "full.json"), lines[1:])
		var got []string
		for _, p := range Validate(d) {
			if len(got) == 0 || got[len(got)-1] != p.Test {
				got = append(got, p.Test)
			}
			if p.Text == "" || !strings.HasPrefix(p.Pointer, "/") {
				t.Errorf("%v says too little", p)
			}
		}
		want := strings.TrimSuffix(lines[0], "nothing")
		if strings.Join(got, " ") != strings.TrimSpace(want) {
			t.Errorf("%s: got %v\n%s", lines[0], Validate(d), c)
		}
		for _, id := range strings.Fields(want) {
			tried[id] = true
		}
	}
	for _, m := range mandatory {
		if !tried[m.id] {
			t.Errorf("no case fails %s", m.id)
		}
	}
}

// edited applies lines "POINTER JSON"; without JSON the value goes.
func edited(t *testing.T, doc []byte, edits []string) *Document {
	t.Helper()
	v := plain(t, doc)
	for _, e := range edits {
		pointer, value, _ := strings.Cut(strings.TrimSpace(e), " ")
		v = edit(t, v, strings.Split(pointer, "/")[1:], strings.TrimSpace(value))
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func edit(t *testing.T, v any, path []string, value string) any {
	t.Helper()
	if len(path) == 0 {
		return plain(t, []byte(value))
	}
	switch x := v.(type) {
	case map[string]any:
		if len(path) == 1 && value == "" {
			delete(x, path[0])
			return x
		}
		x[path[0]] = edit(t, x[path[0]], path[1:], value)
		return x
	case []any:
		if path[0] == "-" {
			return append(x, plain(t, []byte(value)))
		}
		var i int
		if _, err := fmt.Sscan(path[0], &i); err != nil || i >= len(x) {
			t.Fatalf("no item %q", path[0])
		}
		if len(path) == 1 && value == "" {
			return append(x[:i:i], x[i+1:]...)
		}
		x[i] = edit(t, x[i], path[1:], value)
		return x
	}
	if v == nil && len(path) > 0 {
		return edit(t, map[string]any{}, path, value)
	}
	t.Fatalf("nothing at %v", path)
	return nil
}

func TestShape(t *testing.T) {
	if ps, err := Shape(file(t, "full.json")); err != nil || len(ps) > 0 {
		t.Errorf("full.json: %v, %v", ps, err)
	}
	for _, c := range []struct{ edit, want string }{
		{`/document/title`, `schema /document: must have "title"`},
		{`/document/title ""`, `schema /document/title: must not be empty`},
		{`/document/title 7`, `schema /document/title: must be a text`},
		{`/document/notes {}`, `schema /document/notes: must be a list`},
		{`/document/notes []`, `schema /document/notes: has 0 items`},
		{`/document/tracking []`, `schema /document/tracking: must be an object`},
		{`/document/tracking/status "done"`, `schema /document/tracking/status: "done" is none of draft, final, interim`},
		{`/document/tracking/version "1.0"`, `schema /document/tracking/version: "1.0" does not match`},
		{`/document/tracking/current_release_date "2026-02-30T00:00:00Z"`, `schema /document/tracking/current_release_date: "2026-02-30T00:00:00Z" is no time`},
		{`/document/publisher/namespace "acme"`, `schema /document/publisher/namespace: "acme" is no URI`},
		{`/document/x_other 1`, `6.2.20 /document/x_other`},
		{`/product_tree/branches/0/branches`, `schema /product_tree/branches/0: has 2 properties`},
		{`/product_tree/product_groups/0/product_ids ["P-1","P-1"]`, `schema /product_tree/product_groups/0/product_ids/1: is in the list before`},
		{`/product_tree/product_groups/0/product_ids ["P-1"]`, `schema /product_tree/product_groups/0/product_ids: has 1 items`},
		{`/product_tree/full_product_names/0/product_identification_helper/cpe "cpe:2.3:a:b"`, `/cpe: "cpe:2.3:a:b" is no CPE`},
		{`/product_tree/full_product_names/0/product_identification_helper/purl "pkg:npm"`, `/purl: "pkg:npm" is no purl`},
		{`/vulnerabilities/0/cve "CVE-1"`, `schema /vulnerabilities/0/cve: "CVE-1" does not match`},
		{`/vulnerabilities/0/scores/0/cvss_v3/version "2.0"`, `"2.0" is none of 3.0, 3.1`},
	} {
		pointer, value, _ := strings.Cut(c.edit, " ")
		b, err := json.Marshal(edit(t, plain(t, file(t, "full.json")), strings.Split(pointer, "/")[1:], value))
		if err != nil {
			t.Fatal(err)
		}
		ps, err := Shape(b)
		if err != nil || len(ps) != 1 || !strings.Contains(ps[0].String(), c.want) {
			t.Errorf("%s: got %v, %v; want %q", c.edit, ps, err, c.want)
		}
	}
	for _, doc := range []string{"", "{", "{} {}"} {
		if _, err := Shape([]byte(doc)); err == nil {
			t.Errorf("%q is taken for JSON", doc)
		}
	}
}

// TestSuite runs the test documents of the standard's authors where BIOPSY_CSAF_TESTS names their folder (github.com/oasis-tcs/csaf,
// csaf_2.0/test/validator).
func TestSuite(t *testing.T) {
	dir := os.Getenv("BIOPSY_CSAF_TESTS")
	if dir == "" {
		t.Skip("BIOPSY_CSAF_TESTS is not set")
	}
	b, err := fs.ReadFile(os.DirFS(dir), "data/testcases.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests []struct {
			ID, Group       string
			Failures, Valid []struct{ Name string }
		}
	}
	if err := json.Unmarshal(b, &suite); err != nil {
		t.Fatal(err)
	}
	failing, valid := 0, 0
	problems := func(name string) []Problem {
		b, err := os.ReadFile(filepath.Join(dir, "data", name))
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return Validate(d)
	}
	for _, test := range suite.Tests {
		for _, f := range test.Failures {
			ps := problems(f.Name)
			if test.Group != "mandatory" {
				// two of the suite's documents have a hash algorithm twice
				if len(ps) > 0 && !hasTest(ps, "6.1.25") {
					t.Errorf("%s fails no mandatory test, and got %v", f.Name, ps)
				}
				continue
			}
			failing++
			if !hasTest(ps, test.ID) {
				t.Errorf("%s: got %v, want it to fail %s", f.Name, ps, test.ID)
			}
		}
		for _, f := range test.Valid {
			valid++
			if ps := problems(f.Name); len(ps) > 0 {
				t.Errorf("%s is valid, and got %v", f.Name, ps)
			}
		}
	}
	t.Logf("%d documents that must fail, %d that must pass", failing, valid)
}

func hasTest(ps []Problem, id string) bool {
	for _, p := range ps {
		if p.Test == id {
			return true
		}
	}
	return false
}

func BenchmarkParse(b *testing.B) {
	doc := file(b, "full.json")
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		d, err := Parse(doc)
		if err != nil {
			b.Fatal(err)
		}
		d.Products()
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(f, "full.json"))
	f.Add(file(f, "full-2.1.json"))
	f.Add([]byte(`{"document":{"csaf_version":"2.0"},"vulnerabilities":[{"scores":[{"cvss_v3":{"version":"3.1","x":[1]},"products":["a","a"]}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		_, _ = Shape(doc)
		d, err := Parse(doc)
		if err != nil {
			return
		}
		Validate(d)
		var out bytes.Buffer
		if err := Write(&out, d); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(out.Bytes())
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, out.Bytes())
		}
		var second bytes.Buffer
		if err := Write(&second, again); err != nil || !bytes.Equal(out.Bytes(), second.Bytes()) {
			t.Errorf("written twice it differs: %v\n%s\n%s", err, out.Bytes(), second.Bytes())
		}
	})
}

func FuzzVersions(f *testing.F) {
	for line := range strings.Lines(string(file(f, "versions.txt"))) {
		f.Add(strings.Trim(line, "\t\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := ParseVersions(text)
		if v.Text != "" && (v.All || len(v.Ranges)+len(v.Exact) > 0) || v.Text == "" && !v.All && len(v.Ranges)+len(v.Exact) == 0 && strings.TrimSpace(text) != "" {
			t.Errorf("%q: got %+v", text, v)
		}
		for _, r := range v.Ranges {
			if r.Events[0].Introduced == "" || len(r.Events) > 2 {
				t.Errorf("%q: got %+v", text, v)
			}
		}
	})
}
