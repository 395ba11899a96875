package installed

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/biopsy-sca/biopsy"
)

func TestSplitFileName(t *testing.T) {
	cases := []struct{ file, want string }{
		{"guava-31.1-jre", "guava 31.1-jre "},
		{"log4j-1.2-api", "log4j-1.2-api  "},
		{"log4j-1.2-api-2.19.0", "log4j-1.2-api 2.19.0 "},
		{"spring-core-4.3.30.RELEASE", "spring-core 4.3.30.RELEASE "},
		{"netty-all-4.1.94.Final-linux-x86_64", "netty-all 4.1.94.Final linux-x86_64"},
		{"commons-lang3-3.12.0-sources", "commons-lang3 3.12.0 sources"},
		{"geronimo-jms_1.1_spec-1.1.1", "geronimo-jms_1.1_spec 1.1.1 "},
		{"bcprov-jdk15on-1.70", "bcprov-jdk15on 1.70 "},
		{"jackson-core-2.15.0-rc1", "jackson-core 2.15.0-rc1 "},
		{"org.eclipse.osgi_3.18.0.v20220516-2155", "org.eclipse.osgi 3.18.0.v20220516-2155 "},
		{"app-1.0-SNAPSHOT", "app 1.0-SNAPSHOT "},
		{"app-v2.1", "app 2.1 "},
		{"jaxb-jxc-jdk9", "jaxb-jxc-jdk9  "},
		{"plain", "plain  "},
		{"-1.0", "-1.0  "},
	}
	for _, c := range cases {
		name, version, classifier := splitFileName(c.file)
		if got := name + " " + version + " " + classifier; got != c.want {
			t.Errorf("%s: got %q, want %q", c.file, got, c.want)
		}
	}
}

func TestAsVersion(t *testing.T) {
	cases := []struct{ value, want string }{
		{"2.0.8 Sun, 08 Sep 2019", "2.0.8"}, {"r1234", ""}, {"4.1.48.Final", "4.1.48.Final"}, {"unspecified", ""}, {"v1.2", "1.2"},
		{"10.14.2000000.???", ""}, {"8.8.1-4 unknown", "8.8.1-4"}, {"", ""},
	}
	for _, c := range cases {
		if got := asVersion(c.value); got != c.want {
			t.Errorf("%q: got %q, want %q", c.value, got, c.want)
		}
	}
}

// TestZipBomb: a metadata file that unpacks to more than its bound is an error and not memory.
func TestZipBomb(t *testing.T) {
	b := zipped(t, []txtar.File{{Name: "META-INF/MANIFEST.MF", Data: make([]byte, maxZipEntry+1)}, {Name: "org/example/A.class", Data: []byte("x")}})
	if got, want := read("a-1.0.jar", b, nil), "larger than any honest file"; !strings.Contains(got, want) {
		t.Errorf("got %q, want an error that says %q", got, want)
	}
}

// TestFacts reads maven.txt and holds each line to what it promises.
func TestFacts(t *testing.T) {
	f := parseFacts(mavenText)
	if len(f.groups) < 100 || len(f.bundles) < 30 || len(f.markers) < 30 || len(f.probes) < 10 {
		t.Errorf("got %d groups, %d bundles, %d classes, %d version files, want more", len(f.groups), len(f.bundles), len(f.markers), len(f.probes))
	}
	for base, ms := range f.markers {
		for _, m := range ms {
			if !strings.HasSuffix(m.class, "/"+base) || strings.Count(m.coordinate, ":") != 1 {
				t.Errorf("class %s %s: want a class in a folder and group:artifact", m.class, m.coordinate)
			}
		}
	}
}

// TestGroupByVersion: projects that moved to another group keep the old one for their old versions.
func TestGroupByVersion(t *testing.T) {
	cases := []struct{ file, class, want string }{
		{"c3p0-0.9.1.2.jar", "com/mchange/v2/c3p0/C.class", "maven/c3p0/c3p0@0.9.1.2 "},
		{"c3p0-0.9.5.5.jar", "com/mchange/v2/c3p0/C.class", "maven/com.mchange/c3p0@0.9.5.5 "},
		{"c3p0.jar", "com/mchange/v2/c3p0/C.class", "maven/com.mchange/c3p0@ "},
		{"asm-3.3.1.jar", "org/objectweb/asm/A.class", "maven/asm/asm@3.3.1 "},
		{"groovy-3.0.9.jar", "org/codehaus/groovy/G.class", "maven/org.codehaus.groovy/groovy@3.0.9 "},
		{"groovy-4.0.1.jar", "org/apache/groovy/G.class", "maven/org.apache.groovy/groovy@4.0.1 "},
		{"hibernate-core-6.1.0.Final.jar", "org/hibernate/H.class", "maven/org.hibernate.orm/hibernate-core@6.1.0.Final "},
	}
	for _, c := range cases {
		got := read(c.file, zipped(t, []txtar.File{{Name: c.class}}), nil)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.file, got, c.want)
		}
	}
}

func BenchmarkJavaArchive(b *testing.B) {
	files := []txtar.File{{Name: "META-INF/MANIFEST.MF", Data: []byte("Manifest-Version: 1.0\nImplementation-Version: 1.2\n")},
		{Name: "META-INF/maven/org.example/a/pom.properties", Data: []byte("version=1.2\ngroupId=org.example\nartifactId=a\n")},
		{Name: "META-INF/maven/org.example/a/pom.xml", Data: []byte("<project><groupId>org.example</groupId><artifactId>a</artifactId><version>1.2</version>" + strings.Repeat("<x>y</x>", 500) + "</project>")}}
	for i := range 500 {
		files = append(files, txtar.File{Name: fmt.Sprintf("org/example/part%d/Class%d.class", i%20, i), Data: []byte("x")})
	}
	data := zipped(b, files)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := javaArchive(b.Context(), input("a.jar", data, nil), func(biopsy.Evidence) {}); err != nil {
			b.Fatal(err)
		}
	}
}
