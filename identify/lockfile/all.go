package lockfile

import "github.com/biopsy-sca/biopsy"

// All are the readers of this room.
var All = []biopsy.Extractor{
	NPMLock, NPMManifest, YarnLock, PNPMLock, BunLock, DenoLock,
	GoMod, GoWork, GoVendor,
	CargoLock, CargoManifest,
}
