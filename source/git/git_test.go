package git

import (
	"context"
	"fmt"
	"io"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/spool"
)

// repo makes a repository with two commits, a tag, a branch, a link, a submodule entry and an LFS pointer.
func repo(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git to make a repository with")
	}
	dir := filepath.Join(t.TempDir(), "pump")
	sh(t, "", "git", "init", "-q", "-b", "main", dir)
	write(t, dir, "README", "first\n", 0o644)
	sh(t, dir, "git", "add", ".")
	sh(t, dir, "git", "commit", "-qm", "first")
	sh(t, dir, "git", "tag", "-am", "one", "v1")
	write(t, dir, "README", "second\n", 0o644)
	write(t, dir, "src/main.c", "int main;\n", 0o644)
	write(t, dir, "src/run.sh", "#!/bin/sh\n", 0o755)
	write(t, dir, "big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", 0o644)
	if err := os.Symlink("README", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	sh(t, dir, "git", "add", ".")
	sh(t, dir, "git", "update-index", "--add", "--cacheinfo", "160000,1234567890123456789012345678901234567890,lib")
	sh(t, dir, "git", "commit", "-qm", "second")
	return dir
}

func sh(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// list opens ref and writes its files and gaps, one a line.
func list(t *testing.T, ref string, o biopsy.OpenOptions) (*biopsy.Tree, string, error) {
	t.Helper()
	s, err := spool.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o.Spool = s
	tree, err := open(context.Background(), ref, o)
	if err != nil {
		return nil, "", err
	}
	t.Cleanup(func() { tree.Close() })
	var out strings.Builder
	err = tree.Walk(context.Background(), func(f biopsy.File) error {
		c, err := f.Open()
		if err != nil {
			fmt.Fprintf(&out, "%s: %v\n", f.Path, err)
			return nil
		}
		b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
		if f.Size != c.Size() {
			t.Errorf("%s: size %d, content %d", f.Path, f.Size, c.Size())
		}
		fmt.Fprintf(&out, "%s %v %q\n", f.Path, f.Mode, b)
		c.Close()
		return err
	}, func(g biopsy.Gap) { fmt.Fprintf(&out, "gap %s: %s\n", g.Place, g.Reason) })
	return tree, out.String(), err
}

const (
	first  = `README -rw-r--r-- "first\n"` + "\n"
	second = `README -rw-r--r-- "second\n"
big.bin: git LFS keeps the content elsewhere
gap lib: submodule at commit 1234567890123456789012345678901234567890: it is a repository of its own
src/main.c -rw-r--r-- "int main;\n"
src/run.sh -rwxr-xr-x "#!/bin/sh\n"
`
)

func TestLocal(t *testing.T) {
	dir := repo(t)
	bare := filepath.Join(t.TempDir(), "bare.git")
	sh(t, "", "git", "clone", "-q", "--bare", dir, bare)
	linked := filepath.Join(t.TempDir(), "linked")
	sh(t, dir, "git", "worktree", "add", "-q", linked, "-b", "side", "v1")
	packed := filepath.Join(t.TempDir(), "packed.git")
	sh(t, "", "git", "clone", "-q", "--bare", "file://"+dir, packed)
	head := sh(t, dir, "git", "rev-parse", "main")
	for _, c := range []struct{ ref, want string }{
		{dir, second}, {dir + "@v1", first}, {dir + "@main~1", first}, {dir + "@main", second}, {dir + "@" + head, second},
		{bare, second}, {bare + "@v1", first}, {linked, first}, {packed, second}, {"file://" + dir + "@v1", first},
	} {
		tree, got, err := list(t, c.ref, biopsy.OpenOptions{Offline: true})
		if err != nil {
			t.Errorf("%s: %v", c.ref, err)
			continue
		}
		if got != c.want {
			t.Errorf("%s: got\n%s want\n%s", c.ref, got, c.want)
		}
		if c.want == second && tree.Artifact.Digest != "git:"+head {
			t.Errorf("%s: got digest %s, want git:%s", c.ref, tree.Artifact.Digest, head)
		}
	}
	tree, got, err := list(t, dir, biopsy.OpenOptions{Exclude: []string{"src/*.c", "lib", "*.bin"}})
	if err != nil || strings.Count(got, "\n") != 2 || tree.Artifact.Name != "pump" {
		t.Errorf("exclude: got %s, %v", got, err)
	}
}

// TestBomb walks ten folders of ten folders ten times over, which are eleven objects.
func TestBomb(t *testing.T) {
	dir := repo(t)
	object := sh(t, dir, "sh", "-c", "echo x | git hash-object -w --stdin")
	kind, mode := "blob", "100644"
	for range 10 {
		var tree strings.Builder
		for i := range 10 {
			fmt.Fprintf(&tree, "%s %s %s\\tf%d\\n", mode, kind, object, i)
		}
		object = sh(t, dir, "sh", "-c", "printf '"+tree.String()+"' | git mktree")
		kind, mode = "tree", "040000"
	}
	commit := sh(t, dir, "git", "commit-tree", "-m", "bomb", object)
	_, got, err := list(t, dir+"@"+commit, biopsy.OpenOptions{Limits: biopsy.Limits{Files: 1000}})
	if err == nil || !strings.Contains(err.Error(), "more than 1000 entries") || strings.Count(got, "\n") > 1000 {
		t.Errorf("got %v after %d files", err, strings.Count(got, "\n"))
	}
}

func TestRefused(t *testing.T) {
	dir := repo(t)
	for _, c := range []struct{ ref, want, hint string }{
		{t.TempDir(), "not a git repository", "dir:"},
		{dir + "@nosuch", `no commit "nosuch"`, "branch"},
		{"https://git.invalid/x.git@v1", "offline", "clone"},
	} {
		_, _, err := list(t, c.ref, biopsy.OpenOptions{Offline: true})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: got %v (%q), want %q (%q)", c.ref, err, hint.Of(err), c.want, c.hint)
		}
	}
}

func TestRemote(t *testing.T) {
	dir := repo(t)
	sh(t, dir, "git", "config", "uploadpack.allowAnySHA1InWant", "true")
	backend := filepath.Join(sh(t, dir, "git", "--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("no git-http-backend")
	}
	server := httptest.NewServer(&cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}})
	defer server.Close()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	url := server.URL + "/pump/.git"
	one := sh(t, dir, "git", "rev-parse", "v1^{commit}")
	for _, c := range []struct{ ref, want string }{{url, second}, {url + "@v1", first}, {url + "@main", second}, {url + "@" + one, first}} {
		tree, got, err := list(t, c.ref, biopsy.OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.ref, err)
			continue
		}
		if got != c.want {
			t.Errorf("%s: got\n%s want\n%s", c.ref, got, c.want)
		}
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := list(t, url+"@nosuch", biopsy.OpenOptions{}); err == nil {
		t.Error("a branch that is not there is fetched")
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "biopsy-git-*")); len(left) > 0 {
		t.Errorf("left behind %v", left)
	}
}

func TestParseRef(t *testing.T) {
	for _, c := range []struct{ ref, at, rev string }{
		{"repo", "repo", ""},
		{"repo@v1", "repo", "v1"},
		{"https://host/x.git@v1", "https://host/x.git", "v1"},
		{"https://me@host/x.git", "https://me@host/x.git", ""},
		{"https://me@host/x.git@v1", "https://me@host/x.git", "v1"},
		{"git@host:a/b.git", "git@host:a/b.git", ""},
		{"git@host:a/b.git@v1", "git@host:a/b.git", "v1"},
		{"ssh://git@host:22/a@v1", "ssh://git@host:22/a", "v1"},
	} {
		if at, rev := parseRef(c.ref); at != c.at || rev != c.rev {
			t.Errorf("%s: got %q, %q, want %q, %q", c.ref, at, rev, c.at, c.rev)
		}
	}
}
