package csaf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Shape holds a document of CSAF 2.0 against the shape that its JSON schema describes, and returns what differs, in order of place; the
// error says that it is no JSON. Test is "schema"; for properties that the standard does not name, which the schema lets pass, it is
// "6.2.20". The shape is written here in our own words, from section 3 of the standard.
func Shape(doc []byte) ([]Problem, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not JSON: at byte %d something follows the document", d.InputOffset())
	}
	s := &shaper{}
	s.check(v, documentShape, "")
	slices.SortStableFunc(s.found, func(a, b Problem) int { return comparePointers(a.Pointer, b.Pointer) })
	return s.found, nil
}

// shape is what a JSON value must be: one of object, list, text or number.
type shape struct {
	object map[string]*shape
	must   []string // properties that an object must have
	least  int      // properties or items that there must be, or characters of a text
	most   int      // properties; 0 is no bound
	open   bool     // properties that are not named are no matter

	list   *shape
	unique bool

	text    bool
	oneOf   []string
	pattern *regexp.Regexp
	format  func(string) bool
	what    string // of format, in words
}

type shaper struct{ found []Problem }

func (s *shaper) fail(pointer, format string, args ...any) {
	if len(s.found) < maxProblems {
		s.found = append(s.found, Problem{"schema", pointer, fmt.Sprintf(format, args...)})
	}
}

func (s *shaper) check(v any, want *shape, pointer string) {
	switch {
	case want.object != nil:
		o, ok := v.(map[string]any)
		if !ok {
			s.fail(pointer, "must be an object")
			return
		}
		s.object(o, want, pointer)
	case want.list != nil:
		l, ok := v.([]any)
		if !ok {
			s.fail(pointer, "must be a list")
			return
		}
		s.items(l, want, pointer)
	case want.text:
		t, ok := v.(string)
		if !ok {
			s.fail(pointer, "must be a text")
			return
		}
		s.text(t, want, pointer)
	}
}

func (s *shaper) object(o map[string]any, want *shape, pointer string) {
	for _, key := range want.must {
		if _, ok := o[key]; !ok {
			s.fail(pointer, "must have %q", key)
		}
	}
	if len(o) < want.least || want.most > 0 && len(o) > want.most {
		s.fail(pointer, "has %d properties", len(o))
	}
	for key, v := range o {
		at := pointer + "/" + pointerEscape.Replace(key)
		switch sub := want.object[key]; {
		case sub != nil:
			s.check(v, sub, at)
		case !want.open && len(s.found) < maxProblems:
			s.found = append(s.found, Problem{"6.2.20", at, "the standard has no such property"})
		}
	}
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

func (s *shaper) items(l []any, want *shape, pointer string) {
	if len(l) < max(want.least, 1) {
		s.fail(pointer, "has %d items, and must have %d", len(l), max(want.least, 1))
	}
	seen := map[string]bool{}
	for i, v := range l {
		at := pointer + "/" + strconv.Itoa(i)
		s.check(v, want.list, at)
		if !want.unique {
			continue
		}
		key, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				s.fail(at, "cannot be compared: %v", err)
			}
			key = "\x00" + string(b)
		}
		if seen[key] {
			s.fail(at, "is in the list before")
		}
		seen[key] = true
	}
}

func (s *shaper) text(t string, want *shape, pointer string) {
	switch {
	case t == "":
		s.fail(pointer, "must not be empty")
	case utf8.RuneCountInString(t) < want.least:
		s.fail(pointer, "must have %d characters", want.least)
	case want.oneOf != nil && !slices.Contains(want.oneOf, t):
		s.fail(pointer, "%.80q is none of %s", t, strings.Join(want.oneOf, ", "))
	case want.pattern != nil && !want.pattern.MatchString(t):
		s.fail(pointer, "%.80q does not match %s", t, want.pattern)
	case want.format != nil && !want.format(t):
		s.fail(pointer, "%.80q is no %s", t, want.what)
	}
}

// The words of the description below.

func text() *shape                    { return &shape{text: true} }
func oneOf(words string) *shape       { return &shape{text: true, oneOf: strings.Fields(words)} }
func matching(pattern string) *shape  { return &shape{text: true, pattern: regexp.MustCompile(pattern)} }
func list(of *shape) *shape           { return &shape{list: of} }
func set(of *shape) *shape            { return &shape{list: of, unique: true} }
func object(fields ...field) *shape   { return fill(&shape{object: map[string]*shape{}}, fields) }
func (s *shape) atLeast(n int) *shape { s.least = n; return s }

type field struct {
	name string
	is   *shape
}

// fill adds properties; a name with "*" is one that must be there.
func fill(s *shape, fields []field) *shape {
	for _, f := range fields {
		name, must := strings.CutSuffix(f.name, "*")
		if must {
			s.must = append(s.must, name)
		}
		s.object[name] = f.is
	}
	return s
}

var (
	uriText  = &shape{text: true, format: isURI, what: "URI"}
	dateTime = &shape{text: true, format: isDateTime, what: "time of RFC 3339"}
	version  = matching(`^(0|[1-9]\d*)$|^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`)
	// RFC 5646, 2.1, without the grandfathered tags but two
	lang = matching(`^(([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z0-9]{5,8}|\d[A-Za-z0-9]{3}))*` +
		`(-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*(-[Xx](-[A-Za-z0-9]{1,8})+)?|[Xx](-[A-Za-z0-9]{1,8})+|(?i:i-default|i-mingo))$`)

	ids             = set(text())
	acknowledgments = list(object(field{"names", list(text())}, field{"organization", text()}, field{"summary", text()}, field{"urls", list(uriText)}).atLeast(1))
	noteList        = list(object(field{"audience", text()}, field{"category*", oneOf("description details faq general legal_disclaimer other summary")},
		field{"text*", text()}, field{"title", text()}))
	referenceList = list(object(field{"category", oneOf("external self")}, field{"summary*", text()}, field{"url*", uriText}))

	hashesShape = list(object(field{"filename*", text()},
		field{"file_hashes*", list(object(field{"algorithm*", text()}, field{"value*", matching(`^[0-9a-fA-F]{32,}$`)}))}))
	helper = object(field{"cpe", &shape{text: true, least: 5, format: isCPE, what: "CPE"}}, field{"hashes", hashesShape}, field{"model_numbers", ids},
		field{"purl", &shape{text: true, least: 7, format: isPurl, what: "purl"}}, field{"sbom_urls", list(uriText)}, field{"serial_numbers", ids},
		field{"skus", list(text())}, field{"x_generic_uris", list(object(field{"namespace*", uriText}, field{"uri*", uriText}))}).atLeast(1)
	fullName = object(field{"name*", text()}, field{"product_id*", text()}, field{"product_identification_helper", helper})

	tracking = object(field{"aliases", ids}, field{"current_release_date*", dateTime}, field{"generator", object(field{"date", dateTime},
		field{"engine*", object(field{"name*", text()}, field{"version", text()})})}, field{"id*", matching(`^\S(.*\S)?$`)},
		field{"initial_release_date*", dateTime}, field{"revision_history*", list(object(field{"date*", dateTime}, field{"legacy_version", text()},
			field{"number*", version}, field{"summary*", text()}))}, field{"status*", oneOf("draft final interim")}, field{"version*", version})

	metaShape = object(field{"acknowledgments", acknowledgments}, field{"aggregate_severity", object(field{"namespace", uriText}, field{"text*", text()})},
		field{"category*", matching(`^[^\s\-_\.](.*[^\s\-_\.])?$`)}, field{"csaf_version*", oneOf("2.0")},
		field{"distribution", object(field{"text", text()}, field{"tlp", object(field{"label*", oneOf("AMBER GREEN RED WHITE")}, field{"url", uriText})}).atLeast(1)},
		field{"lang", lang}, field{"notes", noteList},
		field{"publisher*", object(field{"category*", oneOf("coordinator discoverer other translator user vendor")}, field{"contact_details", text()},
			field{"issuing_authority", text()}, field{"name*", text()}, field{"namespace*", uriText})},
		field{"references", referenceList}, field{"source_lang", lang}, field{"title*", text()}, field{"tracking*", tracking})

	treeShape = object(field{"branches", branchList()}, field{"full_product_names", list(fullName)},
		field{"product_groups", list(object(field{"group_id*", text()}, field{"product_ids*", set(text()).atLeast(2)}, field{"summary", text()}))},
		field{"relationships", list(object(field{"category*", oneOf("default_component_of external_component_of installed_on installed_with optional_component_of")},
			field{"full_product_name*", fullName}, field{"product_reference*", text()}, field{"relates_to_product_reference*", text()}))}).atLeast(1)

	vulnerabilityShape = object(field{"acknowledgments", acknowledgments}, field{"cve", matching(`^CVE-\d{4}-\d{4,}$`)},
		field{"cwe", object(field{"id*", matching(`^CWE-[1-9]\d{0,5}$`)}, field{"name*", text()})}, field{"discovery_date", dateTime},
		field{"flags", set(object(field{"date", dateTime}, field{"group_ids", ids}, field{"label*", oneOf(strings.Join(justifications, " "))}, field{"product_ids", ids}))},
		field{"ids", set(object(field{"system_name*", text()}, field{"text*", text()}))},
		field{"involvements", set(object(field{"date", dateTime}, field{"party*", oneOf("coordinator discoverer other user vendor")},
			field{"status*", oneOf("completed contact_attempted disputed in_progress not_contacted open")}, field{"summary", text()}))},
		field{"notes", noteList},
		field{"product_status", object(field{"first_affected", ids}, field{"first_fixed", ids}, field{"fixed", ids}, field{"known_affected", ids},
			field{"known_not_affected", ids}, field{"last_affected", ids}, field{"recommended", ids}, field{"under_investigation", ids}).atLeast(1)},
		field{"references", referenceList}, field{"release_date", dateTime},
		field{"remediations", list(object(field{"category*", oneOf("mitigation no_fix_planned none_available vendor_fix workaround")}, field{"date", dateTime},
			field{"details*", text()}, field{"entitlements", list(text())}, field{"group_ids", ids}, field{"product_ids", ids},
			field{"restart_required", object(field{"category*", oneOf("connected dependencies machine none parent service system vulnerable_component zone")},
				field{"details", text()})}, field{"url", uriText}))},
		field{"scores", list(object(field{"cvss_v2", cvssObject("2.0")}, field{"cvss_v3", cvssObject("3.0 3.1")}, field{"products*", ids}).atLeast(2))},
		field{"threats", list(object(field{"category*", oneOf("exploit_status impact target_set")}, field{"date", dateTime}, field{"details*", text()},
			field{"group_ids", ids}, field{"product_ids", ids}))},
		field{"title", text()}).atLeast(1)

	documentShape = object(field{"document*", metaShape}, field{"product_tree", treeShape}, field{"vulnerabilities", list(vulnerabilityShape)})
)

// cvssObject is an object of a version: its inside is for tests 6.1.8 to 6.1.10.
func cvssObject(versions string) *shape {
	return fill(&shape{object: map[string]*shape{}, open: true}, []field{{"version*", oneOf(versions)}})
}

func branchList() *shape {
	branch := object(field{"category*", oneOf(`architecture host_name language legacy patch_level product_family product_name product_version
		product_version_range service_pack specification vendor`)}, field{"name*", text()}, field{"product", fullName})
	branch.least, branch.most = 3, 3
	all := list(branch)
	branch.object["branches"] = all
	return all
}

// isURI wants a scheme (RFC 3986, 3.1), and no character that a URI cannot have.
func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && !strings.ContainsAny(s, " <>\"{}|\\^`") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// isDateTime allows the leap second that RFC 3339 has and Go has not, and small letters.
func isDateTime(s string) bool {
	s = strings.ToUpper(s)
	if i := strings.Index(s, ":60"); i == 16 {
		s = s[:17] + "59" + s[19:]
	}
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

var purlShape = regexp.MustCompile(`^pkg:[A-Za-z.+-][A-Za-z0-9.+-]*/.+`)

func isPurl(s string) bool { return isURI(s) && purlShape.MatchString(s) }

var (
	cpe22Shape = regexp.MustCompile(`^[cC][pP][eE]:/[AHOaho]?(:[A-Za-z0-9._\-~%]*){0,6}$`)
	// NISTIR 7695, 6.2: an attribute is "*", "-", or characters with "?" runs or one "*" at its ends
	cpe23Attribute = `((\?*|\*?)([a-zA-Z0-9\-._]|\\[\\*?!"#$%&'()+,/:;<=>@\[\]^` + "`" + `{|}~])+(\?*|\*?)|[*\-])`
	cpe23Shape     = regexp.MustCompile(`^cpe:2\.3:[aho*\-](:` + cpe23Attribute + `){5}:([a-zA-Z]{2,3}(-([a-zA-Z]{2}|\d{3}))?|[*\-])(:` + cpe23Attribute + `){4}$`)
)

func isCPE(s string) bool { return cpe22Shape.MatchString(s) || cpe23Shape.MatchString(s) }
