package match

import (
	"strings"
	"testing"
	"time"

	"github.com/biopsy-sca/biopsy/refdb"
)

func TestTextOfALaterDay(t *testing.T) {
	day := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	told := func(modified, asOf time.Time) bool {
		e := refdb.Entry{ID: "X-1", Modified: modified}
		return strings.Contains(because([]opinion{{entry: &e, text: "so"}}, asOf)[0].Text, "text is of 2024-05-06, after the day asked about")
	}
	if told(day, time.Time{}) || told(day, day) || told(time.Time{}, day) || !told(day, day.Add(-time.Second)) {
		t.Error("only a record that was changed after the day asked about says so")
	}
}
