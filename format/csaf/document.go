package csaf

// Document is one CSAF document. Dates, versions and ids stay as written. "" and nil are absent.
type Document struct {
	Schema          string          `json:"$schema,omitempty"` // 2.1
	Document        Meta            `json:"document"`
	ProductTree     *ProductTree    `json:"product_tree,omitempty"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities,omitempty"`
}

// Categories that choose a profile (section 4).
const (
	SecurityAdvisory      = "csaf_security_advisory"
	VEX                   = "csaf_vex"
	InformationalAdvisory = "csaf_informational_advisory"
	IncidentResponse      = "csaf_security_incident_response"
	Base                  = "csaf_base"
	Withdrawn             = "csaf_withdrawn"  // 2.1
	Superseded            = "csaf_superseded" // 2.1
)

// Meta is the property "document".
type Meta struct {
	Acknowledgments   []Acknowledgment   `json:"acknowledgments,omitempty"`
	AggregateSeverity *AggregateSeverity `json:"aggregate_severity,omitempty"`
	Category          string             `json:"category"`
	CSAFVersion       string             `json:"csaf_version"`
	Distribution      *Distribution      `json:"distribution,omitempty"`
	Lang              string             `json:"lang,omitempty"`
	License           string             `json:"license_expression,omitempty"` // 2.1
	Notes             []Note             `json:"notes,omitempty"`
	Publisher         Publisher          `json:"publisher"`
	References        []Reference        `json:"references,omitempty"`
	SourceLang        string             `json:"source_lang,omitempty"`
	Title             string             `json:"title"`
	Tracking          Tracking           `json:"tracking"`
}

// Acknowledgment thanks people.
type Acknowledgment struct {
	Names        []string `json:"names,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Summary      string   `json:"summary,omitempty"`
	URLs         []string `json:"urls,omitempty"`
}

// AggregateSeverity is the publisher's word for the whole document: "Important".
type AggregateSeverity struct {
	Namespace string `json:"namespace,omitempty"`
	Text      string `json:"text"`
}

// Distribution is who may read the document.
type Distribution struct {
	SharingGroup *SharingGroup `json:"sharing_group,omitempty"` // 2.1
	Text         string        `json:"text,omitempty"`
	TLP          *TLP          `json:"tlp,omitempty"`
}

// SharingGroup is a circle of readers.
type SharingGroup struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// TLP is the Traffic Light Protocol's label: WHITE, GREEN, AMBER, RED in 2.0; CLEAR, GREEN, AMBER, AMBER+STRICT, RED in 2.1.
type TLP struct {
	Label string `json:"label"`
	URL   string `json:"url,omitempty"`
}

// Note is words about a document or a vulnerability.
type Note struct {
	Audience   string   `json:"audience,omitempty"`
	Category   string   `json:"category"`            // description, details, faq, general, legal_disclaimer, other, summary
	GroupIDs   []string `json:"group_ids,omitempty"` // 2.1
	ProductIDs []string `json:"product_ids,omitempty"`
	Text       string   `json:"text"`
	Title      string   `json:"title,omitempty"`
}

// Publisher is who says it all.
type Publisher struct {
	Category         string `json:"category"` // coordinator, discoverer, other, translator, user, vendor; 2.1 also multiplier
	ContactDetails   string `json:"contact_details,omitempty"`
	IssuingAuthority string `json:"issuing_authority,omitempty"`
	Name             string `json:"name"`
	Namespace        string `json:"namespace"` // URL; with the tracking id it names the document in the world
}

// Reference is a link.
type Reference struct {
	Category string `json:"category,omitempty"` // external, self; "" is external
	Summary  string `json:"summary"`
	URL      string `json:"url"`
}

// Tracking is the document's id, state and history.
type Tracking struct {
	Aliases   []string   `json:"aliases,omitempty"`
	Current   string     `json:"current_release_date"`
	Generator *Generator `json:"generator,omitempty"`
	ID        string     `json:"id"`
	Initial   string     `json:"initial_release_date"`
	History   []Revision `json:"revision_history"`
	Status    string     `json:"status"` // draft, final, interim
	Version   string     `json:"version"`
}

// Generator is the program that wrote the document.
type Generator struct {
	Date   string `json:"date,omitempty"`
	Engine Engine `json:"engine"`
}

// Engine is its name.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Revision is one item of the history.
type Revision struct {
	Date          string `json:"date"`
	LegacyVersion string `json:"legacy_version,omitempty"`
	Number        string `json:"number"`
	Summary       string `json:"summary"`
}
