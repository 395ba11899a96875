package main

import (
	"errors"
	"strings"
	"testing"
)

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestUnwrittenResultsFail runs commands whose results cannot be written: none may end as if it were done.
func TestUnwrittenResultsFail(t *testing.T) {
	for _, line := range []string{"version", "--help", "db status", "man", "completion bash"} {
		var words strings.Builder
		if got := Main(strings.Fields(line), strings.NewReader(""), full{}, &words); got != exitFailed || !strings.Contains(words.String(), "no space left") {
			t.Errorf("%s: exit code %d with %q, want %d and the reason", line, got, words.String(), exitFailed)
		}
	}
}
