package csaf

// ProductTree is the property "product_tree".
type ProductTree struct {
	Branches      []Branch       `json:"branches,omitempty"`
	FullNames     []FullName     `json:"full_product_names,omitempty"`
	Groups        []ProductGroup `json:"product_groups,omitempty"`
	Relationships []Relationship `json:"relationships,omitempty"`
}

// Categories of branches that this project asks about. There are also architecture, host_name, language, legacy, patch_level,
// service_pack and specification; 2.1 has platform.
const (
	BranchVendor  = "vendor"
	BranchFamily  = "product_family"
	BranchName    = "product_name"
	BranchVersion = "product_version"
	BranchRange   = "product_version_range"
)

// Branch is a node of the tree: further branches, or a product.
type Branch struct {
	Branches []Branch  `json:"branches,omitempty"`
	Category string    `json:"category"`
	Name     string    `json:"name"`
	Product  *FullName `json:"product,omitempty"`
}

// FullName is a product: what ids in the rest of the document stand for.
type FullName struct {
	Name   string  `json:"name"`
	ID     string  `json:"product_id"`
	Helper *Helper `json:"product_identification_helper,omitempty"`
}

// Helper is what else identifies a product.
type Helper struct {
	CPE          string       `json:"cpe,omitempty"` // 2.2 ("cpe:/o:...") or 2.3
	Hashes       []FileHashes `json:"hashes,omitempty"`
	ModelNumbers []string     `json:"model_numbers,omitempty"` // may hold "?" for one and "*" for any characters
	Purl         string       `json:"purl,omitempty"`
	Purls        []string     `json:"purls,omitempty"` // 2.1
	SBOMs        []string     `json:"sbom_urls,omitempty"`
	Serials      []string     `json:"serial_numbers,omitempty"`
	SKUs         []string     `json:"skus,omitempty"`
	GenericURIs  []GenericURI `json:"x_generic_uris,omitempty"`
}

// FileHashes are the hashes of one file.
type FileHashes struct {
	Hashes   []FileHash `json:"file_hashes"`
	Filename string     `json:"filename"`
}

// FileHash is one hash.
type FileHash struct {
	Algorithm string `json:"algorithm"` // as OpenSSL spells it: "sha256"
	Value     string `json:"value"`
}

// GenericURI is a name in a scheme of somebody's own.
type GenericURI struct {
	Namespace string `json:"namespace"`
	URI       string `json:"uri"`
}

// ProductGroup is a name for several products.
type ProductGroup struct {
	ID         string   `json:"group_id"`
	ProductIDs []string `json:"product_ids"`
	Summary    string   `json:"summary,omitempty"`
}

// Relationship makes a product of two: Reference is a component of, or installed on, RelatesTo.
type Relationship struct {
	Category  string   `json:"category"` // default_component_of, external_component_of, installed_on, installed_with, optional_component_of
	FullName  FullName `json:"full_product_name"`
	Reference string   `json:"product_reference"`
	RelatesTo string   `json:"relates_to_product_reference"`
}
