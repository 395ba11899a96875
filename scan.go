package biopsy

// ScanVersion is the version of the scan file that this code writes (doc/scanfile.md).
const ScanVersion = 1

// Scan is the hinge of the house: all that is known after one walk. Its JSON is the scan file.
type Scan struct {
	Biopsy  int     `json:"biopsy"` // ScanVersion
	Tool    Tool    `json:"tool"`
	Created string  `json:"created,omitempty"` // RFC 3339; "" when reproducible
	Subject Subject `json:"subject"`
	Options Options `json:"options"`
	Books   []Book  `json:"books,omitempty"`

	Inventory
	Findings []Finding `json:"findings,omitempty"`
	Advice   []Advice  `json:"advice,omitempty"` // best moves first
	Verdicts []Verdict `json:"verdicts,omitempty"`
}

// Tool is who made a document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
}

// Subject is what the scan is about as a whole.
type Subject struct {
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"` // "" until the maker says
	Kind         Kind   `json:"kind,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
}

// Options are what the user asked for, as far as it changes the answer.
type Options struct {
	Depth   Depth    `json:"depth"`
	AsOf    string   `json:"asOf,omitempty"` // YYYY-MM-DD: only knowledge published by then; "" is all
	Exclude []string `json:"exclude,omitempty"`
}

// Depth is how far the walk looks.
type Depth string

// The depths.
const (
	Quick    Depth = "quick"    // package metadata only
	Standard Depth = "standard" // also every file's digest, binaries, archives
	Deep     Depth = "deep"     // also snippets, every byte
)

// Book is one snapshot of knowledge that a scan used.
type Book struct {
	Name    string `json:"name"` // "advisories", "built-in advisories", "software"
	Digest  string `json:"digest"`
	Built   string `json:"built,omitempty"` // RFC 3339
	Records int    `json:"records,omitempty"`
	Feeds   []Snap `json:"feeds,omitempty"`
}

// Snap is how old one feed's part of a book is.
type Snap struct {
	Feed    string `json:"feed"`
	Newest  string `json:"newest,omitempty"` // RFC 3339: latest modification of any record
	Records int    `json:"records"`
}

// Verdict is one rule's outcome and the findings it rests on.
type Verdict struct {
	Rule     string   `json:"rule"` // "fail-on:high"
	Pass     bool     `json:"pass"`
	Message  string   `json:"message"`
	Findings []string `json:"findings,omitempty"` // Finding.ID
}
