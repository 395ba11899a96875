package biopsy

import (
	"fmt"
	"time"
)

// Answer is yes, no or unknown; unknown is the zero value.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

var answerNames = [...]string{"unknown", "no", "yes"}

func (a Answer) String() string { return answerNames[a] }

// MarshalText writes "unknown", "no" or "yes".
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Answer) UnmarshalText(b []byte) error {
	for i, n := range answerNames {
		if n == string(b) {
			*a = Answer(i)
			return nil
		}
	}
	return fmt.Errorf("answer %q is not unknown, no or yes", b)
}

// Advisory is one vulnerability record, OSV-shaped.
type Advisory struct {
	ID         string            `json:"id"`
	Aliases    []string          `json:"aliases,omitempty"` // other ids of the same hole; "related" and "upstream" ids are not aliases
	Upstream   []string          `json:"upstream,omitempty"`
	Summary    string            `json:"summary,omitempty"`
	Details    string            `json:"details,omitempty"`
	Published  time.Time         `json:"published,omitzero"`
	Modified   time.Time         `json:"modified,omitzero"`
	Withdrawn  time.Time         `json:"withdrawn,omitzero"` // zero when the record stands
	Severity   []Severity        `json:"severity,omitempty"`
	Affected   []Affected        `json:"affected,omitempty"`
	References []Reference       `json:"references,omitempty"`
	Source     string            `json:"source,omitempty"` // the feed it came by: "osv/Debian", "builtin"
	Extra      map[string]string `json:"extra,omitempty"`  // "cwe", "family", "malicious", ...
}

// Severity is one vector or word, and who gave it.
type Severity struct {
	Type   string  `json:"type"`             // "CVSS_V2", "CVSS_V3", "CVSS_V4", or "word" (LOW, MODERATE, HIGH, CRITICAL of an advisory database)
	Vector string  `json:"vector"`           // the vector, or the word
	Score  float64 `json:"score,omitempty"`  // base score computed from the vector; 0 for words
	Source string  `json:"source,omitempty"` // advisory id or feed that gave it
}

// Affected is one package and the versions of it that an advisory speaks about.
type Affected struct {
	Ecosystem string   `json:"ecosystem"` // OSV's name with its suffix: "Debian:12", "npm", "Upstream"
	Name      string   `json:"name"`      // as OSV spells it: "org.apache.struts:struts2-core", "openssl"
	Purl      string   `json:"purl,omitempty"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty"` // affected one by one

	// Status is the source's own verdict where it is more than its ranges; Why is its reason, in its words.
	Status Status `json:"status,omitempty"`
	Why    string `json:"why,omitempty"`

	CPE       string   `json:"cpe,omitempty"`       // CPE 2.3 name that the versions are matched under (ecosystem "CPE"), version included
	Platforms []string `json:"platforms,omitempty"` // CPE 2.3 names, or words, one of which must be there too; empty when all will do
	Files     []string `json:"files,omitempty"`     // source files that the hole lies in: CVE 5's programFiles
	Symbols   []string `json:"symbols,omitempty"`   // functions that the hole lies in: CVE 5's programRoutines, Go's symbols

	Extra map[string]string `json:"extra,omitempty"` // "urgency", ...
}

// Status is what a source says about a package beside its ranges. "" leaves the answer to the ranges.
type Status string

// The statuses.
const (
	NotAffected  Status = "not-affected" // whatever the version
	Undetermined Status = "undetermined" // the source has not decided: Debian's "undetermined", VEX's "under investigation"
	WillNotFix   Status = "will-not-fix" // affected, and no fix will come: end of life, or deferred
)

// Range is a list of events in the order of versions.
type Range struct {
	Type   string  `json:"type"`           // "SEMVER", "ECOSYSTEM", "GIT"
	Repo   string  `json:"repo,omitempty"` // of GIT ranges
	Events []Event `json:"events"`
}

// Event is one turn of a range; exactly one field is set.
type Event struct {
	Introduced   string `json:"introduced,omitempty"` // "0" is before every version
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"lastAffected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Reference is a link an advisory gives.
type Reference struct {
	Type string `json:"type,omitempty"` // OSV's words: ADVISORY, FIX, REPORT, WEB, ...
	URL  string `json:"url"`
}

// Exploit is what is known of a vulnerability's use: CISA's KEV and FIRST's EPSS.
type Exploit struct {
	KEV        bool    `json:"kev,omitempty"`
	KEVAdded   string  `json:"kevAdded,omitempty"` // YYYY-MM-DD
	KEVDue     string  `json:"kevDue,omitempty"`   // YYYY-MM-DD
	KEVAction  string  `json:"kevAction,omitempty"`
	Ransomware bool    `json:"ransomware,omitempty"` // KEV knows of use in ransomware campaigns
	EPSS       float64 `json:"epss,omitempty"`       // probability of exploitation in the next 30 days, 0 to 1
	Percentile float64 `json:"percentile,omitempty"` // of EPSS, 0 to 1
	EPSSDate   string  `json:"epssDate,omitempty"`   // YYYY-MM-DD of the EPSS model run; "" when EPSS does not know the id

	// CISA's SSVC decision points, as its enrichment of CVE records gives them. All empty when it gave none.
	Maturity    string `json:"maturity,omitempty"`    // exploitation: "none", "poc", "active"
	Automatable string `json:"automatable,omitempty"` // "yes", "no"
	Impact      string `json:"impact,omitempty"`      // technical impact: "partial", "total"
	SSVCDate    string `json:"ssvcDate,omitempty"`    // YYYY-MM-DD of the decision
}

// Synonym says that two names are of one software, and who says so. Names are purls without version ("pkg:npm/lodash"), CPE 2.3
// vendor and product ("cpe:2.3:a:lodash:lodash"), or repositories without scheme and ".git" ("github.com/lodash/lodash").
type Synonym struct {
	Name    string `json:"name"`
	Same    string `json:"same"`
	Source  string `json:"source"`            // "nvd", "learned", "builtin"
	Records int    `json:"records,omitempty"` // how many records name both, where it was learned; 0 when somebody said so
}

// Lifecycle is how long the makers of a product support its release cycles.
type Lifecycle struct {
	Product  string   `json:"product"`         // the source's own name: "debian", "openssl"
	Label    string   `json:"label,omitempty"` // for people: "OpenSSL"
	Names    []string `json:"names,omitempty"` // purls without version and CPE 2.3 vendor and product, as Synonym spells them
	Cycles   []Cycle  `json:"cycles"`
	Source   string   `json:"source"`             // feed
	URL      string   `json:"url,omitempty"`      // for people
	Modified string   `json:"modified,omitempty"` // YYYY-MM-DD
}

// Cycle is one branch of releases. Dates are YYYY-MM-DD; "" is unknown, and never says that support goes on.
type Cycle struct {
	Name        string `json:"name"` // the versions' common beginning: "3.0", "12"
	Codename    string `json:"codename,omitempty"`
	Released    string `json:"released,omitempty"`
	ActiveEnd   string `json:"activeEnd,omitempty"`   // end of other than security fixes
	End         string `json:"end,omitempty"`         // end of security fixes for everybody
	ExtendedEnd string `json:"extendedEnd,omitempty"` // end of paid or community long term support
	Ended       Answer `json:"ended,omitempty"`       // where the source says it without a date
	LTS         bool   `json:"lts,omitempty"`
	Latest      string `json:"latest,omitempty"` // newest version of the cycle
}

// Support is the level and the end of support of a component version.
type Support struct {
	Level string `json:"level,omitempty"` // the FDA's words: "actively maintained", "no longer maintained", "abandoned"; "" unknown
	End   string `json:"end,omitempty"`   // YYYY-MM-DD of the last security fix; "" unknown
	Days  *int   `json:"days,omitempty"`  // from the day of the scan's knowledge to End, negative behind it; nil when either is unknown

	Product string `json:"product,omitempty"` // the Lifecycle and Cycle it was read from; "" when a person said it
	Cycle   string `json:"cycle,omitempty"`
	Latest  string `json:"latest,omitempty"` // newest version of the cycle
	Source  string `json:"source,omitempty"`
	Because string `json:"because,omitempty"` // in words
}

// Finding is a component, a subject, an answer and the reason for it.
type Finding struct {
	ID        string     `json:"id"`        // hash of component identity (without version) and subject: the same in the next release
	Component string     `json:"component"` // Component.ID
	Subject   string     `json:"subject"`   // "vulnerability"; later "license", "support", "quality", "crypto"
	Advisory  string     `json:"advisory"`  // the id people use: the CVE when there is one
	Aliases   []string   `json:"aliases,omitempty"`
	Summary   string     `json:"summary,omitempty"`
	Answer    Answer     `json:"answer"`
	Because   []Because  `json:"because"` // one per record that spoke, at least one
	Severity  []Severity `json:"severity,omitempty"`
	Level     Level      `json:"level,omitempty"`    // of the severity chosen: see match
	Score     float64    `json:"score,omitempty"`    // of the severity chosen; 0 when there is none
	Scored    string     `json:"scored,omitempty"`   // which severity was chosen and by whom, and what others say where they differ
	Exposure  *Exposure  `json:"exposure,omitempty"` // nil when nothing is known
	Exploit   *Exploit   `json:"exploit,omitempty"`
	Fixed     []string   `json:"fixed,omitempty"` // versions that mend it, in version order; empty when none is known
	Published string     `json:"published,omitempty"`
	URLs      []string   `json:"urls,omitempty"`
}

// Because names the record, the range and the rule that made an answer.
type Because struct {
	Record string `json:"record"`           // advisory id: "DSA-5139-1"
	Source string `json:"source,omitempty"` // feed of the record
	Rule   string `json:"rule"`             // "distribution", "range", "versions", "upstream-range", "unparsable-version", ...
	Answer Answer `json:"answer"`
	Text   string `json:"text"` // "3.0.11-1~deb12u2 is before 3.0.13-1~deb12u1, which fixes it (Debian:12 openssl)"
}

// Level is a severity in one word. "" is unknown.
type Level string

// The levels, as CVSS 3 and 4 name them.
const (
	LevelNone     Level = "none"
	LevelLow      Level = "low"
	LevelMedium   Level = "medium"
	LevelHigh     Level = "high"
	LevelCritical Level = "critical"
)

// Rank orders levels: critical 4 down to none 0; unknown is -1.
func (l Level) Rank() int {
	switch l {
	case LevelCritical:
		return 4
	case LevelHigh:
		return 3
	case LevelMedium:
		return 2
	case LevelLow:
		return 1
	case LevelNone:
		return 0
	}
	return -1
}
