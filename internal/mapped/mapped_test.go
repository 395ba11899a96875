package mapped

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	if err := os.WriteFile(path, []byte("old bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, release, err := Open(path, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("new bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if string(data) != "old bytes" {
		t.Errorf("after the file was replaced: got %q, want the old bytes", data)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(empty, 0); !errors.Is(err, ErrSize) {
		t.Errorf("an empty file: got %v, want %v", err, ErrSize)
	}
	if _, _, err := Open(dir, 0); err == nil {
		t.Error("a folder: got no error")
	}
	if _, _, err := Open(filepath.Join(dir, "none"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}
