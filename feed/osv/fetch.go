package osv

import (
	"context"
	"errors"

	"github.com/biopsy-sca/biopsy"
)

func fetch(ctx context.Context, o biopsy.FetchOptions) error { return errors.New("soon") }
