package biopsy

// Advice is one move of a package to another version, and what it clears.
type Advice struct {
	Name       string   `json:"name"`          // what is to be moved: the source package where several components come of one
	Components []string `json:"components"`    // Component.ID of all that move with it
	Eco        string   `json:"eco,omitempty"` // purl type
	Rule       string   `json:"rule"`          // whose numbering it is: "Debian:12", "npm", "Upstream", "CPE"
	From       string   `json:"from"`
	To         string   `json:"to"`
	Branch     string   `json:"branch,omitempty"` // common beginning of versions: "3.0"; "" where there is one branch only
	Best       bool     `json:"best,omitempty"`   // of this package's moves the nearest of those that clear most
	Clears     []string `json:"clears"`           // Finding.ID whose answer is yes and would be no, most urgent first
	Leaves     []string `json:"leaves,omitempty"` // Finding.ID whose answer stays yes
	Brings     []string `json:"brings,omitempty"` // advisories that the new version has and the old one has not
	Because    string   `json:"because"`          // in words
}

// Exposure is what the scan knows of how far a component can be reached.
type Exposure struct {
	Scope Scope `json:"scope,omitempty"` // "" unknown
	Depth int   `json:"depth,omitempty"` // 1 when nothing else in the scan needs it, 2 when such a one does ...; 0 when no needs are known
}
