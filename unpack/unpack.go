// Package unpack opens containers: files that hold other files.
//
// What comes in: a file, its content and its first bytes. What goes out: the members, one after the other, with clean paths
// that never leave the container. It never descends into what it yields: the walk does, counts the descents, and shares one
// Budget among all containers of an artifact.
package unpack

import (
	"slices"

	"github.com/biopsy-sca/biopsy"
	"github.com/biopsy-sca/biopsy/unpack/archive"
	"github.com/biopsy-sca/biopsy/unpack/boot"
	"github.com/biopsy-sca/biopsy/unpack/cramfs"
	"github.com/biopsy-sca/biopsy/unpack/disk"
	"github.com/biopsy-sca/biopsy/unpack/erofs"
	"github.com/biopsy-sca/biopsy/unpack/ext"
	"github.com/biopsy-sca/biopsy/unpack/fat"
	"github.com/biopsy-sca/biopsy/unpack/iso9660"
	"github.com/biopsy-sca/biopsy/unpack/jffs2"
	"github.com/biopsy-sca/biopsy/unpack/romfs"
	"github.com/biopsy-sca/biopsy/unpack/squashfs"
	"github.com/biopsy-sca/biopsy/unpack/ubi"
	"github.com/biopsy-sca/biopsy/unpack/ubifs"
	"github.com/biopsy-sca/biopsy/unpack/yaffs2"
)

// archives are what people exchange files in, of any sort.
var archives = []biopsy.Unpacker{
	archive.Zip,
	archive.Gzip,
	archive.Bzip2,
	archive.XZ,
	archive.Zstd,
	archive.LZMA,
	archive.LZ4,
	archive.Lzip,
	archive.Lzop,
	archive.Compress,
	archive.SevenZip,
	archive.RAR,
	archive.Cab,
	archive.MSI,
	archive.Ar,
	archive.Cpio,
	archive.RPM,
	archive.Tar,
}

// Archive tells whether a kind of container is one that people exchange files in; others are what devices are flashed with.
func Archive(u *biopsy.Unpacker) bool {
	return u.Name == archive.Closed.Name || slices.ContainsFunc(archives, func(a biopsy.Unpacker) bool { return a.Name == u.Name })
}

// All is every kind of container. The first that matches opens a file.
var All = slices.Concat([]biopsy.Unpacker{
	jffs2.Image,
	ubi.Image,
	ubifs.Volume,
	yaffs2.Image,
	squashfs.Image,
	erofs.Image,
	cramfs.Image,
	romfs.Image,
}, archives, []biopsy.Unpacker{
	iso9660.Image,
	disk.QCOW2,
	disk.VMDK,
	disk.VDI,
	disk.VHD,
	disk.VHDX,
	disk.Sparse,
	ext.Ext,
	fat.FAT,
	disk.Table, // behind what begins with a boot sector too
}, boot.All, []biopsy.Unpacker{archive.Closed, disk.Closed})
