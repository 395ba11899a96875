package osv

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// batchSize is how many members one worker decodes at a time.
const batchSize = 64

// batch is a run of members and, once done is closed, what became of them.
type batch struct {
	files   []*zip.File
	records []biopsy.Advisory
	bad     []biopsy.Gap
	done    chan struct{}
}

// parseZip decodes members on all processors and hands them to the sink in the zip's order. A member's checksum is compared when it
// is read; a damaged one is a bad record.
func parseZip(ctx context.Context, name string, r io.ReaderAt, size int64, sink biopsy.Sink) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *batch), make(chan *batch, 2*workers)
	for range workers {
		go func() {
			var buf []byte
			for b := range work {
				buf = b.decode(name, buf)
				close(b.done)
			}
		}()
	}
	go deal(ctx, z.File, work, order)
	for b := range order {
		<-b.done
		if err := b.deliver(sink); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// deal hands out batches, each first to the queue that keeps the order and then to a worker, until the members or ctx end.
func deal(ctx context.Context, files []*zip.File, work, order chan<- *batch) {
	defer close(order)
	defer close(work)
	for len(files) > 0 {
		n := min(batchSize, len(files))
		b := &batch{files: files[:n], done: make(chan struct{})}
		files = files[n:]
		select {
		case work <- b:
		case <-ctx.Done():
			return
		}
		select {
		case order <- b:
		case <-ctx.Done():
			return
		}
	}
}

func (b *batch) deliver(sink biopsy.Sink) error {
	for _, g := range b.bad {
		sink.Bad(g)
	}
	for _, a := range b.records {
		if err := sink.Advisory(a); err != nil {
			return err
		}
	}
	return nil
}

// decode fills the batch. buf is scratch space, and comes back perhaps larger.
func (b *batch) decode(name string, buf []byte) []byte {
	folder := path.Base(path.Dir(name))
	for _, f := range b.files {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		var err error
		if buf, err = readMember(f, buf); err == nil {
			var a biopsy.Advisory
			if a, err = decode(buf); err == nil {
				a.Source = source(&a, folder)
				b.records = append(b.records, a)
			}
		}
		if err != nil {
			b.bad = append(b.bad, badRecord(biopsy.Join(name, f.Name), err))
		}
	}
	return buf
}

// readMember reads a member into buf. The size that the zip states is not believed: it only speeds up the reading.
func readMember(f *zip.File, buf []byte) ([]byte, error) {
	if f.UncompressedSize64 > maxRecord {
		return buf, fmt.Errorf("%d bytes, more than a record may have (%d)", f.UncompressedSize64, maxRecord)
	}
	r, err := f.Open()
	if err != nil {
		return buf, err
	}
	defer r.Close()
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if len(buf) > maxRecord {
			return buf, fmt.Errorf("more than %d bytes", maxRecord)
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
