package lockfile

import "github.com/biopsy-sca/biopsy"

// All are the readers of this room.
var All = []biopsy.Extractor{
	// JavaScript
	NPMLock, NPMManifest, YarnLock, PNPMLock, BunLock, DenoLock,
	// Python
	Requirements, PipfileLock, PoetryLock, UVLock, PDMLock, PyLock, PyProject, SetupCfg, SetupPy, CondaEnvironment, CondaLock,
	// Go, Rust
	GoMod, GoWork, GoVendor,
	CargoLock, CargoManifest,
	// Java and its kin
	MavenPOM, GradleLock, GradleVerification, GradleCatalog, GradleBuild, MavenInstall, Ivy, SBT,
	// PHP, Ruby, .NET
	ComposerLock, ComposerManifest,
	GemfileLock,
	NuGetLock, NuGetAssets, NuGetConfig, NuGetProject, PaketLock,
	// phones
	PubLock, PubManifest, SwiftLock, PodLock, CartfileLock,
	// C and C++
	ConanLock, Conanfile, Vcpkg, CMake, MesonWrap, MesonBuild, Autoconf, Kbuild, OpenSSLVersion,
	// firmware
	West, PlatformIO, PlatformIOLibrary, ArduinoLibrary, ESPLock, ESPComponent, YoctoFirmware, YoctoImage,
	// other languages
	MixLock, RebarLock, RenvLock, JuliaManifest, StackLock, CabalFreeze, Opam, NimbleLock, Rockspec, CPANSnapshot,
	// builds and images
	GitModules, Actions, Dockerfile, BazelLock, BazelModule, HelmLock,
}
