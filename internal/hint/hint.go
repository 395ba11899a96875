// Package hint gives an error a second sentence: what the user can do about it.
//
// What comes in: an error and words. What goes out: the same error, from which Of finds the words again. It never changes
// what the error says.
package hint

import "errors"

// Add returns err with the words; nil stays nil.
func Add(err error, words string) error {
	if err == nil {
		return nil
	}
	return &hinted{err, words}
}

// Of returns the outermost words on the chain of err, "" when nobody added any.
func Of(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

type hinted struct {
	error
	words string
}

func (h *hinted) Unwrap() error { return h.error }

// Hint returns the words.
func (h *hinted) Hint() string { return h.words }
