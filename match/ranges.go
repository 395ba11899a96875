package match

import (
	"fmt"

	"github.com/biopsy-sca/biopsy"
)

// order compares two versions; the error says which one does not parse.
type order func(a, b string) (int, error)

// outcome is what one range says about a version.
type outcome struct {
	answer biopsy.Answer
	turn   turn   // the turn that decided: the last one at or before the version
	at     string // version of that turn; "" when no turn is at or before the version
	next   string // the nearest fix above the version; "" when the range knows none
	last   string // the nearest last affected version at or above the version; "" when the range knows none
	from   string // the lowest introduction, for versions before all turns
	err    error  // why it is unknown
}

// turn is the kind of an event.
type turn uint8

const (
	noTurn turn = iota
	introduced
	fixed
	lastAffected
	limit
)

// event returns the kind and version of an OSV event.
func event(e *biopsy.Event) (turn, string) {
	switch {
	case e.Introduced != "":
		return introduced, e.Introduced
	case e.Fixed != "":
		return fixed, e.Fixed
	case e.LastAffected != "":
		return lastAffected, e.LastAffected
	case e.Limit != "":
		return limit, e.Limit
	}
	return noTurn, ""
}

// within evaluates a range as the OSV schema does (1.7, "Evaluation"): the version is affected when the last turn before it is an
// introduction, and it is below a limit if there are any. "0" is before every version. Nothing is allocated.
func within(version string, events []biopsy.Event, cmp order) outcome {
	var o outcome
	begins, limits, below := false, false, false
	for i := range events {
		kind, at := event(&events[i])
		c, err := compareTurn(version, at, cmp)
		if err != nil {
			return outcome{err: err}
		}
		switch {
		case kind == noTurn:
			continue
		case kind == limit:
			limits, below = true, below || c < 0 || at == "*"
			continue
		case kind == introduced:
			begins = true
			o.from, err = least(o.from, at, cmp)
		case kind == fixed && c < 0:
			o.next, err = least(o.next, at, cmp)
		case kind == lastAffected && c <= 0:
			o.last, err = least(o.last, at, cmp)
		}
		if err == nil && (c > 0 || c == 0 && kind != lastAffected) {
			err = o.pass(kind, at, cmp)
		}
		if err != nil {
			return outcome{err: err}
		}
	}
	switch {
	case !begins:
		return outcome{err: fmt.Errorf("the range does not say where it begins")}
	case o.turn == introduced && (!limits || below):
		o.answer = biopsy.Yes
	default:
		o.answer = biopsy.No
	}
	return o
}

// pass keeps the highest turn passed; of two at one version, the later in the list.
func (o *outcome) pass(kind turn, at string, cmp order) error {
	if o.turn != noTurn {
		c, err := compareTurn(at, o.at, cmp)
		if err != nil || c < 0 {
			return err
		}
	}
	o.turn, o.at = kind, at
	return nil
}

// compareTurn compares versions one of which may be the "0" that is before all.
func compareTurn(a, b string, cmp order) (int, error) {
	switch {
	case a == b:
		return 0, nil
	case b == "*":
		return -1, nil
	case b == "0":
		return 1, nil
	case a == "0":
		return -1, nil
	}
	return cmp(a, b)
}

// least returns the lower of two versions; "" is none yet.
func least(have, v string, cmp order) (string, error) {
	if have == "" {
		return v, nil
	}
	c, err := compareTurn(v, have, cmp)
	if err != nil || c >= 0 {
		return have, err
	}
	return v, nil
}

// over says whether an outcome tells more than another: yes > unknown > no; a fix passed before a beginning not reached; the latest fix.
func (o *outcome) over(p *outcome, cmp order) bool {
	if o.answer != p.answer {
		return worth(o.answer) > worth(p.answer)
	}
	if o.answer != biopsy.No || o.turn != fixed {
		return false
	}
	if p.turn != fixed {
		return true
	}
	c, err := compareTurn(o.at, p.at, cmp)
	return err == nil && c > 0 // both were compared with the version already
}

// says puts an outcome in words.
func (o *outcome) says(version string) string {
	switch {
	case o.answer == biopsy.Unknown:
		return o.err.Error()
	case o.answer == biopsy.Yes && o.next != "" && o.at == "0":
		return version + " is before " + o.next + ", which fixes it"
	case o.answer == biopsy.Yes && o.next != "":
		return version + " is between " + o.at + ", which brought it, and " + o.next + ", which fixes it"
	case o.answer == biopsy.Yes && o.last != "":
		return version + " is not after " + o.last + ", the last affected"
	case o.answer == biopsy.Yes && o.at == "0":
		return version + " is affected: the record knows no fix"
	case o.answer == biopsy.Yes:
		return version + " is not before " + o.at + ", which brought it, and the record knows no later fix"
	case o.turn == fixed:
		return version + " is not before " + o.at + ", which fixes it"
	case o.turn == lastAffected:
		return version + " is after " + o.at + ", the last affected"
	case o.turn == noTurn:
		return version + " is before " + o.from + ", which brought it"
	}
	return version + " is not below the limit of the range"
}
