package match

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/refdb"
)

// brokenBook fails from the look-up that its field names.
type brokenBook struct {
	shelfBook
	at string
}

var errBroken = errors.New("torn page")

func (b brokenBook) Package(e, n string) ([]refdb.Entry, error) {
	if b.at == "package" {
		return nil, errBroken
	}
	return b.shelfBook.Package(e, n)
}

func (b brokenBook) Lookup(id string) ([]biopsy.Advisory, error) {
	if b.at == "lookup" {
		return nil, errBroken
	}
	return b.shelfBook.Lookup(id)
}

func (b brokenBook) Exploit(cve string) (biopsy.Exploit, bool, error) {
	if b.at == "exploit" {
		return biopsy.Exploit{}, false, errBroken
	}
	return b.shelfBook.Exploit(cve)
}

func small() (shelfBook, *biopsy.Inventory) {
	book, inv := shelfBook{}, &biopsy.Inventory{}
	for i, v := range []string{"1.0.0", "2.0.0", "2.9.0"} {
		for _, name := range []string{"a", "b", "c"} {
			c := biopsy.Component{Eco: "npm", Name: name, Version: v, Purl: "pkg:npm/" + name + "@" + v}
			c.ID = biopsy.ComponentID(&c)
			inv.Components = append(inv.Components, c)
			book["npm/"+name] = append(book["npm/"+name], benchEntry(name, len(name)+int(name[0]), i))
		}
	}
	return book, inv
}

func TestBrokenBook(t *testing.T) {
	for _, at := range []string{"package", "lookup", "exploit"} {
		book, inv := small()
		_, err := Run(context.Background(), inv, []Book{brokenBook{book, at}}, Options{})
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "match ") {
			t.Errorf("%s: got error %v, want one of match that wraps %v", at, err, errBroken)
		}
	}
}

func TestCancelled(t *testing.T) {
	book, inv := small()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, inv, []Book{book}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

// TestSameWithAnyJobs: the number of workers and one record in two books change nothing.
func TestSameWithAnyJobs(t *testing.T) {
	book, inv := small()
	want, err := Run(context.Background(), inv, []Book{book}, Options{Jobs: 1})
	if err != nil || len(want) == 0 {
		t.Fatalf("%d findings, %v", len(want), err)
	}
	for _, jobs := range []int{0, 2, 7} {
		got, err := Run(context.Background(), inv, []Book{book, book}, Options{Jobs: jobs})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d jobs: %d findings, %v; want %d alike", jobs, len(got), err, len(want))
		}
	}
}

func TestNothingToMatch(t *testing.T) {
	got, err := Run(context.Background(), &biopsy.Inventory{}, nil, Options{})
	if len(got) != 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
