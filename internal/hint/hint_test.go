package hint

import (
	"fmt"
	"io"
	"testing"
)

func TestOf(t *testing.T) {
	err := fmt.Errorf("pump.bin: %w", Add(io.EOF, "give a whole file"))
	if got, want := err.Error(), "pump.bin: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Of(err), "give a whole file"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Add(nil, "x") != nil || Of(io.EOF) != "" {
		t.Error("a hint out of nothing")
	}
}
