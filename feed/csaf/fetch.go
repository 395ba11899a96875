package csaf

import (
	"context"

	"github.com/biopsy-sca/biopsy"
)

func fetch(ctx context.Context, o biopsy.FetchOptions) error { return nil }
