package eol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/download"
)

// Public addresses: every product of endoflife.date in one document, and the distributions' tables.
const (
	base       = "https://endoflife.date/api/v1/products"
	tablesBase = "https://debian.pages.debian.net/distro-info-data"
)

// fetch brings the products to eol/full and both tables to eol/*.csv below Dir. A mirror has all three files in one folder.
func fetch(ctx context.Context, o biopsy.FetchOptions) error {
	one := func(base, name string, check func(string) error) error {
		return download.File{Feed: "eol", Base: base, Name: name, Max: maxFile, Check: check, HTTP: &http.Client{}}.Fetch(ctx, o)
	}
	return errors.Join(one(base, "full", checkProducts), one(tablesBase, "debian.csv", checkTable), one(tablesBase, "ubuntu.csv", checkTable))
}

// checkProducts holds that the document is whole and lists as many products as it says.
func checkProducts(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var doc struct {
		Total  int               `json:"total"`
		Result []json.RawMessage `json:"result"`
	}
	if err := json.NewDecoder(f).Decode(&doc); err != nil {
		return fmt.Errorf("not endoflife.date's products: %w", err)
	}
	if len(doc.Result) == 0 || doc.Total != len(doc.Result) {
		return fmt.Errorf("not all of endoflife.date's products: %d, and its total is %d", len(doc.Result), doc.Total)
	}
	return nil
}

func checkTable(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, len(csvHead))
	if _, err := io.ReadFull(f, head); err != nil || !strings.HasPrefix(string(head), csvHead) {
		return errors.Join(errors.New("not a table of releases"), err)
	}
	return nil
}
