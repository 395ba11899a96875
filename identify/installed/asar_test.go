package installed

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// asarred packs files as electron does.
func asarred(t testing.TB, files []txtar.File) []byte {
	t.Helper()
	root := &asarNode{Files: map[string]*asarNode{}}
	var body bytes.Buffer
	for _, f := range files {
		n := root
		parts := strings.Split(f.Name, "/")
		for _, p := range parts[:len(parts)-1] {
			if n.Files[p] == nil {
				n.Files[p] = &asarNode{Files: map[string]*asarNode{}}
			}
			n = n.Files[p]
		}
		n.Files[parts[len(parts)-1]] = &asarNode{Offset: strconv.Itoa(body.Len()), Size: int64(len(f.Data))}
		body.Write(f.Data)
	}
	index, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	padded := (len(index) + 3) &^ 3
	var out bytes.Buffer
	for _, n := range []int{4, padded + 8, padded + 4, len(index)} {
		if err := binary.Write(&out, binary.LittleEndian, uint32(n)); err != nil {
			t.Fatal(err)
		}
	}
	out.Write(index)
	out.Write(make([]byte, padded-len(index)))
	out.Write(body.Bytes())
	return out.Bytes()
}

// FuzzAsar: no index makes the reader panic or read outside the archive.
func FuzzAsar(f *testing.F) {
	f.Add(asarred(f, []txtar.File{{Name: "package.json", Data: []byte(`{"name":"a","version":"1.0.0"}`)}, {Name: "node_modules/b/package.json", Data: []byte(`{"name":"b","version":"2.0.0"}`)}}))
	f.Fuzz(func(t *testing.T, b []byte) { read("app.asar", b, nil) })
}
