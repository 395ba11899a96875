// Package git is the way in for git repositories.
//
// What comes in: PATH[@REF] of a repository on this machine, bare or not, or URL[@REF] of one elsewhere; REF is a branch, a tag
// or a commit, HEAD without it. What goes out: the regular files of that commit, in git's order of names, as the repository
// stores them, without a checkout. Of a repository elsewhere that one commit alone is fetched, into a temporary folder that Close
// removes. It never runs git, and so no hook, filter, helper or command that a foreign repository's configuration names;
// that is why a library reads it. Symbolic links are not yielded; a submodule is a gap, and so is a file that git LFS keeps
// elsewhere.
package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/internal/hint"
	"github.com/biopsy-sca/biopsy/internal/treepath"
)

// Opener is the way in.
var Opener = biopsy.Opener{Name: "git", Open: open}

func open(ctx context.Context, ref string, o biopsy.OpenOptions) (*biopsy.Tree, error) {
	exclude, err := treepath.ParseGlobs(o.Exclude)
	if err != nil {
		return nil, fmt.Errorf("exclude: %w", err)
	}
	at, rev := parseRef(ref)
	r, err := openRepository(ctx, at, rev, o.Offline)
	if err != nil {
		return nil, fmt.Errorf("git:%s: %w", ref, err)
	}
	t := tree{repository: r, limits: o.Limits, spool: o.Spool, exclude: exclude}
	return &biopsy.Tree{
		Artifact: biopsy.Artifact{Ref: "git:" + ref, Name: name(at), Kind: "git-repository", Digest: "git:" + r.commit.Hash.String()},
		Walk:     t.walk,
		Close:    r.close,
	}, nil
}

// parseRef parts WHERE[@REF]. A path that exists is taken whole, and the "@" of "user@host" is none of ours.
func parseRef(ref string) (at, rev string) {
	if _, err := os.Stat(ref); err == nil {
		return ref, ""
	}
	i := strings.LastIndexByte(ref, '@')
	if i <= 0 || !isRemote(ref) {
		if i <= 0 {
			return ref, ""
		}
		return ref[:i], ref[i+1:]
	}
	host := strings.Index(ref, "://") + 3
	if host < 3 {
		host = 0
	}
	if slash := strings.IndexAny(ref[host:], "/:"); slash < 0 || i < host+slash {
		return ref, ""
	}
	return ref[:i], ref[i+1:]
}

var scpLike = regexp.MustCompile(`^[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:`)

// isRemote tells URLs, and git's "user@host:path", from paths.
func isRemote(ref string) bool {
	return strings.Contains(ref, "://") || scpLike.MatchString(ref)
}

func name(at string) string {
	return treepath.Escape(strings.TrimSuffix(path.Base(strings.TrimRight(strings.TrimSuffix(strings.TrimRight(at, "/"), "/.git"), "/")), ".git"))
}

// repository is an open one, and the commit to be read.
type repository struct {
	commit  *object.Commit
	objects storer.EncodedObjectStorer
	mu      *sync.Mutex // the library is not made for concurrent reading
	temp    string      // removed at the end; "" when the repository is the user's
}

func (r *repository) close() error {
	if r.temp == "" {
		return nil
	}
	return os.RemoveAll(r.temp)
}

func openRepository(ctx context.Context, at, rev string, offline bool) (*repository, error) {
	at = strings.TrimPrefix(at, "file://") // the library would run git for it
	if isRemote(at) {
		if offline {
			return nil, hint.Add(errors.New("not opened: offline"), "clone the repository where there is a network, and scan git:PATH")
		}
		return fetch(ctx, at, rev)
	}
	repo, err := git.PlainOpenWithOptions(at, &git.PlainOpenOptions{EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, hint.Add(errors.New("not a git repository"), "write dir:"+at+" to scan it as a directory")
	}
	if err != nil {
		return nil, err
	}
	if rev == "" {
		rev = "HEAD"
	}
	hash, err := repo.ResolveRevision(plumbing.Revision(rev))
	if err != nil {
		return nil, hint.Add(fmt.Errorf("no commit %q: %w", rev, err), "name a branch, a tag or a commit that the repository holds")
	}
	return commitOf(repo, *hash, "")
}

func commitOf(repo *git.Repository, hash plumbing.Hash, temp string) (*repository, error) {
	commit, err := repo.CommitObject(hash)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", hash, err)
	}
	return &repository{commit, repo.Storer, new(sync.Mutex), temp}, nil
}

// tree is the commit's tree being walked.
type tree struct {
	*repository
	limits  biopsy.Limits
	spool   biopsy.Spool
	exclude treepath.Globs

	yield func(biopsy.File) error
	gap   func(biopsy.Gap)
	count int // entries so far: a few trees that hold each other many times over stand for billions
}

// maxDepth bounds folders inside each other: a path of 4,096 bytes holds no more.
const maxDepth = 2048

func (t tree) walk(ctx context.Context, yield func(biopsy.File) error, gap func(biopsy.Gap)) error {
	t.yield, t.gap = yield, gap
	root, err := t.commit.Tree()
	if err != nil {
		return fmt.Errorf("tree of commit %s: %w", t.commit.Hash, err)
	}
	return t.folder(ctx, root, "", 0)
}

func (t *tree) folder(ctx context.Context, dir *object.Tree, at string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range dir.Entries {
		if t.count++; t.limits.Files > 0 && t.count > t.limits.Files {
			return fmt.Errorf("the commit has more than %d entries: the limit is reached", t.limits.Files)
		}
		shown := treepath.Escape(strings.ReplaceAll(e.Name, "/", "%2F")) // no name of git holds a slash but a forged one
		if at != "" {
			shown = at + "/" + shown
		}
		if t.exclude.Fit(shown) {
			continue
		}
		if err := t.entry(ctx, e, shown, depth); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) entry(ctx context.Context, e object.TreeEntry, shown string, depth int) error {
	lost := func(reason string) error {
		t.gap(biopsy.Gap{Place: biopsy.Place{Path: shown}, Reason: reason})
		return nil
	}
	switch e.Mode {
	case filemode.Dir:
		if depth >= maxDepth {
			return lost("folders are nested too deep")
		}
		t.mu.Lock()
		sub, err := object.GetTree(t.objects, e.Hash)
		t.mu.Unlock()
		if err != nil {
			return lost("folder not read: " + err.Error())
		}
		return t.folder(ctx, sub, shown, depth+1)
	case filemode.Submodule:
		return lost("submodule at commit " + e.Hash.String() + ": it is a repository of its own")
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		return t.file(e, shown)
	case filemode.Symlink:
		return nil
	}
	return lost("entry of mode " + e.Mode.String())
}

func (t *tree) file(e object.TreeEntry, shown string) error {
	t.mu.Lock()
	size, err := t.objects.EncodedObjectSize(e.Hash)
	t.mu.Unlock()
	if err != nil {
		t.gap(biopsy.Gap{Place: biopsy.Place{Path: shown}, Reason: fmt.Sprintf("blob %s not read: %v", e.Hash, err)})
		return nil
	}
	mode := fs.FileMode(0o644)
	if e.Mode == filemode.Executable {
		mode = 0o755
	}
	return t.yield(biopsy.File{Path: shown, Size: size, Mode: mode, Open: func() (biopsy.Content, error) { return t.content(e.Hash) }})
}

func (t *tree) content(hash plumbing.Hash) (biopsy.Content, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	blob, err := object.GetBlob(t.objects, hash)
	if err != nil {
		return nil, err
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	c, err := t.spool.Keep(r, t.limits.FileSize)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if isPointer(c) {
		return nil, errors.Join(errors.New("git LFS keeps the content elsewhere"), c.Close())
	}
	return c, nil
}

// isPointer tells whether a small file is what git LFS leaves in the repository (git-lfs specification 1).
func isPointer(c biopsy.Content) bool {
	const version = "version https://git-lfs.github.com/spec/"
	b := make([]byte, len(version))
	n, _ := c.ReadAt(b, 0)
	return c.Size() < 1024 && string(b[:n]) == version
}
