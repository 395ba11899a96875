package installed

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzReaders: whatever stands in a file, no reader panics, and all say the same twice.
func FuzzReaders(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			f.Add(file.Name, file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if one, two := read(name, b, nil), read(name, b, nil); one != two {
			t.Errorf("got\n%s\nthen\n%s", one, two)
		}
	})
}

// FuzzJar: no archive makes the reader panic or unpack more than its bounds.
func FuzzJar(f *testing.F) {
	f.Add(zipped(f, []txtar.File{
		{Name: "META-INF/MANIFEST.MF", Data: []byte("Manifest-Version: 1.0\r\nImplementation-Version: 1.2\r\n\r\nName: org/example/\r\n")},
		{Name: "META-INF/maven/org.example/a/pom.properties", Data: []byte("version=1\ngroupId=org.example\nartifactId=a\n")},
		{Name: "org/example/A.class", Data: []byte("\xca\xfe\xba\xbe")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if one, two := read("lib/a-1.0.jar", b, nil), read("lib/a-1.0.jar", b, nil); one != two {
			t.Errorf("got\n%s\nthen\n%s", one, two)
		}
	})
}

// FuzzJarMeta: nor does any manifest, pom or class file inside a sound one.
func FuzzJarMeta(f *testing.F) {
	f.Add([]byte("Bundle-SymbolicName: org.example.a\nBundle-Version: 1.0.0\n"), []byte("<project><groupId>g</groupId><properties><a>${a}</a></properties></project>"),
		[]byte("\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x02\x01\x00\x062.14.0"), "a-1.0.jar")
	f.Fuzz(func(t *testing.T, manifest, pom, class []byte, name string) {
		b := zipped(t, []txtar.File{{Name: "META-INF/MANIFEST.MF", Data: manifest}, {Name: "META-INF/maven/g/a/pom.xml", Data: pom},
			{Name: "com/fasterxml/jackson/databind/cfg/PackageVersion.class", Data: class}, {Name: "com/fasterxml/jackson/databind/ObjectMapper.class"}})
		if one, two := read(name+".jar", b, nil), read(name+".jar", bytes.Clone(b), nil); one != two {
			t.Errorf("got\n%s\nthen\n%s", one, two)
		}
	})
}
