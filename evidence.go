package biopsy

// Evidence is a claim, where its bytes are, who read it, on what basis and how sure. It is never edited, only added to.
type Evidence struct {
	Claim      Claim   `json:"claim"`
	Place      Place   `json:"place"`
	Digest     string  `json:"digest,omitempty"` // "sha256:..." of the file that makes the claim; "" when it was not hashed whole
	Reader     string  `json:"reader"`           // name of the Extractor: "dpkg", "go-binary"
	Basis      Basis   `json:"basis"`
	Confidence float64 `json:"confidence"`         // 0 to 1: how often claims of this reader on this basis are right
	Shadowed   bool    `json:"shadowed,omitempty"` // the file was replaced or deleted by a newer layer
}

// Basis is the technique behind a claim, in the words of CycloneDX evidence.identity.methods.technique.
type Basis string

// The techniques in use; others of the CycloneDX list may come from SBOMs.
const (
	Manifest    Basis = "manifest-analysis"
	Binary      Basis = "binary-analysis"
	SourceCode  Basis = "source-code-analysis"
	HashMatch   Basis = "hash-comparison"
	Filename    Basis = "filename"
	Attestation Basis = "attestation" // somebody's SBOM says so
	Other       Basis = "other"
)

// State is how far the bytes say a component has come on its way into the device.
type State string

// From weakest to strongest. "" is unknown.
const (
	Declared  State = "declared"  // a manifest asks for it, perhaps by a range
	Locked    State = "locked"    // a lock file resolved it
	Embedded  State = "embedded"  // it is inside another file: build info of a binary, a shaded jar
	Installed State = "installed" // it is there, unpacked or registered in a package database
)

// Claim is what some bytes say about one component. Fields the bytes do not speak about are empty.
type Claim struct {
	Kind      Kind   `json:"kind,omitempty"`
	Eco       string `json:"eco,omitempty"` // purl type: "deb", "npm", "generic"
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"` // "" if the bytes do not say
	Purl      string `json:"purl,omitempty"`    // canonical, with qualifiers; "" when no purl can name it

	// About says that the claim adds to a component some other claim makes (a file list, a copyright file) and makes none by
	// itself. It finds that component by Eco, Namespace, Name, Arch and tree; an empty Version or Arch fits any.
	About bool   `json:"about,omitempty"`
	Arch  string `json:"arch,omitempty"`

	// Whole says that the component is the very file the claim was read from: a jar, a program. The file's digest is its hash.
	Whole bool `json:"whole,omitempty"`

	State       State     `json:"state,omitempty"`
	Scope       Scope     `json:"scope,omitempty"`
	CPEs        []string  `json:"cpes,omitempty"` // CPE 2.3 strings the bytes themselves state
	Supplier    string    `json:"supplier,omitempty"`
	Licenses    []License `json:"licenses,omitempty"`
	Hashes      []Hash    `json:"hashes,omitempty"` // of the component as distributed (lock file integrity, single-file components)
	Source      *Upstream `json:"source,omitempty"` // the source package it was built from; nil when it is its own source
	Description string    `json:"description,omitempty"`
	Homepage    string    `json:"homepage,omitempty"`
	Repository  string    `json:"repository,omitempty"` // VCS URL
	Download    string    `json:"download,omitempty"`   // where this version's archive comes from

	// Symbols are the parts of the component that the bytes hold, as a nameset (internal/nameset): functions and packages of a Go module
	// ("net/http.Client.Do", "net/http"), options and modules of a kernel ("CONFIG_NET=y", "fs/fat/fat.ko"), applets of BusyBox. "" when
	// the bytes do not say; what the set does not have is not there.
	Symbols string `json:"symbols,omitempty"`

	Needs []Need `json:"-"` // dependency edges; they become Relations
	Owns  []Path `json:"-"` // files of the tree that belong to the component; they fold other claims into it

	// Distro is the "ID-VERSION_ID" of the tree's os-release for distribution packages: "debian-12". "" until reconcile knows.
	Distro string `json:"distro,omitempty"`
	// Extra keeps what a format says and no field holds, so that a round trip loses nothing. Keys are "format:field".
	Extra map[string]string `json:"extra,omitempty"`
}

// Kind is what sort of thing a component is, in the words of CycloneDX component.type.
type Kind string

// The kinds in use. "" is unknown and is written as library where a format insists.
const (
	Library         Kind = "library"
	Application     Kind = "application"
	Framework       Kind = "framework"
	OperatingSystem Kind = "operating-system"
	Container       Kind = "container"
	Firmware        Kind = "firmware"
	DeviceKind      Kind = "device"
	FileKind        Kind = "file"
	DataKind        Kind = "data"
	CryptoAsset     Kind = "cryptographic-asset"
)

// Scope says what a component is needed for. "" is unknown.
type Scope string

// The scopes.
const (
	Runtime     Scope = "runtime"     // shipped
	Development Scope = "development" // used to build or test, not shipped
	Optional    Scope = "optional"    // shipped in some configurations
)

// License is one statement about a licence.
type License struct {
	Expression string `json:"expression,omitempty"` // SPDX expression; "" when the words fit none
	Name       string `json:"name,omitempty"`       // the words as found, when they are no SPDX expression
	URL        string `json:"url,omitempty"`
	Basis      string `json:"basis,omitempty"` // "declared" (metadata says), "found" (a text was read), "concluded"
}

// Hash is one digest.
type Hash struct {
	Alg   string `json:"alg"`   // CycloneDX names: "MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"
	Value string `json:"value"` // lower-case hex
}

// Upstream names what a component was built from.
type Upstream struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // "" when it is the component's own
}

// Need is one dependency edge as a reader sees it.
type Need struct {
	// Purl of the exact component when the bytes resolve it (lock files); else "" and Name is looked up in the same tree and Eco.
	Purl string
	// "namespace/name" or "name", of deb with ":arch" where it is stated; alternatives are joined by " | ", and any one of them fulfils
	// the need
	Name string
	// Path narrows the look-up: nested node_modules resolve to the nearest. "" looks in the whole tree.
	Path  string
	Scope Scope
}

// Path is a file name inside a tree, kept as its 64-bit FNV-1a hash so that a million of them stay small.
type Path uint64

// HashPath returns the Path of a slash path; a leading slash or "./" makes no difference.
func HashPath(p string) Path {
	for len(p) > 0 && (p[0] == '/' || (p[0] == '.' && len(p) > 1 && p[1] == '/')) {
		p = p[1:]
	}
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := 0; i < len(p); i++ {
		h = (h ^ uint64(p[i])) * prime
	}
	return Path(h)
}
