package lockfile

import (
	"github.com/biopsy-sca/biopsy"
)

// HelmLock reads Chart.lock and requirements.lock of Helm (helm.sh, "Charts", 2026).
var HelmLock = reader("helm-lock", biopsy.Locked, helmLock, "Chart.lock", "requirements.lock")

func helmLock(d *doc) error {
	y, root, err := d.mapping()
	if err != nil {
		return err
	}
	root.get("dependencies").each(func(_, e node) {
		c := pkg("helm", e.get("name").str(), e.get("version").str(), "repository_url", webURL(e.get("repository").str()))
		d.add(e.line(), c)
	})
	return y.err
}
