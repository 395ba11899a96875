package lockfile

import (
	"bytes"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// GradleLock reads gradle.lockfile, its older form in gradle/dependency-locks, and the lock of build scripts (Gradle 9 User Manual,
// "Locking Versions").
var GradleLock = reader("gradle-lockfile", biopsy.Locked, gradleLock, "gradle.lockfile", "buildscript-gradle.lockfile", "gradle/dependency-locks/*.lockfile")

func gradleLock(d *doc) error {
	line := 0
	for raw := range bytes.Lines(d.text) {
		line++
		s, configurations, _ := strings.Cut(strings.TrimSpace(string(raw)), "=")
		parts := strings.Split(s, ":")
		if len(parts) != 3 || strings.HasPrefix(s, "#") {
			continue
		}
		c := pkg("maven", parts[0]+":"+parts[1], parts[2])
		c.Scope = gradleScope(d.Path, configurations)
		d.add(line, c)
	}
	return nil
}

// gradleScope: what only tests, annotation processors or the build itself resolve is not shipped. "" when no configuration is named.
func gradleScope(path, configurations string) biopsy.Scope {
	if strings.Contains(path, "buildscript") {
		return biopsy.Development
	}
	if configurations == "" {
		return ""
	}
	for c := range strings.SplitSeq(configurations, ",") {
		if low := strings.ToLower(c); !strings.HasPrefix(low, "test") && !strings.Contains(low, "androidtest") && !strings.Contains(low, "annotationprocessor") {
			return biopsy.Runtime
		}
	}
	return biopsy.Development
}

// GradleVerification reads gradle/verification-metadata.xml (Gradle 9 User Manual, "Verifying Dependencies"). It lists all that a build
// may fetch, plugins and old versions too, so its claims are wishes.
var GradleVerification = reader("gradle-verification", biopsy.Declared, gradleVerification, "verification-metadata.xml")

func gradleVerification(d *doc) error {
	root, err := d.xml()
	if err != nil {
		return err
	}
	for _, e := range root.get("components").all("component") {
		c := pkg("maven", e.attr("group")+":"+e.attr("name"), e.attr("version"))
		for _, a := range e.all("artifact") {
			if a.attr("name") != e.attr("name")+"-"+e.attr("version")+".jar" {
				continue
			}
			for _, sum := range a.kids {
				c.Hashes = append(c.Hashes, hexHash(sum.attr("value"), sum.name)...)
			}
		}
		d.add(e.line, c)
	}
	return nil
}
