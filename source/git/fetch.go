package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"

	"github.com/biopsy-sca/biopsy/internal/hint"
)

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// fetch brings one commit of a repository elsewhere into a temporary one.
func fetch(ctx context.Context, url, rev string) (*repository, error) {
	temp, err := os.MkdirTemp("", "biopsy-git-")
	if err != nil {
		return nil, err
	}
	r, err := fetchInto(ctx, temp, url, rev)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return r, nil
}

func fetchInto(ctx context.Context, temp, url, rev string) (*repository, error) {
	repo, err := git.PlainInit(temp, true)
	if err != nil {
		return nil, err
	}
	remote, err := repo.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{url}})
	if err != nil {
		return nil, err
	}
	from, err := remoteName(ctx, remote, rev)
	if err != nil {
		return nil, err
	}
	const here = "refs/heads/fetched"
	spec := config.RefSpec("+" + from + ":" + here)
	err = remote.FetchContext(ctx, &git.FetchOptions{RefSpecs: []config.RefSpec{spec}, Depth: 1, Tags: git.NoTags})
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", from, err)
	}
	hash, err := repo.ResolveRevision(here + "^{commit}")
	if err != nil {
		return nil, err
	}
	return commitOf(repo, *hash, temp)
}

// remoteName finds the full name of a revision at the other side: branches before tags, as git fetch does not.
func remoteName(ctx context.Context, remote *git.Remote, rev string) (string, error) {
	if commitID.MatchString(rev) {
		return rev, nil
	}
	refs, err := remote.ListContext(ctx, &git.ListOptions{})
	if err != nil {
		return "", err
	}
	names := map[string]*plumbing.Reference{}
	for _, r := range refs {
		names[r.Name().String()] = r
	}
	if rev == "" {
		rev = "HEAD"
	}
	for _, full := range []string{rev, "refs/heads/" + rev, "refs/tags/" + rev} {
		r := names[full]
		if r != nil && r.Type() == plumbing.SymbolicReference {
			return r.Target().String(), nil
		}
		if r != nil {
			return full, nil
		}
	}
	return "", hint.Add(fmt.Errorf("no branch or tag %q there", rev), "a commit is named by all its 40 digits")
}
