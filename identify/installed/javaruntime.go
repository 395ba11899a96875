package installed

import (
	"bytes"
	"context"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// JavaRuntime reads the file "release" at the top of a JDK or JRE (OpenJDK build system, since 7): shell assignments.
var JavaRuntime = biopsy.Extractor{
	Name:    "java-runtime",
	Basis:   biopsy.Manifest,
	Names:   []string{"release"},
	Head:    func(head []byte) bool { return bytes.Contains(head, []byte(`JAVA_VERSION="`)) },
	Extract: javaRuntime,
}

func javaRuntime(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, 1<<20)
	if err != nil {
		return err
	}
	v := map[string]string{}
	for len(b) > 0 {
		var line []byte
		line, b = cutLine(b)
		if key, value, ok := strings.Cut(string(line), "="); ok {
			v[key] = strings.Trim(value, `"`)
		}
	}
	if v["JAVA_VERSION"] == "" {
		return nil
	}
	c := biopsy.Claim{Kind: biopsy.Application, Eco: "generic", Name: "openjdk", Version: v["JAVA_VERSION"], State: biopsy.Installed,
		Supplier: v["IMPLEMENTOR"], Extra: map[string]string{}}
	if v["BUILD_TYPE"] == "commercial" {
		c.Name = "oracle-jdk"
	}
	for key, extra := range map[string]string{"JAVA_RUNTIME_VERSION": "java:runtime-version", "IMPLEMENTOR_VERSION": "java:implementor-version", "IMAGE_TYPE": "java:image", "SOURCE": "java:source"} {
		if v[key] != "" {
			c.Extra[extra] = v[key]
		}
	}
	sheet{in, "java-runtime", biopsy.Manifest, emit}.say(c, sureProperties)
	return nil
}
