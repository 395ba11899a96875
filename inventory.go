package biopsy

// Inventory is what the evidence agrees on. All slices are sorted; there is no component without evidence.
type Inventory struct {
	Artifacts  []Artifact  `json:"artifacts"`
	Components []Component `json:"components"` // by ID
	Relations  []Relation  `json:"relations,omitempty"`
	Ledgers    []Ledger    `json:"ledgers,omitempty"`
	Gaps       []Gap       `json:"gaps,omitempty"`
}

// Component is one piece of software that the evidence shows.
type Component struct {
	ID        string   `json:"id"` // hash of what it is (see ComponentID): equal in two scans when it is the same thing
	Kind      Kind     `json:"kind,omitempty"`
	Eco       string   `json:"eco,omitempty"` // purl type; "" for things no purl names
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name"`
	Version   string   `json:"version,omitempty"` // "" if no evidence says
	Purl      string   `json:"purl,omitempty"`
	Aliases   []string `json:"aliases,omitempty"` // other purls that claims gave to the same bytes
	CPEs      []string `json:"cpes,omitempty"`

	State       State     `json:"state,omitempty"` // the strongest of its evidence
	Scope       Scope     `json:"scope,omitempty"`
	Arch        string    `json:"arch,omitempty"`
	Distro      string    `json:"distro,omitempty"` // "debian-12"; "" when it is no distribution package or the tree does not say
	Supplier    string    `json:"supplier,omitempty"`
	Licenses    []License `json:"licenses,omitempty"`
	Hashes      []Hash    `json:"hashes,omitempty"`
	Source      *Upstream `json:"source,omitempty"`
	Description string    `json:"description,omitempty"`
	Homepage    string    `json:"homepage,omitempty"`
	Repository  string    `json:"repository,omitempty"`
	Download    string    `json:"download,omitempty"`
	Unowned     bool      `json:"unowned,omitempty"` // a program in a tree with a package database, and no package owns it
	Layer       string    `json:"layer,omitempty"`   // DiffID of the oldest layer that brought it; "" outside images
	Support     *Support  `json:"support,omitempty"` // nil when no book knows the component

	Extra    map[string]string `json:"extra,omitempty"`
	Evidence []Evidence        `json:"evidence"`
}

// Relation is one edge between two components, or from an artifact's root ("artifact:N", N its index) to a component.
type Relation struct {
	From  string       `json:"from"`
	To    string       `json:"to"`
	Kind  RelationKind `json:"kind"`
	Scope Scope        `json:"scope,omitempty"`
}

// RelationKind is how two components stand to each other.
type RelationKind string

// The relations.
const (
	Contains  RelationKind = "contains"
	DependsOn RelationKind = "depends-on"
	BuiltFrom RelationKind = "built-from"
)

// Gap is what could not be looked into, and why. A hidden gap is a wrong scan.
type Gap struct {
	Place  Place  `json:"place"`
	Reader string `json:"reader,omitempty"` // who wanted to look; "" when nobody could
	Reason string `json:"reason"`           // lower case, no period
	Size   int64  `json:"size,omitempty"`   // bytes that stay unseen; 0 when unknown
}

// Ledger accounts for every byte of an artifact or container.
type Ledger struct {
	Place Place  `json:"place"`
	Spans []Span `json:"spans"`
}

// Sum counts the bytes of one kind.
func (l *Ledger) Sum(of ByteKind) int64 {
	n := int64(0)
	for i := range l.Spans {
		if l.Spans[i].Status == of {
			n += l.Spans[i].Size
		}
	}
	return n
}

// Span is a run of bytes and what became of it.
type Span struct {
	Offset int64    `json:"offset"`
	Size   int64    `json:"size"`
	Status ByteKind `json:"status"`
	What   string   `json:"what,omitempty"`
}

// ByteKind says what became of bytes. The zero value is unknown.
type ByteKind string

// What bytes can be.
const (
	BytesUnknown   ByteKind = ""
	BytesParsed    ByteKind = "parsed"
	BytesPadding   ByteKind = "padding"
	BytesEncrypted ByteKind = "encrypted"
)
