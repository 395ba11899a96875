package biopsy

import (
	"context"
	"io"
)

// The kinds of part. Each is a value in a visible list: adding one is a new file and one line.

// Opener is a way in: it turns a reference into a tree.
type Opener struct {
	Name   string // also the scheme: "dir" in "dir:rootfs"
	Detect func(path string) bool
	Open   func(ctx context.Context, ref string, o OpenOptions) (*Tree, error)
}

// OpenOptions is what a way in may be told.
type OpenOptions struct {
	Spool   Spool
	Limits  Limits
	Exclude []string // globs on slash paths; "**" crosses folders
	Offline bool     // true refuses every reference that would need the network
}

// Spool keeps bytes that do not fit in memory until they are closed. internal/spool is the real one.
type Spool interface {
	// Keep copies at most max bytes of r and hands them back as Content. More is an error that says so.
	Keep(r io.Reader, max int64) (Content, error)
}

// Limits bound what hostile input can make us do. The zero value of a field is no bound; DefaultLimits bounds all.
type Limits struct {
	Depth     int   // descents into containers inside containers
	Files     int   // files of one artifact, all descents together
	FileSize  int64 // bytes of one file inside a container, unpacked
	TotalSize int64 // bytes unpacked from containers in one artifact
	Ratio     int64 // unpacked bytes per packed byte of one container, judged beyond the first 64 MiB
}

// DefaultLimits fit the largest device images we know, and stop a bomb within minutes.
var DefaultLimits = Limits{Depth: 12, Files: 5_000_000, FileSize: 8 << 30, TotalSize: 64 << 30, Ratio: 1000}

// Unpacker opens one kind of container.
type Unpacker struct {
	Name string
	// Match is shown the file's name and its first bytes (up to 4 KiB; fewer when the file is shorter).
	Match func(f File, head []byte) bool
	// Magics stand at a fixed distance from the container's start. Carving looks for them at any offset of a larger image; empty
	// when the format cannot be found that way.
	Magics []Magic
	// Extent says how many bytes the container takes that starts at off, at most max; false when there is none after all. Only its
	// header is read. nil when Magics is empty.
	Extent func(c io.ReaderAt, off, max int64) (int64, bool)
	// Unpack yields the members in an order that depends on the bytes alone. Paths are cleaned and never leave the container.
	Unpack func(ctx context.Context, f File, c Content, u UnpackOptions) error
}

// Magic is bytes that stand at a distance from the start of what they mark.
type Magic struct {
	Bytes []byte
	At    int64
}

// Budget counts what unpacking costs over all containers of one artifact. unpack.Budget is the real one.
type Budget interface {
	// Spend takes bytes that were unpacked on the way (a stream's, read or skipped). An error says which limit is reached.
	// Members that can be opened at any time are counted by the walk, when they are opened.
	Spend(n int64) error
}

// UnpackOptions is what an unpacker is told, and its three ways to answer.
type UnpackOptions struct {
	Limits Limits
	Spool  Spool
	Budget Budget           // nil counts nothing
	Yield  func(File) error // File.In and File.Layer are filled by the walk
	Gap    func(Gap)        // Place.Path relative to the container; the walk completes it
	Ledger func([]Span)     // optional answer: what every byte of the container is
}

// Extractor reads one kind of file and says what it claims.
type Extractor struct {
	Name  string
	Basis Basis
	// Names are how files of the kind are called, cheap to test: a base name "Cargo.lock", an ending "*.jar", or the last
	// elements of a path "var/lib/dpkg/status". Empty when only Head can tell.
	Names []string
	// Wants refines Names by the whole path; nil wants all that Names lets through.
	Wants func(path string) bool
	// Head looks at the first bytes (up to 4 KiB) of files that Names let through; with empty Names of every file that may be
	// a program. nil wants all.
	Head func(head []byte) bool
	// From is the shallowest depth at which the reader is asked; "" is quick.
	From Depth
	// History asks for shadowed files of images too: package databases, whose older versions tell which layer brought what.
	History bool
	// Extract emits what the file says. An error becomes a gap that keeps what was emitted before it. It never panics on any
	// bytes, and reads no more than it must.
	Extract func(ctx context.Context, in Input, emit func(Evidence)) error
}

// Input is one file shown to an extractor.
type Input struct {
	File
	Content       // opened, shared with other readers, not to be closed
	Spool   Spool // for what must be kept on the way
	Gap     func(Gap)
}

// Reader returns the whole content as a stream.
func (in Input) Reader() *io.SectionReader {
	return io.NewSectionReader(in.Content, 0, in.Content.Size())
}

// Place returns where the file is. It hides the two embedded fields' ambiguity about Size.
func (in Input) Place() Place { return in.File.Place() }

// At returns the place of a line of the file.
func (in Input) At(line int) Place {
	p := in.File.Place()
	p.Line = line
	return p
}

// Size returns the content's size in bytes.
func (in Input) Size() int64 { return in.Content.Size() }

// Feed is one source of advisories: the world into refdb.
type Feed struct {
	Name  string // "osv", "kev", "epss"
	OptIn bool   // fetched only when asked for by name: hundreds of megabytes, or many minutes
	// Match tells whether a local file is of this feed, by its path and first bytes.
	Match func(path string, head []byte) bool
	// Parse reads one file of the feed and hands each record to the sink. A bad record is reported to the sink and skipped.
	Parse func(ctx context.Context, name string, r io.ReaderAt, size int64, sink Sink) error
	// Fetch brings the feed's files into dir, conditionally: what is already there and unchanged is not sent again.
	Fetch func(ctx context.Context, f FetchOptions) error
}

// FetchOptions is what a feed's fetch is told.
type FetchOptions struct {
	Dir    string // keeps files and their validators from one fetch to the next
	Base   string // overrides the feed's public address, for mirrors and tests; "" is the public one
	Key    string // of the source's API, for the few that hand out keys; "" asks without one
	Names  []string
	Events func(Progress)
}

// Sink is what a feed parses into.
type Sink struct {
	Advisory  func(Advisory) error
	Exploit   func(cve string, e Exploit) error
	Synonym   func(Synonym) error
	Lifecycle func(Lifecycle) error
	Bad       func(Gap)
}

// Progress is one step of long work, for whoever shows progress.
type Progress struct {
	Stage string // "scan", "match", "fetch osv/Go"
	Item  string // file or record at hand; "" when it says nothing
	Done  int64
	Total int64 // 0 when unknown
}

// Writer is one document.
type Writer struct {
	Name     string   // the FORMAT of -o
	Versions []string // accepted behind "@"; the first is the default; empty when the format has none
	Folder   bool     // writes a folder instead of one file
	Write    func(w io.Writer, s *Scan, version string) error
}
